//! Tasks into the items of a batch, and what each answer asks us to do.

use super::queue::{Key, Task};
use crate::wire::{self, BatchAction, BatchItem, BatchReply, Declared, Shown};
use muster_model::{EurekaStatus, EurekaTimes, Timestamp};
use muster_node::registry::EurekaShown;
use std::sync::Arc;

/// A task with what it is about.
pub(super) struct Item {
    pub(super) task: Task,
    shown: Option<Arc<EurekaShown>>,
}

impl Item {
    /// `None` if there is nothing to say any more: the instance is gone (its cancellation is a task of its own), or the
    /// override of a status update is.
    pub(super) fn new(task: Task, find: impl FnOnce(&Key) -> Option<Arc<EurekaShown>>) -> Option<Self> {
        if task.action == BatchAction::Cancel {
            return Some(Self { task, shown: None });
        }
        let shown = find(&task.key)?;
        let is_overridden = shown.overridden != EurekaStatus::Unknown;
        let is_void = match task.action {
            BatchAction::StatusUpdate => !is_overridden,
            BatchAction::DeleteStatusOverride => is_overridden,
            BatchAction::Register | BatchAction::Heartbeat | BatchAction::Cancel => false,
        };
        (!is_void).then_some(Self { task, shown: Some(shown) })
    }

    /// The item as real servers write it (recorded: a heartbeat has no instance, a cancellation only its name).
    fn wire(&self) -> (BatchItem, Option<Shown<'_>>) {
        let Key { app, id } = &self.task.key;
        let mut item = BatchItem::new(&**app, &**id, self.task.action);
        let Some(shown) = &self.shown else { return (item, None) };
        item.last_dirty = Some(shown.last_dirty);
        item.status = Some(declared(shown));
        if shown.overridden != EurekaStatus::Unknown && self.task.action == BatchAction::Heartbeat {
            item.overridden = Some(shown.overridden);
        }
        let whole = (self.task.action == BatchAction::Register).then(|| copy(shown));
        (item, whole)
    }
}

/// The body of a batch.
pub(super) fn body(items: &[Item]) -> Vec<u8> {
    let written: Vec<(BatchItem, Option<Shown<'_>>)> = items.iter().map(Item::wire).collect();
    wire::write_batch(written.iter().map(|(item, whole)| (item, *whole)))
}

/// The status without what a lease did to it: a peer has leases of its own.
fn declared(shown: &EurekaShown) -> EurekaStatus {
    if shown.overridden == EurekaStatus::Unknown { shown.instance.status } else { shown.overridden }
}

/// An instance as a registration carries it: without the times of our lease (recorded).
fn copy(shown: &EurekaShown) -> Shown<'_> {
    const NEVER: Timestamp = Timestamp(0);
    Shown {
        instance: &shown.instance,
        status: declared(shown),
        overridden: shown.overridden,
        action: shown.action,
        times: EurekaTimes {
            registered: NEVER,
            renewed: NEVER,
            evicted: NEVER,
            service_up: NEVER,
            updated: shown.times.updated,
        },
        last_dirty: shown.last_dirty,
    }
}

/// What follows from the answer to one item.
#[derive(Debug)]
pub(super) enum Follow {
    /// Nothing.
    Nothing,
    /// The peer does not know the instance: register it there.
    Register,
    /// The peer's copy is newer: take it over.
    TakeOver(Box<Declared>),
    /// The peer could not do it, and could not if it were asked again.
    Failed(u16),
}

/// Judges an answer (`PeerEurekaNode.heartbeat`, `ReplicationTaskProcessor`).
pub(super) fn follow(action: BatchAction, reply: BatchReply) -> Follow {
    match (reply.status, reply.instance) {
        (200..=299, _) => Follow::Nothing,
        (404, _) if action == BatchAction::Cancel => Follow::Nothing,
        (404, _) if action != BatchAction::Register => Follow::Register,
        (409, Some(copy)) => Follow::TakeOver(Box::new(copy)),
        (status, _) => Follow::Failed(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_followed_by_what_real_servers_do() {
        let reply = |status| BatchReply { status, instance: None };
        assert!(matches!(follow(BatchAction::Heartbeat, reply(200)), Follow::Nothing));
        assert!(matches!(follow(BatchAction::Heartbeat, reply(404)), Follow::Register));
        assert!(matches!(follow(BatchAction::StatusUpdate, reply(404)), Follow::Register));
        assert!(matches!(follow(BatchAction::Cancel, reply(404)), Follow::Nothing));
        assert!(matches!(follow(BatchAction::Heartbeat, reply(409)), Follow::Failed(409)));
        assert!(matches!(follow(BatchAction::Register, reply(500)), Follow::Failed(500)));
    }
}
