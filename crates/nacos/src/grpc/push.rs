//! Pushes as payloads, and their ids.
//!
//! A request id is a number whose last three bits say what it is of, so that an acknowledgement finds its way back
//! whatever its type.

use super::{
    naming::{service_info, write_unfiltered},
    session::Session,
};
use crate::service_info::Query;
use muster_model::{Revision, Slot};
use muster_nacos_wire::{
    Text,
    grpc::{Payload, PushType, push},
};
use muster_node::watch::{FuzzyDelivery, FuzzyMessage, FuzzyPush, Presence, PushId, SyncKind};
use muster_node::{Node, Push, PushRef, ServiceView};

const SERVICE_REVISION: u64 = 0;
const SERVICE_SEQUENCE: u64 = 1;
const CONFIG: u64 = 2;
const FUZZY_SERVICE: u64 = 3;
const FUZZY_CONFIG: u64 = 4;
const CONTROL: u64 = 5;
const CONFIG_REVISION: u64 = 6;

/// What a request id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestOfOurs {
    /// A push of a watch.
    Push(PushRef),
    /// A detection, a reset or a question, by its number.
    Control(u64),
}

/// The request id of a message that is no push of a watch.
pub(crate) fn control_id(number: u64) -> u64 {
    number << 3 | CONTROL
}

fn id_of(push: PushRef) -> u64 {
    match push {
        PushRef::Service(PushId::Revision(revision)) => revision.0 << 3 | SERVICE_REVISION,
        PushRef::Service(PushId::Sequence(number)) => number << 3 | SERVICE_SEQUENCE,
        PushRef::Config(PushId::Sequence(number)) => number << 3 | CONFIG,
        PushRef::Config(PushId::Revision(revision)) => revision.0 << 3 | CONFIG_REVISION,
        PushRef::FuzzyService(FuzzyPush(number)) => number << 3 | FUZZY_SERVICE,
        PushRef::FuzzyConfig(FuzzyPush(number)) => number << 3 | FUZZY_CONFIG,
    }
}

/// What an acknowledged request id was of; `None` if it is none of ours.
pub(crate) fn parse_id(id: u64) -> Option<RequestOfOurs> {
    let number = id >> 3;
    let push = match id & 7 {
        SERVICE_REVISION => PushRef::Service(PushId::Revision(Revision(number))),
        SERVICE_SEQUENCE => PushRef::Service(PushId::Sequence(number)),
        CONFIG => PushRef::Config(PushId::Sequence(number)),
        CONFIG_REVISION => PushRef::Config(PushId::Revision(Revision(number))),
        FUZZY_SERVICE => PushRef::FuzzyService(FuzzyPush(number)),
        FUZZY_CONFIG => PushRef::FuzzyConfig(FuzzyPush(number)),
        CONTROL => return Some(RequestOfOurs::Control(number)),
        _ => return None,
    };
    Some(RequestOfOurs::Push(push))
}

/// The payload of a push to a client.
pub(crate) fn payload(node: &Node, session: &Session, push: &Push) -> Payload {
    match push {
        Push::Service { push, interest, view } => {
            let clusters = interest.clusters.as_deref().unwrap_or_default();
            let consumer = session.consumer_of(view);
            service(node, view, Query::all(Some(clusters), &consumer), *push)
        }
        Push::Config { push, key, interest } => {
            let tenant = interest.tenant.as_deref().map_or_else(Text::null, Text::from);
            let id = id_of(PushRef::Config(*push));
            push::config_change(id, key.data_id().as_str(), key.group().as_str(), &tenant)
        }
        Push::FuzzyService(delivery) => fuzzy_service(delivery),
        Push::FuzzyConfig(delivery) => fuzzy_config(delivery),
    }
}

/// The unfiltered view is rendered once a revision and sent to everyone; its request id is the revision.
fn service(node: &Node, view: &ServiceView, query: Query<'_>, push: PushId) -> Payload {
    let id = id_of(PushRef::Service(push));
    let is_whole = query.clusters.is_none_or(str::is_empty) && view.is_shared();
    if is_whole && push == PushId::Revision(view.revision) {
        let body = view.rendered(Slot::NacosGrpcPush, |view| {
            push::notify_subscriber_body(id, |out| write_unfiltered(out, node, view))
        });
        return Payload::new(PushType::NotifySubscriber.as_str(), body);
    }
    push::notify_subscriber(id, &service_info(node, view, query))
}

fn sync_type(kind: SyncKind) -> push::SyncType {
    match kind {
        SyncKind::Initial => push::SyncType::Init,
        SyncKind::Difference => push::SyncType::Diff,
    }
}

fn fuzzy_service(delivery: &FuzzyDelivery<muster_model::ServiceKey>) -> Payload {
    let id = id_of(PushRef::FuzzyService(delivery.push));
    match &delivery.message {
        FuzzyMessage::Sync { pattern, kind, changes, batch, batches } => {
            let keys: Vec<(String, bool)> = changes
                .iter()
                .map(|(key, presence)| (key.to_string(), *presence == Presence::Present))
                .collect();
            let batch = push::SyncBatch { sync: sync_type(*kind), pattern, total: *batches, current: *batch };
            push::naming_fuzzy_sync(id, batch, keys.iter().map(|(key, added)| (key.as_str(), *added)))
        }
        FuzzyMessage::Finished { pattern } => {
            let batch = push::SyncBatch { sync: push::SyncType::Finish, pattern, total: 1, current: 1 };
            push::naming_fuzzy_sync(id, batch, [])
        }
        FuzzyMessage::Changed { key, presence } => {
            push::naming_fuzzy_change(id, &key.to_string(), *presence == Presence::Present)
        }
    }
}

fn group_key(key: &muster_model::ConfigKey) -> String {
    push::group_key(key.data_id().as_str(), key.group().as_str(), key.namespace().as_str())
}

fn fuzzy_config(delivery: &FuzzyDelivery<muster_model::ConfigKey>) -> Payload {
    let id = id_of(PushRef::FuzzyConfig(delivery.push));
    match &delivery.message {
        FuzzyMessage::Sync { pattern, kind, changes, batch, batches } => {
            let keys: Vec<(String, bool)> = changes
                .iter()
                .map(|(key, presence)| (group_key(key), *presence == Presence::Present))
                .collect();
            let batch = push::SyncBatch { sync: sync_type(*kind), pattern, total: *batches, current: *batch };
            push::config_fuzzy_sync(id, batch, keys.iter().map(|(key, added)| (key.as_str(), *added)))
        }
        FuzzyMessage::Finished { pattern } => {
            let batch = push::SyncBatch { sync: push::SyncType::Finish, pattern, total: 0, current: 0 };
            push::config_fuzzy_sync(id, batch, [])
        }
        FuzzyMessage::Changed { key, presence } => {
            push::config_fuzzy_change(id, &group_key(key), *presence == Presence::Present)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_their_push() {
        for push in [
            PushRef::Service(PushId::Revision(Revision(7))),
            PushRef::Service(PushId::Sequence(7)),
            PushRef::Config(PushId::Sequence(7)),
            PushRef::Config(PushId::Revision(Revision(7))),
            PushRef::FuzzyService(FuzzyPush(7)),
            PushRef::FuzzyConfig(FuzzyPush(7)),
        ] {
            assert_eq!(parse_id(id_of(push)), Some(RequestOfOurs::Push(push)));
        }
        assert_eq!(parse_id(control_id(9)), Some(RequestOfOurs::Control(9)));
        assert_eq!(parse_id(7), None);
    }
}
