//! Making a node the only voter of its group, on a stopped node: after a quorum was lost for good, or after a backup of one
//! group was restored to a node of another.

use crate::{
    ConsensusError, Members,
    entry::encode,
    marker::Marker,
    recovery::newest_membership,
    types::{LogId, Membership, StoredMembership},
};
use muster_model::NodeId;
use muster_storage::{
    log::{Entry, EntryId, Log, Vote},
    state::StateStore,
};
use openraft::{BasicNode, EntryPayload};
use std::collections::{BTreeMap, BTreeSet};

/// The members as of the end of the log of a stopped node.
pub fn stored_members(log: &Log, state: &dyn StateStore) -> Result<Members, ConsensusError> {
    let marker = Marker::decode(state.applied()?)?;
    let log_next = log.last().map_or(0, |last| last.index + 1);
    let membership = newest_membership(&marker, &log.reader(), log_next)?;
    Ok(Members::new(&StoredMembership::new(None, membership)))
}

/// The last entry that a stopped node has.
pub fn last_entry(log: &Log, state: &dyn StateStore) -> Result<u64, ConsensusError> {
    let marker = Marker::decode(state.applied()?)?;
    Ok(log.last().map_or(0, |last| last.index).max(marker.index()))
}

/// Appends the decision that this node is the only member from now on, in a new term. Everything in its log counts as
/// committed then. Without effect where it is the only one, or where there is nothing yet; whether it had one.
///
/// Whoever else was a member must not take part any more: it would go on with the old group.
pub fn isolate(
    log: &mut Log,
    state: &dyn StateStore,
    node: NodeId,
    address: &str,
) -> Result<bool, ConsensusError> {
    let members = stored_members(log, state)?;
    let everybody: BTreeSet<_> = members.voters.union(&members.learners).copied().collect();
    if everybody.is_empty() || everybody == BTreeSet::from([node]) {
        return Ok(false);
    }
    let marker = Marker::decode(state.applied()?)?;
    let applied_term = marker.applied.map_or(0, |applied| applied.leader_id.term);
    let (last_index, last_term) =
        log.last().map_or((marker.index(), applied_term), |last| (last.index, last.term));
    if last_index < marker.index() {
        return Err(ConsensusError::Gap { applied: marker.index(), first: last_index + 1 });
    }
    let term = log.vote().map_or(0, |vote| vote.term).max(last_term).max(applied_term) + 1;
    let nodes = BTreeMap::from([(node.0, BasicNode::new(address))]);
    let alone = Membership::new(vec![BTreeSet::from([node.0])], nodes);
    let entry = Entry {
        index: last_index + 1,
        term,
        node: node.0,
        payload: encode(&EntryPayload::Membership(alone)),
    };
    log.save_vote(Vote { term, node: node.0, committed: true })?;
    if let (None, Some(applied)) = (log.last(), marker.applied) {
        // A backup has no log: it goes on after what the snapshot covers.
        let LogId { leader_id, index } = applied;
        log.purge_to(EntryId { index, term: leader_id.term, node: leader_id.node_id })?;
    }
    log.append(&[entry])?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use muster_runtime::disk::{Disk as _, MemoryDisk};
    use muster_storage::{log::LogSettings, state::MemoryStore};
    use std::{path::Path, sync::Arc};

    fn three() -> Membership {
        let nodes = (1..4).map(|node| (node, BasicNode::new(format!("n{node}")))).collect::<BTreeMap<_, _>>();
        Membership::new(vec![nodes.keys().copied().collect()], nodes)
    }

    fn open(disk: &MemoryDisk) -> Log {
        Log::open(Arc::new(disk.clone()), Path::new("/log"), LogSettings::default()).unwrap().0
    }

    fn disk() -> MemoryDisk {
        let disk = MemoryDisk::new();
        disk.create_dir_all(Path::new("/log")).unwrap();
        disk
    }

    #[test]
    fn one_of_three_stands_alone_in_a_new_term() {
        let disk = disk();
        let mut log = open(&disk);
        let state = MemoryStore::new();
        assert!(!isolate(&mut log, &state, NodeId(2), "n2").unwrap(), "there is nothing yet");
        let payload = encode(&EntryPayload::Membership(three()));
        log.append(&[Entry { index: 0, term: 0, node: 0, payload }]).unwrap();
        log.append(&[Entry { index: 1, term: 4, node: 3, payload: Bytes::from_static(b"\x01\0") }]).unwrap();
        log.save_vote(Vote { term: 6, node: 1, committed: false }).unwrap();
        assert_eq!(stored_members(&log, &state).unwrap().voters.len(), 3);
        assert!(isolate(&mut log, &state, NodeId(2), "n2").unwrap());
        drop(log);
        let mut log = open(&disk);
        let members = stored_members(&log, &state).unwrap();
        assert_eq!((members.voters, members.learners), (BTreeSet::from([NodeId(2)]), BTreeSet::new()));
        let last = log.last().unwrap();
        assert_eq!((last.index, last.term, last.node), (2, 7, 2));
        assert!(!isolate(&mut log, &state, NodeId(2), "n2").unwrap(), "once is enough");
    }

    #[test]
    fn what_a_backup_of_three_left_stands_alone() {
        let disk = disk();
        let mut log = open(&disk);
        let state = MemoryStore::new();
        let marker = Marker {
            applied: Some(crate::codec::log_id(5, 3, 40)),
            membership: StoredMembership::new(None, three()),
            ..Marker::default()
        };
        state.commit(&[], &marker.encode()).unwrap();
        assert!(isolate(&mut log, &state, NodeId(1), "").unwrap());
        let last = log.last().unwrap();
        assert_eq!((last.index, last.term), (41, 6));
        assert_eq!(stored_members(&log, &state).unwrap().voters, BTreeSet::from([NodeId(1)]));
    }
}
