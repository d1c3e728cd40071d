//! Writing into a node, as any client does, and what came of each thing.

use super::{
    collected::{AccountItem, ClusterItem, Collected, ConfigItem, InstanceItem, NamespaceItem, ServiceItem},
    live::Live,
    remote::{Answer, Remote, short},
    report::{Outcome, Report},
};
use anyhow::{Context, bail};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

/// Bytes of contents in one request, unless one config has more.
const REQUEST_BYTES_MAX: usize = 4 << 20;
/// Configs in one request.
const REQUEST_CONFIGS_MAX: usize = 256;

/// How to write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) overwrite: bool,
    pub(super) dry_run: bool,
}

pub(super) struct Target {
    /// Reads what is there in the same way as a source.
    node: Live,
    options: Options,
    report: Report,
}

impl Target {
    pub(super) fn new(remote: Remote, options: Options) -> Self {
        Self { node: Live::third(remote), options, report: Report::new(options.dry_run) }
    }

    /// Writes everything; what can't be there is in the report.
    pub(super) async fn write(mut self, collected: Collected) -> anyhow::Result<Report> {
        self.report.notes = collected.notes;
        self.namespaces(&collected.namespaces).await?;
        self.configs(collected.configs.into_values().collect()).await?;
        for service in &collected.services {
            self.service(service).await.with_context(|| format!("service {}", title(service)))?;
        }
        self.accounts(&collected.accounts).await?;
        Ok(self.report)
    }

    async fn namespaces(&mut self, wanted: &[NamespaceItem]) -> anyhow::Result<()> {
        let there = self.node.namespaces().await?;
        for item in wanted.iter().filter(|item| item.id != "public") {
            let here = there.iter().find(|namespace| namespace.id == item.id);
            let differs: Vec<String> = match here {
                None => Vec::new(),
                Some(here) => different(&[
                    ("name", here.name != item.name),
                    ("description", here.description != item.description),
                ]),
            };
            let form = [
                ("namespaceId", item.id.as_str()),
                ("namespaceName", &item.name),
                ("namespaceDesc", &item.description),
            ];
            let path = "/v3/admin/core/namespace";
            let outcome = self.put(here.is_some(), differs, path, &form).await?;
            self.report.add("namespace", &item.id, outcome);
        }
        Ok(())
    }

    /// Creates what is not there, and replaces what differs if that is wanted.
    async fn put(
        &mut self,
        is_there: bool,
        differs: Vec<String>,
        path: &str,
        form: &[(&str, &str)],
    ) -> anyhow::Result<Outcome> {
        let (method, outcome) = match (is_there, differs.is_empty()) {
            (false, _) => (Method::POST, Outcome::Created),
            (true, true) => return Ok(Outcome::Same),
            (true, false) if !self.options.overwrite => return Ok(Outcome::Differs(differs)),
            (true, false) => (Method::PUT, Outcome::Replaced(differs)),
        };
        if self.options.dry_run {
            return Ok(outcome);
        }
        let answer = self.node.remote.write(method, path, form).await?;
        settled(&answer, outcome)
    }

    async fn configs(&mut self, configs: Vec<ConfigItem>) -> anyhow::Result<()> {
        let mut batch: Vec<ConfigItem> = Vec::new();
        let mut bytes = 0;
        for config in configs {
            for part in parts(config) {
                let size = size(&part);
                if !batch.is_empty()
                    && (bytes + size > REQUEST_BYTES_MAX || batch.len() >= REQUEST_CONFIGS_MAX)
                {
                    self.send_configs(std::mem::take(&mut batch)).await?;
                    bytes = 0;
                }
                // The parts of a config go one after the other.
                if batch.last().is_some_and(|last| name(last) == name(&part)) {
                    self.send_configs(std::mem::take(&mut batch)).await?;
                    bytes = 0;
                }
                bytes += size;
                batch.push(part);
            }
        }
        self.send_configs(batch).await
    }

    async fn send_configs(&mut self, batch: Vec<ConfigItem>) -> anyhow::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let answer = self.post("configs", &batch).await?;
        for (config, told) in batch.iter().zip(items(&answer, batch.len())?) {
            let name = name(config);
            if told["result"] == "refused" {
                self.report.add("config", &name, Outcome::Refused(said(&told["why"])));
                continue;
            }
            let versions = told["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
            for (version, told) in config.versions.iter().zip(versions) {
                match &version.gray {
                    None => self.report.add("config", &name, Outcome::of(told)),
                    Some(gray) => {
                        self.report.add("gray version", &format!("{name} {}", gray.name), Outcome::of(told));
                    }
                }
            }
            let history = |key: &str| {
                told["history"][key].as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or_default()
            };
            self.report.count("history entry", &Outcome::Created, history("added"));
            self.report.count("history entry", &Outcome::Same, history("same"));
            self.report.count("history entry", &Outcome::TooOld, history("beyond"));
            for (key, why) in [
                ("late", "history entries: the config, or a later history of it, is here already"),
                ("refused", "history entries can't be kept: blank, too long, or malformed"),
            ] {
                let count = history(key);
                if count > 0 {
                    self.report.count("history entry", &Outcome::Left(String::new()), count);
                    self.report.notes.push(format!("{name}: {count} {why}"));
                }
            }
        }
        Ok(())
    }

