//! A client that is killed, one that sees its instances go, and a server that dies and comes back.

use std::sync::Arc;
use std::time::Duration;

use nacos_sdk::api::config::ConfigService;
use nacos_sdk::api::naming::NamingService;

use crate::checks::{Checks, SOON, eventually};
use crate::config::{content, is_heard, listened, publish};
use crate::naming::{Told, instance, show};
use crate::ready_and_wait;

/// The client's back-off, which grows in seconds, and its redo; its config part listens anew only every 60 s.
const RECOVERY: Duration = Duration::from_secs(90);

const GROUP: &str = "DEFAULT_GROUP";

pub(crate) async fn observe(checks: &mut Checks, naming: NamingService) -> anyhow::Result<()> {
    let told = subscribed(&naming, "crash-rust").await?;
    println!("ready");
    checks.check("seen", is_told(&told, "[10.2.0.1:1]")).await;
    ready_and_wait().await?;
    checks.check("vanished", is_told(&told, "[]")).await;
    Ok(())
}

pub(crate) async fn victim(naming: NamingService) -> anyhow::Result<()> {
    naming.register_instance("crash-rust".into(), None, instance("10.2.0.1", 1)).await?;
    ready_and_wait().await
}

pub(crate) async fn restart(
    checks: &mut Checks,
    naming: NamingService,
    config: ConfigService,
) -> anyhow::Result<()> {
    naming.register_instance("restart".into(), None, instance("10.3.0.1", 1)).await?;
    let told = subscribed(&naming, "watched").await?;
    naming.register_instance("watched".into(), None, instance("10.3.0.2", 2)).await?;
    // Two configs: what this client listens to it no longer asks the server for.
    publish(&config, "kept", GROUP, "still before").await?;
    publish(&config, "listened", GROUP, "first").await?;
    let heard = listened(&config, "listened").await?;
    publish(&config, "listened", GROUP, "before").await?;
    is_heard(&heard, "before", SOON).await?;
    is_told(&told, "[10.3.0.2:2]").await?;

    ready_and_wait().await?;
    let kept = eventually(RECOVERY, Some("still before".to_owned()), || content(&config, "kept", GROUP));
    checks.check("kept", kept).await;
    checks
        .check("reregister", async {
            looks(&naming, "restart", "[10.3.0.1:1]").await?;
            looks(&naming, "watched", "[10.3.0.2:2]").await
        })
        .await;
    checks
        .check("subscription", async {
            naming.deregister_instance("watched".into(), None, instance("10.3.0.2", 2)).await?;
            is_told(&told, "[]").await?;
            naming.register_instance("watched".into(), None, instance("10.3.0.3", 3)).await?;
            is_told(&told, "[10.3.0.3:3]").await
        })
        .await;
    let listener = async {
        publish(&config, "listened", GROUP, "after").await?;
        is_heard(&heard, "after", RECOVERY).await
    };
    checks.check("listener", listener).await;
    Ok(())
}

async fn subscribed(naming: &NamingService, service: &str) -> anyhow::Result<Arc<Told>> {
    let told = Arc::new(Told::default());
    naming.subscribe(service.into(), None, Vec::new(), told.clone()).await?;
    Ok(told)
}

async fn is_told(told: &Told, expected: &str) -> anyhow::Result<()> {
    eventually(RECOVERY, Some(expected.to_owned()), || async { Ok(told.list()) }).await
}

async fn looks(naming: &NamingService, service: &str, expected: &str) -> anyhow::Result<()> {
    let look =
        || async { Ok(show(naming.get_all_instances(service.into(), None, Vec::new(), false).await?)) };
    eventually(RECOVERY, expected.to_owned(), look).await
}
