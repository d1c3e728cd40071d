//! Registration, discovery and subscription; one client registers, another looks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use nacos_sdk::api::naming::{NamingChangeEvent, NamingEventListener, NamingService, ServiceInstance};

use crate::checks::{Checks, SOON, equal, eventually};
use crate::unique;

struct Naming {
    provider: NamingService,
    consumer: NamingService,
}

/// Keeps the newest list that it was told, and counts the calls.
#[derive(Default)]
pub(crate) struct Told {
    list: Mutex<Option<String>>,
    calls: AtomicU64,
}

impl Told {
    pub(crate) fn list(&self) -> Option<String> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl NamingEventListener for Told {
    fn event(&self, event: Arc<NamingChangeEvent>) {
        let shown = show(event.instances.clone().unwrap_or_default());
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) async fn run(checks: &mut Checks, provider: NamingService, consumer: NamingService) {
    let naming = Naming { provider, consumer };
    checks.check("register", naming.register()).await;
    checks.check("batch", naming.batch()).await;
    checks.check("clusters", naming.clusters()).await;
    checks.check("groups", naming.groups()).await;
    checks.check("disabled", naming.disabled()).await;
    checks.check("persistent", naming.persistent()).await;
    checks.check("subscribe", naming.subscribe()).await;
    checks.check("unsubscribe", naming.unsubscribe()).await;
    checks.check("deregister", naming.deregister()).await;
    checks.check("names", naming.names()).await;
    checks.check("list", naming.list()).await;
}

impl Naming {
    async fn register(&self) -> anyhow::Result<()> {
        let service = unique("register");
        let mut given = instance("10.1.0.1", 8001);
        given.weight = 2.5;
        given.cluster_name = Some("EAST".into());
        given.metadata = HashMap::from([("version".into(), "1.0".into()), ("zone".into(), "甲".into())]);
        self.provider.register_instance(service.clone(), None, given.clone()).await?;
        self.shows("[10.1.0.1:8001]", &service, None, &[]).await?;
        let found = self.consumer.get_all_instances(service, None, Vec::new(), false).await?;
        let seen = found.first().context("no instance")?;
        equal((2.5, Some(&"EAST".to_owned())), (seen.weight, seen.cluster_name()))?;
        equal(&given.metadata, &seen.metadata)?;
        ensure!(seen.healthy && seen.enabled && seen.ephemeral, "expected a healthy, enabled, ephemeral one");
        Ok(())
    }

    async fn batch(&self) -> anyhow::Result<()> {
        let service = unique("batch");
        let three = vec![instance("10.1.1.1", 1), instance("10.1.1.2", 2), instance("10.1.1.3", 3)];
        self.provider.batch_register_instance(service.clone(), None, three).await?;
        self.shows("[10.1.1.1:1, 10.1.1.2:2, 10.1.1.3:3]", &service, None, &[]).await
    }

    async fn clusters(&self) -> anyhow::Result<()> {
        let service = unique("clusters");
        let (mut a, mut b) = (instance("10.1.2.1", 1), instance("10.1.2.2", 2));
        (a.cluster_name, b.cluster_name) = (Some("A".into()), Some("B".into()));
        self.provider.register_instance(service.clone(), None, a).await?;
        self.consumer.register_instance(service.clone(), None, b).await?;
        self.shows("[10.1.2.1:1, 10.1.2.2:2]", &service, None, &[]).await?;
        self.shows("[10.1.2.1:1]", &service, None, &["A"]).await?;
        self.shows("[10.1.2.2:2]", &service, None, &["B"]).await
    }

    async fn groups(&self) -> anyhow::Result<()> {
        let service = unique("groups");
        self.provider
            .register_instance(service.clone(), Some("blue".into()), instance("10.1.3.1", 1))
            .await?;
        self.provider
            .register_instance(service.clone(), Some("green".into()), instance("10.1.3.2", 2))
            .await?;
        self.shows("[10.1.3.1:1]", &service, Some("blue"), &[]).await?;
        self.shows("[10.1.3.2:2]", &service, Some("green"), &[]).await?;
        self.shows("[]", &service, None, &[]).await
    }

    async fn disabled(&self) -> anyhow::Result<()> {
        let service = unique("disabled");
        let mut off = instance("10.1.4.1", 1);
        off.enabled = false;
        self.provider.register_instance(service.clone(), None, off).await?;
        self.consumer.register_instance(service.clone(), None, instance("10.1.4.2", 2)).await?;
        let select = || self.consumer.select_instances(service.clone(), None, Vec::new(), false, true);
        let selected = || async { Ok(show(select().await?)) };
        eventually(SOON, "[10.1.4.2:2]".to_owned(), selected).await
    }

    async fn persistent(&self) -> anyhow::Result<()> {
        let service = unique("persistent");
        let mut durable = instance("10.1.5.1", 1);
        durable.ephemeral = false;
        self.provider.register_instance(service.clone(), None, durable.clone()).await?;
        self.shows("[10.1.5.1:1]", &service, None, &[]).await?;
        let found = self.consumer.get_all_instances(service.clone(), None, Vec::new(), false).await?;
        equal(Some(false), found.first().map(|seen| seen.ephemeral))?;
        self.provider.deregister_instance(service.clone(), None, durable).await?;
        self.shows("[]", &service, None, &[]).await
    }

    async fn subscribe(&self) -> anyhow::Result<()> {
        let service = unique("subscribe");
        let told = Arc::new(Told::default());
        self.consumer.subscribe(service.clone(), None, Vec::new(), told.clone()).await?;
        let mut one = instance("10.1.6.1", 1);
        self.provider.register_instance(service.clone(), None, one.clone()).await?;
        is_told(&told, "[10.1.6.1:1]").await?;
        one.metadata.insert("colour".into(), "red".into());
        self.provider.register_instance(service.clone(), None, one.clone()).await?;
        is_told(&told, "[10.1.6.1:1 red]").await?;
        self.consumer.register_instance(service.clone(), None, instance("10.1.6.2", 2)).await?;
        is_told(&told, "[10.1.6.1:1 red, 10.1.6.2:2]").await?;
        self.provider.deregister_instance(service.clone(), None, one).await?;
        is_told(&told, "[10.1.6.2:2]").await
    }

    async fn unsubscribe(&self) -> anyhow::Result<()> {
        let service = unique("unsubscribe");
        let told = Arc::new(Told::default());
        self.consumer.subscribe(service.clone(), None, Vec::new(), told.clone()).await?;
        self.provider.register_instance(service.clone(), None, instance("10.1.7.1", 1)).await?;
        is_told(&told, "[10.1.7.1:1]").await?;
        self.consumer.unsubscribe(service.clone(), None, Vec::new(), told.clone()).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = told.calls.load(Ordering::SeqCst);
        self.provider.register_instance(service.clone(), None, instance("10.1.7.2", 2)).await?;
        self.shows("[10.1.7.2:2]", &service, None, &[]).await?;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        equal(before, told.calls.load(Ordering::SeqCst))
    }

    async fn deregister(&self) -> anyhow::Result<()> {
        let service = unique("deregister");
        self.provider.register_instance(service.clone(), None, instance("10.1.8.1", 1)).await?;
        self.consumer.register_instance(service.clone(), None, instance("10.1.8.2", 2)).await?;
        self.shows("[10.1.8.1:1, 10.1.8.2:2]", &service, None, &[]).await?;
        self.provider.deregister_instance(service.clone(), None, instance("10.1.8.1", 1)).await?;
        self.shows("[10.1.8.2:2]", &service, None, &[]).await
    }

    async fn names(&self) -> anyhow::Result<()> {
        for name in ["com.acme:orders:1.0:", "a+b%2F&d=e#f?g", "providers:x.Y::", "Größe-ñ"] {
            let (service, group) = (unique(name), "g.r_o-u:p".to_owned());
            self.provider
                .register_instance(service.clone(), Some(group.clone()), instance("10.1.9.1", 1))
                .await?;
            self.shows("[10.1.9.1:1]", &service, Some(&group), &[]).await?;
        }
        Ok(())
    }

    async fn list(&self) -> anyhow::Result<()> {
        let group = unique("list");
        for name in ["one", "two"] {
            self.provider
                .register_instance(name.into(), Some(group.clone()), instance("10.1.10.1", 1))
                .await?;
        }
        let listed = || async {
            let (mut names, count) = self.consumer.get_service_list(1, 10, Some(group.clone())).await?;
            names.sort();
            Ok((names, count))
        };
        eventually(SOON, (vec!["one".to_owned(), "two".to_owned()], 2), listed).await
    }

    async fn shows(
        &self,
        expected: &str,
        service: &str,
        group: Option<&str>,
        clusters: &[&str],
    ) -> anyhow::Result<()> {
        let clusters: Vec<String> = clusters.iter().map(|name| (*name).to_owned()).collect();
        let look = || async {
            let group = group.map(str::to_owned);
            let found =
                self.consumer.get_all_instances(service.to_owned(), group, clusters.clone(), false).await?;
            Ok(show(found))
        };
        eventually(SOON, expected.to_owned(), look).await
    }
}

async fn is_told(told: &Told, expected: &str) -> anyhow::Result<()> {
    eventually(SOON, Some(expected.to_owned()), || async { Ok(told.list()) }).await
}

pub(crate) fn show(instances: Vec<ServiceInstance>) -> String {
    let line = |instance: &ServiceInstance| {
        let colour = instance.metadata.get("colour").map_or("", String::as_str);
        format!("{} {colour}", instance.ip_and_port()).trim().to_owned()
    };
    let mut shown: Vec<String> = instances.iter().map(line).collect();
    shown.sort();
    format!("[{}]", shown.join(", "))
}

pub(crate) fn instance(ip: &str, port: i32) -> ServiceInstance {
    ServiceInstance { ip: ip.into(), port, ..ServiceInstance::default() }
}