    async fn accounts(&mut self, accounts: &[AccountItem]) -> anyhow::Result<()> {
        for batch in accounts.chunks(REQUEST_CONFIGS_MAX) {
            let answer = self.post("accounts", batch).await?;
            for (account, told) in batch.iter().zip(items(&answer, batch.len())?) {
                let (kind, name) = account.named();
                self.report.add(kind, &name, Outcome::of(told));
            }
        }
        if !accounts.is_empty() {
            let note = "users, roles and permissions are kept, and nothing asks for them: this version has no \
                access control";
            self.report.notes.push(note.to_owned());
        }
        Ok(())
    }

    async fn post<T: serde::Serialize>(&mut self, what: &str, items: &[T]) -> anyhow::Result<Value> {
        let Options { overwrite, dry_run } = self.options;
        let body =
            serde_json::to_vec(&json!({ "overwrite": overwrite, "dry_run": dry_run, "items": items }))?;
        self.node.remote.post_json(&format!("/muster/v1/import/{what}"), body).await
    }

    async fn service(&mut self, item: &ServiceItem) -> anyhow::Result<()> {
        let here = self.node.service(&item.namespace, &item.group, &item.name).await?;
        let differs = here.as_ref().map_or_else(Vec::new, |here| {
            different(&[
                ("kind", here.ephemeral != item.ephemeral),
                ("threshold", (here.protection - item.protection).abs() > 1e-6),
                ("metadata", here.metadata != item.metadata),
                ("selector", here.selector != item.selector),
            ])
        });
        let metadata = serde_json::to_string(&item.metadata)?;
        let (protection, ephemeral) = (item.protection.to_string(), item.ephemeral.to_string());
        let form = [
            ("namespaceId", item.namespace.as_str()),
            ("groupName", &item.group),
            ("serviceName", &item.name),
            ("ephemeral", &ephemeral),
            ("protectThreshold", &protection),
            ("metadata", &metadata),
            ("selector", &item.selector),
        ];
        let outcome = self.put(here.is_some(), differs, "/v3/admin/ns/service", &form).await?;
        let is_refused = matches!(outcome, Outcome::Refused(_));
        self.report.add("service", &title(item), outcome);
        if is_refused {
            return Ok(());
        }
        for (name, cluster) in &item.clusters {
            let there = here.as_ref().and_then(|here| here.clusters.get(name));
            self.cluster(item, (name, cluster), there).await?;
        }
        for instance in &item.instances {
            let there = here.as_ref().and_then(|here| {
                here.instances.iter().find(|it| {
                    (&it.ip, it.port, &it.cluster) == (&instance.ip, instance.port, &instance.cluster)
                })
            });
            self.instance(item, instance, there).await?;
        }
        Ok(())
    }

    async fn cluster(
        &mut self,
        service: &ServiceItem,
        (name, cluster): (&str, &ClusterItem),
        here: Option<&ClusterItem>,
    ) -> anyhow::Result<()> {
        // One that nobody described is there with its first instance.
        if here.is_none() && *cluster == ClusterItem::default() {
            return Ok(());
        }
        let differs = here.map_or_else(Vec::new, |here| {
            different(&[
                ("health check", here.checker != cluster.checker),
                ("checked port", here.check_port != cluster.check_port),
                ("use of the instance's port", here.use_instance_port != cluster.use_instance_port),
                ("metadata", here.metadata != cluster.metadata),
            ])
        });
        let outcome = match here {
            Some(_) if differs.is_empty() => Outcome::Same,
            // What nobody ever described is no conflict.
            Some(here) if !self.options.overwrite && *here != ClusterItem::default() => {
                Outcome::Differs(differs)
            }
            Some(_) => Outcome::Replaced(differs),
            None => Outcome::Created,
        };
        let outcome = match outcome {
            Outcome::Created | Outcome::Replaced(_) if !self.options.dry_run => {
                let metadata = serde_json::to_string(&cluster.metadata)?;
                let (port, use_port) =
                    (cluster.check_port.to_string(), cluster.use_instance_port.to_string());
                let form = [
                    ("namespaceId", service.namespace.as_str()),
                    ("groupName", &service.group),
                    ("serviceName", &service.name),
                    ("clusterName", name),
                    ("checkPort", &port),
                    ("useInstancePort4Check", &use_port),
                    ("healthChecker", &cluster.checker),
                    ("metadata", &metadata),
                ];
                settled(&self.node.remote.write(Method::PUT, "/v3/admin/ns/cluster", &form).await?, outcome)?
            }
            outcome => outcome,
        };
        self.report.add("cluster", &format!("{} {name}", title(service)), outcome);
        Ok(())
    }

