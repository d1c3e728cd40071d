//! Publishing, reading and listening; one client writes, another reads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;
use nacos_sdk::api::config::{ConfigChangeListener, ConfigResponse, ConfigService};
use nacos_sdk::api::error::Error;

use crate::checks::{Checks, SOON, equal, eventually};
use crate::unique;

const GROUP: &str = "DEFAULT_GROUP";

/// The md5 of `first`; this client has no use for one of its own here.
const MD5_OF_FIRST: &str = "8b04d5e3775d298e78455efc5ca404d5";

struct Config {
    writer: ConfigService,
    reader: ConfigService,
}

/// Keeps the newest content that it was told.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Option<String>>);

impl Heard {
    pub(crate) fn content(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ConfigChangeListener for Heard {
    fn notify(&self, told: ConfigResponse) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(told.content().clone());
    }
}

pub(crate) async fn run(checks: &mut Checks, writer: ConfigService, reader: ConfigService) {
    let config = Config { writer, reader };
    checks.check("publish", config.publish(&unique("publish"), GROUP, "a: 1")).await;
    checks.check("get", config.get()).await;
    checks
        .check("missing", async { equal(None, content(&config.reader, &unique("missing"), GROUP).await?) })
        .await;
    checks.check("listen", config.listen()).await;
    checks.check("unlisten", config.unlisten()).await;
    checks.check("cas", config.cas()).await;
    checks.check("remove", config.remove()).await;
    checks.check("large", config.large()).await;
    checks.check("chinese", config.chinese()).await;
    checks.check("names", config.names()).await;
}

impl Config {
    async fn publish(&self, id: &str, group: &str, content: &str) -> anyhow::Result<()> {
        publish(&self.writer, id, group, content).await
    }

    async fn get(&self) -> anyhow::Result<()> {
        let id = unique("get");
        for given in ["one", "two", "a=1\r\nb = %2B+&\n\u{1}\u{2}"] {
            self.publish(&id, GROUP, given).await?;
            // What was answered can be read at once.
            equal(Some(given.to_owned()), content(&self.reader, &id, GROUP).await?)?;
        }
        Ok(())
    }

    async fn listen(&self) -> anyhow::Result<()> {
        let id = unique("listen");
        let heard = self.listened(&id).await?;
        for given in ["changed", "changed again", "changed"] {
            self.publish(&id, GROUP, given).await?;
            is_heard(&heard, given, SOON).await?;
        }
        Ok(())
    }

    async fn unlisten(&self) -> anyhow::Result<()> {
        let id = unique("unlisten");
        let heard = self.listened(&id).await?;
        self.publish(&id, GROUP, "heard").await?;
        is_heard(&heard, "heard", SOON).await?;
        self.reader.remove_listener(id.clone(), GROUP.into(), heard.clone()).await?;
        self.publish(&id, GROUP, "unheard").await?;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        equal(Some("heard".to_owned()), heard.content())
    }

    async fn cas(&self) -> anyhow::Result<()> {
        let id = unique("cas");
        self.publish(&id, GROUP, "first").await?;
        let publish = |given: &str| {
            self.writer.publish_config_cas(id.clone(), GROUP.into(), given.into(), None, MD5_OF_FIRST.into())
        };
        ensure!(publish("second").await?, "the right md5 was refused");
        equal(Some("second".to_owned()), content(&self.reader, &id, GROUP).await?)?;
        ensure!(!matches!(publish("third").await, Ok(true)), "a stale md5 was taken");
        equal(Some("second".to_owned()), content(&self.reader, &id, GROUP).await?)
    }

    async fn remove(&self) -> anyhow::Result<()> {
        let id = unique("remove");
        self.publish(&id, GROUP, "here").await?;
        for _ in 0..2 {
            ensure!(self.writer.remove_config(id.clone(), GROUP.into()).await?, "the removal said false");
            equal(None, content(&self.reader, &id, GROUP).await?)?;
        }
        Ok(())
    }

    async fn large(&self) -> anyhow::Result<()> {
        let id = unique("large");
        let given = "0123456789abcde\n".repeat(1 << 16);
        self.publish(&id, GROUP, &given).await?;
        equal(Some(given.clone()), content(&self.reader, &id, GROUP).await?)?;
        // What this client listens to it no longer asks for, so listening comes second.
        let heard = self.listened(&id).await?;
        self.publish(&id, GROUP, &given).await?;
        is_heard(&heard, &given, SOON).await
    }

    async fn chinese(&self) -> anyhow::Result<()> {
        let (id, given) = (unique("chinese"), "名称: 订单服务\n备注: 中文、ÄÖÜ、🚀\n");
        self.publish(&id, GROUP, given).await?;
        equal(Some(given.to_owned()), content(&self.reader, &id, GROUP).await?)
    }

    async fn names(&self) -> anyhow::Result<()> {
        for name in ["a.b_c-d:e", "UPPER.lower_0:1-2", "x::y..z--"] {
            let (id, group) = (unique(name), "g.r_o-u:p");
            self.publish(&id, group, name).await?;
            equal(Some(name.to_owned()), content(&self.reader, &id, group).await?)?;
            equal(None, content(&self.reader, &id, GROUP).await?)?;
        }
        Ok(())
    }

    /// This client swallows the first content that it sees, so there is one before it listens.
    async fn listened(&self, id: &str) -> anyhow::Result<Arc<Heard>> {
        self.publish(id, GROUP, "there before").await?;
        listened(&self.reader, id).await
    }
}

pub(crate) async fn publish(
    writer: &ConfigService,
    id: &str,
    group: &str,
    content: &str,
) -> anyhow::Result<()> {
    let taken = writer.publish_config(id.into(), group.into(), content.into(), Some("yaml".into())).await?;
    ensure!(taken, "the publish said false");
    Ok(())
}

pub(crate) async fn content(reader: &ConfigService, id: &str, group: &str) -> anyhow::Result<Option<String>> {
    match reader.get_config(id.into(), group.into()).await {
        Ok(found) => Ok(Some(found.content().clone())),
        Err(Error::ConfigNotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

pub(crate) async fn listened(reader: &ConfigService, id: &str) -> anyhow::Result<Arc<Heard>> {
    let heard = Arc::new(Heard::default());
    reader.add_listener(id.into(), GROUP.into(), heard.clone()).await?;
    // The client returns before its listen request is sent and never looks at the answer: of a change between the two
    // it hears at its next sweep, which is every 60 s. Nothing of its API tells when the request has been answered.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(heard)
}

pub(crate) async fn is_heard(heard: &Heard, expected: &str, within: Duration) -> anyhow::Result<()> {
    eventually(within, Some(expected.to_owned()), || async { Ok(heard.content()) }).await
}
