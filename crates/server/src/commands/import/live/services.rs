//! Services of a running server: the persistent ones with their instances, and what administrators set of others.

use super::{
    super::collected::{ClusterItem, Collected, InstanceItem, NO_SELECTOR, ServiceItem},
    Api, Live, PAGE, PAGE_TEXT, text,
};
use hyper::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Instances of a cluster: more than any has.
const INSTANCES: &str = "100000";

impl Live {
    pub(super) async fn services(
        &mut self,
        namespace: &str,
        collected: &mut Collected,
    ) -> anyhow::Result<()> {
        let mut ephemeral = 0_usize;
        for (group, name) in self.service_names(namespace).await? {
            let Some(service) = self.service(namespace, &group, &name).await? else { continue };
            if !service.ephemeral || service.says_something() {
                collected.services.push(service);
            } else {
                ephemeral += 1;
            }
        }
        if ephemeral > 0 {
            let what = "services of ephemeral instances are left out: their clients register them";
            collected.notes.push(format!("namespace {namespace}: {ephemeral} {what}"));
        }
        Ok(())
    }

    async fn service_names(&mut self, namespace: &str) -> anyhow::Result<Vec<(String, String)>> {
        let mut names = Vec::new();
        for page in 1.. {
            let number = page.to_string();
            let paging = [("namespaceId", namespace), ("pageNo", &number), ("pageSize", PAGE_TEXT)];
            let (path, more): (&str, &[(&str, &str)]) = match self.api {
                Api::V1 => {
                    ("/v1/ns/catalog/services", &[("hasIpCount", "false"), ("withInstances", "false")])
                }
                Api::V3 => ("/v3/admin/ns/service/list", &[("ignoreEmptyService", "false")]),
            };
            let answer = self.remote.get(path, &[&paging[..], more].concat()).await?;
            let (items, count) = match self.api {
                Api::V1 => (&answer["serviceList"], &answer["count"]),
                Api::V3 => (&answer["data"]["pageItems"], &answer["data"]["totalCount"]),
            };
            for item in items.as_array().into_iter().flatten() {
                names.push((text(item, "groupName").to_owned(), text(item, "name").to_owned()));
            }
            // A page beyond the end gives everything again in 2.x.
            let count = count.as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
            if page * PAGE >= count {
                break;
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// A service; `None` if there is none.
    pub(in super::super) async fn service(
        &mut self,
        namespace: &str,
        group: &str,
        name: &str,
    ) -> anyhow::Result<Option<ServiceItem>> {
        let grouped = format!("{group}@@{name}");
        let mut service = ServiceItem {
            namespace: namespace.to_owned(),
            group: group.to_owned(),
            name: name.to_owned(),
            selector: NO_SELECTOR.to_owned(),
            ..ServiceItem::default()
        };
        let (path, query) = match self.api {
            Api::V1 => {
                ("/v1/ns/catalog/service", vec![("namespaceId", namespace), ("serviceName", &*grouped)])
            }
            Api::V3 => (
                "/v3/admin/ns/service",
                vec![("namespaceId", namespace), ("groupName", group), ("serviceName", name)],
            ),
        };
        let answer = self.remote.ask(path, &query).await?;
        if answer.status != StatusCode::OK {
            return Ok(None);
        }
        let body = answer.json()?;
        let mut kind = None;
        match self.api {
            Api::V1 => {
                describe(&mut service, &body["service"]);
                for cluster in body["clusters"].as_array().into_iter().flatten() {
                    let name = text(cluster, "name").to_owned();
                    let ports = ("defaultCheckPort", "useIPPort4Check");
                    service.clusters.insert(name, cluster_of(cluster, ports));
                }
            }
            Api::V3 => {
                describe(&mut service, &body["data"]);
                kind = body["data"]["ephemeral"].as_bool();
                for (name, cluster) in body["data"]["clusterMap"].as_object().into_iter().flatten() {
                    let ports = ("healthyCheckPort", "useInstancePortForCheck");
                    service.clusters.insert(name.clone(), cluster_of(cluster, ports));
                }
            }
        }
        self.instances(&mut service, kind).await?;
        Ok(Some(service))
    }

    async fn instances(&mut self, service: &mut ServiceItem, kind: Option<bool>) -> anyhow::Result<()> {
        let grouped = format!("{}@@{}", service.group, service.name);
        let mut found = Vec::new();
        for cluster in service.clusters.keys() {
            let named = [("namespaceId", service.namespace.as_str()), ("clusterName", cluster)];
            let (path, more): (&str, &[(&str, &str)]) = match self.api {
                Api::V1 => (
                    "/v1/ns/catalog/instances",
                    &[("serviceName", &grouped), ("pageNo", "1"), ("pageSize", INSTANCES)],
                ),
                Api::V3 => (
                    "/v3/admin/ns/instance/list",
                    &[("groupName", &service.group), ("serviceName", &service.name)],
                ),
            };
            let answer = self.remote.ask(path, &[&named[..], more].concat()).await?;
            // The cluster went meanwhile.
            if answer.status == StatusCode::OK {
                let body = answer.json()?;
                let list = if self.api == Api::V1 { &body["list"] } else { &body["data"] };
                found.extend(list.as_array().cloned().unwrap_or_default());
            }
        }
        let is_ephemeral = |item: &Value| item["ephemeral"].as_bool() == Some(true);
        service.ephemeral = match kind {
            Some(kind) => kind,
            None if found.is_empty() => self.empty_kind(service).await?,
            None => found.iter().all(is_ephemeral),
        };
        service.instances = found.iter().filter(|item| !is_ephemeral(item)).map(instance_of).collect();
        service.instances.sort_by_key(|it| (it.cluster.clone(), it.ip.clone(), it.port));
        service.instances.dedup();
        Ok(())
    }

    /// Whether a service without instances is for ephemeral ones; only v2 tells.
    async fn empty_kind(&mut self, service: &ServiceItem) -> anyhow::Result<bool> {
        let query = [
            ("namespaceId", service.namespace.as_str()),
            ("groupName", &service.group),
            ("serviceName", &service.name),
        ];
        let answer = self.remote.ask("/v2/ns/service", &query).await?;
        let told = answer.json().ok().and_then(|body| body["data"]["ephemeral"].as_bool());
        Ok(told.unwrap_or(false))
    }
}

fn describe(service: &mut ServiceItem, item: &Value) {
    service.protection = item["protectThreshold"].as_f64().unwrap_or_default();
    service.metadata = metadata_of(&item["metadata"]);
    if text(&item["selector"], "type") == "label" {
        let expression = text(&item["selector"], "expression");
        service.selector = json!({ "type": "label", "expression": expression }).to_string();
    }
}

fn cluster_of(item: &Value, (port, use_port): (&str, &str)) -> ClusterItem {
    let standard = ClusterItem::default();
    ClusterItem {
        checker: match &item["healthChecker"] {
            Value::Null => standard.checker,
            checker => checker.to_string(),
        },
        check_port: item[port].as_u64().unwrap_or(standard.check_port),
        use_instance_port: item[use_port].as_bool().unwrap_or(standard.use_instance_port),
        metadata: metadata_of(&item["metadata"]),
    }
}

fn metadata_of(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn instance_of(item: &Value) -> InstanceItem {
    InstanceItem {
        ip: text(item, "ip").to_owned(),
        port: item["port"].as_u64().unwrap_or_default(),
        cluster: text(item, "clusterName").to_owned(),
        weight: item["weight"].as_f64().unwrap_or(1.0),
        enabled: item["enabled"].as_bool().unwrap_or(true),
        healthy: item["healthy"].as_bool().unwrap_or(true),
        metadata: metadata_of(&item["metadata"]),
    }
}