    async fn instance(
        &mut self,
        service: &ServiceItem,
        instance: &InstanceItem,
        here: Option<&InstanceItem>,
    ) -> anyhow::Result<()> {
        let differs = here.map_or_else(Vec::new, |here| {
            different(&[
                ("weight", (here.weight - instance.weight).abs() > 1e-9),
                ("enabled", here.enabled != instance.enabled),
                ("metadata", here.metadata != instance.metadata),
            ])
        });
        let metadata = serde_json::to_string(&instance.metadata)?;
        let (port, weight) = (instance.port.to_string(), instance.weight.to_string());
        let (enabled, healthy) = (instance.enabled.to_string(), instance.healthy.to_string());
        let form = [
            ("namespaceId", service.namespace.as_str()),
            ("groupName", &service.group),
            ("serviceName", &service.name),
            ("ip", &instance.ip),
            ("port", &port),
            ("clusterName", &instance.cluster),
            ("weight", &weight),
            ("enabled", &enabled),
            ("healthy", &healthy),
            ("metadata", &metadata),
            ("ephemeral", "false"),
        ];
        let outcome = self.put(here.is_some(), differs, "/v3/admin/ns/instance", &form).await?;
        let name = format!("{} {}:{}@{}", title(service), instance.ip, instance.port, instance.cluster);
        self.report.add("instance", &name, outcome);
        Ok(())
    }
}

/// A config in requests that are not too long: its history first.
fn parts(mut config: ConfigItem) -> Vec<ConfigItem> {
    let bare = ConfigItem {
        namespace: config.namespace.clone(),
        group: config.group.clone(),
        data_id: config.data_id.clone(),
        ..ConfigItem::default()
    };
    let mut parts = Vec::new();
    let mut part = bare.clone();
    let mut bytes = 0;
    config.history.sort_by_key(|entry| entry.time);
    for entry in config.history.drain(..) {
        bytes += entry.version.content.len();
        if bytes > REQUEST_BYTES_MAX && !part.history.is_empty() {
            parts.push(std::mem::replace(&mut part, bare.clone()));
            bytes = entry.version.content.len();
        }
        part.history.push(entry);
    }
    for version in config.versions {
        bytes += version.content.len();
        if bytes > REQUEST_BYTES_MAX && !(part.history.is_empty() && part.versions.is_empty()) {
            parts.push(std::mem::replace(&mut part, bare.clone()));
            bytes = version.content.len();
        }
        part.versions.push(version);
    }
    parts.push(part);
    parts
}

fn size(config: &ConfigItem) -> usize {
    let versions = config.versions.iter().map(|version| version.content.len());
    let history = config.history.iter().map(|entry| entry.version.content.len());
    versions.chain(history).sum()
}

fn name(config: &ConfigItem) -> String {
    format!("{}/{}/{}", config.namespace, config.group, config.data_id)
}

fn title(service: &ServiceItem) -> String {
    format!("{}/{}/{}", service.namespace, service.group, service.name)
}

fn different(fields: &[(&str, bool)]) -> Vec<String> {
    fields.iter().filter(|(_, differs)| *differs).map(|(field, _)| (*field).to_owned()).collect()
}

fn items(answer: &Value, wanted: usize) -> anyhow::Result<&[Value]> {
    match answer["items"].as_array() {
        Some(items) if items.len() == wanted => Ok(items),
        Some(_) | None => bail!("the node's answer has not one item for each that was sent"),
    }
}

fn said(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What the answer to a write came to: what was refused for what it is stays refused, everything else ends the import.
fn settled(answer: &Answer, outcome: Outcome) -> anyhow::Result<Outcome> {
    match answer.status {
        StatusCode::OK => Ok(outcome),
        status if status.is_client_error() => Ok(Outcome::Refused(short(&message(answer)))),
        status => bail!("the node answered {status}: {}", short(&answer.text())),
    }
}

/// The words of an error: v3 has them in `data`.
fn message(answer: &Answer) -> String {
    let body = answer.json().unwrap_or_default();
    match (&body["data"], &body["message"]) {
        (Value::String(text), _) | (_, Value::String(text)) => text.clone(),
        _ => answer.text(),
    }
}
