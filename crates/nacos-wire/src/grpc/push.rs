//! Server requests on the stream. Every body has `headers` (Rust drops it otherwise, without a word), a `requestId`
//! and a `module`; texts that are not there are left out, never null.

use super::{Payload, PushType};
use crate::{
    Text,
    json::{self, Object},
};
use bytes::Bytes;

/// `SetupAckRequest`: what this server can do. Never acknowledged, so it has no id of ours.
pub fn setup_ack<'a>(abilities: impl IntoIterator<Item = (&'a str, bool)>) -> Payload {
    let mut out = Vec::with_capacity(160);
    let mut object = Object::open(&mut out);
    object.raw("headers", b"{}");
    {
        let table = object.key("abilityTable");
        table.push(b'{');
        for (at, (ability, able)) in abilities.into_iter().enumerate() {
            if at > 0 {
                table.push(b',');
            }
            json::string(table, ability);
            table.push(b':');
            json::value(table, &able);
        }
        table.push(b'}');
    }
    object.string("module", PushType::SetupAck.module());
    object.close();
    Payload::new(PushType::SetupAck.as_str(), out)
}

/// `ClientDetectionRequest`.
pub fn client_detection(id: u64) -> Payload {
    with(PushType::ClientDetection, id, 0, |_| {})
}

/// Where a client should go.
#[derive(Clone, Copy, Debug)]
pub struct ResetTarget<'a> {
    /// Address of the server.
    pub ip: &'a str,
    /// Its main (HTTP) port.
    pub port: u16,
}

/// `ConnectResetRequest`: go to that server, or to any other. With a target it names the connection, as the original.
pub fn connect_reset(id: u64, connection: &str, target: Option<ResetTarget<'_>>) -> Payload {
    with(PushType::ConnectReset, id, 96, |object| {
        if let Some(target) = target {
            object.string("serverIp", target.ip).string("serverPort", &target.port.to_string());
            object.string("connectionId", connection);
        }
    })
}

/// `NotifySubscriberRequest` around a rendered ServiceInfo whose `clusters` are the subscriber's.
pub fn notify_subscriber(id: u64, service_info: &[u8]) -> Payload {
    with(PushType::NotifySubscriber, id, service_info.len(), |object| {
        object.raw("serviceInfo", service_info);
    })
}

/// The body of a `NotifySubscriberRequest` around the ServiceInfo that is written: the bytes worth keeping a revision
/// long, where the id is the revision's, so they take no more room than they need.
pub fn notify_subscriber_body(id: u64, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    body(PushType::NotifySubscriber, id, 512, |object| write(object.key("serviceInfo")))
}

/// `ConfigChangeNotifyRequest`, in the spelling this client listened with: a null or empty tenant is left out.
pub fn config_change(id: u64, data_id: &str, group: &str, tenant: &Text<'_>) -> Payload {
    with(PushType::ConfigChangeNotify, id, data_id.len() + group.len() + 64, |object| {
        object.string("dataId", data_id).string("group", group);
        if !tenant.is_empty() {
            object.string("tenant", tenant);
        }
    })
}

/// What a fuzzy watch message is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncType {
    /// `FUZZY_WATCH_INIT_NOTIFY`: a batch of the first sync.
    Init,
    /// `FUZZY_WATCH_DIFF_SYNC_NOTIFY`: a batch of a later sync.
    Diff,
    /// `FINISH_FUZZY_WATCH_INIT_NOTIFY`: the first sync is complete.
    Finish,
}

impl SyncType {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Init => "FUZZY_WATCH_INIT_NOTIFY",
            Self::Diff => "FUZZY_WATCH_DIFF_SYNC_NOTIFY",
            Self::Finish => "FINISH_FUZZY_WATCH_INIT_NOTIFY",
        }
    }
}

/// One batch of a fuzzy watch sync.
#[derive(Clone, Copy, Debug)]
pub struct SyncBatch<'a> {
    /// First sync or later.
    pub sync: SyncType,
    /// The pattern as the client gave it.
    pub pattern: &'a str,
    /// Number of batches.
    pub total: usize,
    /// This batch, from 1.
    pub current: usize,
}

