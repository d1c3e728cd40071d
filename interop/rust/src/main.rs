//! Drives nacos-sdk through one scenario: `muster-interop SCENARIO ADDRESS:PORT`. See interop/README.md.

mod checks;
mod config;
mod lifecycle;
mod naming;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use nacos_sdk::api::config::{ConfigService, ConfigServiceBuilder};
use nacos_sdk::api::naming::{NamingService, NamingServiceBuilder};
use nacos_sdk::api::props::ClientProps;

use checks::Checks;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, scenario, address] = arguments.as_slice() else { anyhow::bail!("usage: SCENARIO ADDRESS:PORT") };
    let mut checks = Checks::default();
    match scenario.as_str() {
        "naming" => {
            naming::run(&mut checks, naming_client(address).await?, naming_client(address).await?).await
        }
        "config" => {
            config::run(&mut checks, config_client(address).await?, config_client(address).await?).await
        }
        "observe" => lifecycle::observe(&mut checks, naming_client(address).await?).await?,
        "victim" => lifecycle::victim(naming_client(address).await?).await?,
        "restart" => {
            lifecycle::restart(&mut checks, naming_client(address).await?, config_client(address).await?)
                .await?
        }
        other => anyhow::bail!("no scenario {other}"),
    }
    anyhow::ensure!(!checks.failed(), "a check failed");
    Ok(())
}

/// A name that no other run on the same server uses.
fn unique(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    format!("{name}-{now:x}{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Tells the driver that this scenario waits for it, and waits.
async fn ready_and_wait() -> anyhow::Result<()> {
    println!("ready");
    let line = || std::io::stdin().read_line(&mut String::new());
    tokio::task::spawn_blocking(line).await??;
    Ok(())
}

fn settings(address: &str) -> ClientProps {
    // The protection hides from the client's user that a list has become empty.
    ClientProps::new()
        .server_addr(address)
        .namespace("")
        .app_name("interop")
        .naming_push_empty_protection(false)
}

async fn naming_client(address: &str) -> anyhow::Result<NamingService> {
    Ok(NamingServiceBuilder::new(settings(address)).build().await?)
}

async fn config_client(address: &str) -> anyhow::Result<ConfigService> {
    Ok(ConfigServiceBuilder::new(settings(address)).build().await?)
}
