//! Listening to configs by a held request.

use crate::http::{Http, call::Call, refuse, reply::Reply, trouble::Trouble};
use muster_model::{ConfigKey, ErrorCode};
use muster_nacos_wire::{
    config_key,
    http::{
        Answer, ListenRecord, ProbeError, Refusal, changed_text, error_page, hold_ms, listening_configs,
        no_cache_headers, old_changed_text, wants_probe_header,
    },
};
use muster_node::{ConfigInterest, NodeError, Watcher, WatcherKind, config::ClientLabels, watch::WatchError};
use std::time::Duration;

/// The longest time a request is held, whatever it asks for; its client comes again at once.
const HOLD_MAX: Duration = Duration::from_secs(300);

/// The configs of one request, and who listens.
struct Listening<'a> {
    http: &'a Http,
    labels: ClientLabels,
    configs: Vec<(ConfigKey, ListenRecord)>,
}

impl<'a> Listening<'a> {
    fn of(http: &'a Http, call: &Call, records: Vec<ListenRecord>) -> Result<Self, Refusal> {
        let keyed = records.into_iter().map(|record| {
            let tenant = record.tenant.as_deref().unwrap_or_default();
            let key = config_key(tenant, &record.group, &record.data_id).map_err(Refusal::Filter)?;
            // The texts of the config, if it exists: thousands may wait for the same one.
            let key = http.node.config(&key).map_or(key, |config| config.key().clone());
            Ok((key, record))
        });
        Ok(Self { http, labels: call.labels(), configs: keyed.collect::<Result<_, Refusal>>()? })
    }

    /// Whether this client gets something else than it has.
    fn differs(&self, key: &ConfigKey, record: &ListenRecord) -> bool {
        match self.http.node.config_md5(key, &self.labels) {
            Some(md5) => !md5.matches(&record.md5),
            None => !record.md5.is_empty(),
        }
    }

    /// What differs of all.
    fn changed(&self) -> Vec<&ListenRecord> {
        self.configs
            .iter()
            .filter(|(key, record)| self.differs(key, record))
            .map(|(_, record)| record)
            .collect()
    }

    /// What differs of the configs that the watcher is told of.
    fn told(&self, watcher: &Watcher) -> Vec<&ListenRecord> {
        let told = watcher.take_configs();
        let of_told = self.configs.iter().filter(|(key, _)| told.contains(key));
        of_told.filter(|(key, record)| self.differs(key, record)).map(|(_, record)| record).collect()
    }

    fn watch(&self) -> Result<Watcher, WatchError> {
        let watcher = self.http.node.open_watcher(WatcherKind::LongPoll);
        watcher.set_address(&self.labels.ip);
        for (key, record) in &self.configs {
            watcher.watch_config(key, ConfigInterest { tenant: None, md5: record.md5() })?;
        }
        Ok(watcher)
    }

    /// Holds the request until something changes for this client; empty after the time or when the server drains.
    async fn hold(&self, time: Duration) -> Result<Vec<&ListenRecord>, WatchError> {
        // Watching first and comparing then loses no change between the two.
        let watcher = self.watch()?;
        let changed = self.changed();
        if !changed.is_empty() {
            return Ok(changed);
        }
        let elapsed = tokio::time::sleep(time);
        tokio::pin!(elapsed);
        loop {
            tokio::select! {
                () = watcher.woken() => {
                    let changed = self.told(&watcher);
                    if !changed.is_empty() {
                        return Ok(changed);
                    }
                }
                () = &mut elapsed => return Ok(Vec::new()),
                () = self.http.draining.cancelled() => return Ok(Vec::new()),
            }
        }
    }
}

impl Http {
    /// `POST configs/listener`: with the header `Long-Pulling-Timeout` the answer is held until there is one, else it
    /// comes at once, in headers.
    pub(super) async fn listen_to_configs(&self, call: &Call) -> Result<Reply, Trouble> {
        let records = match listening_configs(call.parameters.get("Listening-Configs")) {
            Ok(records) => records,
            Err(ProbeError::Incomplete) => {
                return Err(refuse(ErrorCode::InvalidParameter, "invalid probeModify"));
            }
            Err(ProbeError::Malformed) => {
                let now = self.node.now().wall;
                return Ok(error_page(500, "invalid probeModify", &call.full_path, now).into());
            }
        };
        let listening = Listening::of(self, call, records)?;
        let Some(hold) = hold_ms(call.header("Long-Pulling-Timeout")) else {
            return Ok(at_once(&listening.changed(), call.header("Client-Version")));
        };
        let is_held = call.header("Long-Pulling-Timeout-No-Hangup") != Some("true")
            // A record without its end is no record.
            && !listening.configs.is_empty();
        let changed = if is_held {
            let time = Duration::from_millis(hold).min(HOLD_MAX);
            listening.hold(time).await.map_err(|error| Trouble::from(NodeError::from(error)))?
        } else {
            listening.changed()
        };
        let body = if changed.is_empty() { String::new() } else { changed_text(changed) + "\n" };
        Ok(Reply::from(Answer::config(200, body)).with_headers(no_cache_headers()))
    }
}

/// The answer to clients that do not wait.
fn at_once(changed: &[&ListenRecord], client_version: Option<&str>) -> Reply {
    let reply = Reply::from(Answer::config(200, "")).with_headers(no_cache_headers());
    if !wants_probe_header(client_version) {
        return reply;
    }
    reply.with_headers([
        ("Probe-Modify-Response", old_changed_text(changed.iter().copied())),
        ("Probe-Modify-Response-New", changed_text(changed.iter().copied())),
    ])
}