/// `NamingFuzzyWatchSyncRequest`: `(namespace@@group@@service, added)`. The finish message has no keys and is 1/1.
pub fn naming_fuzzy_sync<'a>(
    id: u64,
    batch: SyncBatch<'_>,
    keys: impl IntoIterator<Item = (&'a str, bool)>,
) -> Payload {
    with(PushType::NamingFuzzyWatchSync, id, 1024, |object| {
        object.string("syncType", batch.sync.as_str()).string("groupKeyPattern", batch.pattern);
        contexts(object, "serviceKey", keys, naming_change);
        object.value("totalBatch", &batch.total).value("currentBatch", &batch.current);
    })
}

/// `NamingFuzzyWatchChangeNotifyRequest`: a service got its first instance, or lost its last.
pub fn naming_fuzzy_change(id: u64, service_key: &str, added: bool) -> Payload {
    with(PushType::NamingFuzzyWatchChangeNotify, id, service_key.len() + 96, |object| {
        object.string("syncType", "FUZZY_WATCH_RESOURCE_CHANGED").string("serviceKey", service_key);
        object.string("changedType", naming_change(added));
    })
}

/// `ConfigFuzzyWatchSyncRequest`: `(group key, added)`. The finish message has no `contexts` and is 0/0.
pub fn config_fuzzy_sync<'a>(
    id: u64,
    batch: SyncBatch<'_>,
    keys: impl IntoIterator<Item = (&'a str, bool)>,
) -> Payload {
    with(PushType::ConfigFuzzyWatchSync, id, 2048, |object| {
        object.string("groupKeyPattern", batch.pattern);
        if batch.sync != SyncType::Finish {
            contexts(object, "groupKey", keys, |added| if added { "ADD_CONFIG" } else { "DELETE_CONFIG" });
        }
        object.string("syncType", batch.sync.as_str());
        object.value("totalBatch", &batch.total).value("currentBatch", &batch.current);
    })
}

/// `ConfigFuzzyWatchChangeNotifyRequest`: a config appeared (the original says `CONFIG_CHANGED`) or vanished.
pub fn config_fuzzy_change(id: u64, group_key: &str, added: bool) -> Payload {
    with(PushType::ConfigFuzzyWatchChangeNotify, id, group_key.len() + 64, |object| {
        object.string("groupKey", group_key);
        object.string("changeType", if added { "CONFIG_CHANGED" } else { "DELETE_CONFIG" });
    })
}

/// The group key of a config in fuzzy watches and metrics: `dataId+group+namespace`, `+` and `%` escaped inside.
pub fn group_key(data_id: &str, group: &str, namespace: &str) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('+', "%2B");
    format!("{}+{}+{}", escape(data_id), escape(group), escape(namespace))
}

/// `ClientConfigMetricRequest`: asks for what the client holds of one config, in cache and in its snapshot.
pub fn client_config_metric(id: u64, group_key: &str) -> Payload {
    with(PushType::ClientConfigMetric, id, 2 * group_key.len() + 96, |object| {
        json::array(object.key("metricsKeys"), ["cacheData", "snapshotData"], |out, kind| {
            let mut object = Object::open(out);
            object.string("type", kind).string("key", group_key);
            object.close();
        });
    })
}

fn naming_change(added: bool) -> &'static str {
    if added { "ADD_SERVICE" } else { "DELETE_SERVICE" }
}

fn contexts<'a>(
    object: &mut Object<'_>,
    key_name: &'static str,
    keys: impl IntoIterator<Item = (&'a str, bool)>,
    change: impl Fn(bool) -> &'static str,
) {
    json::array(object.key("contexts"), keys, |out, (key, added)| {
        let mut context = Object::open(out);
        context.string(key_name, key).string("changedType", change(added));
        context.close();
    });
}

fn with(kind: PushType, id: u64, size: usize, write: impl FnOnce(&mut Object<'_>)) -> Payload {
    Payload::new(kind.as_str(), body(kind, id, size, write))
}

fn body(kind: PushType, id: u64, size: usize, write: impl FnOnce(&mut Object<'_>)) -> Bytes {
    let mut out = Vec::with_capacity(size + 96);
    let mut object = Object::open(&mut out);
    object.raw("headers", b"{}").string("requestId", &id.to_string());
    write(&mut object);
    object.string("module", kind.module());
    object.close();
    json::fitting(out)
}
