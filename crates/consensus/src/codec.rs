//! Reading and writing little-endian numbers and length-prefixed bytes; and what is made of them alone.

use crate::types::{LogId, Membership, StoredMembership};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use openraft::{BasicNode, CommittedLeaderId};
use std::collections::{BTreeMap, BTreeSet};

/// Takes values off the front of bytes; `None` as soon as they end too early.
pub(crate) struct Reader(Bytes);

impl Reader {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        (self.0.remaining() >= 1).then(|| self.0.get_u8())
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        (self.0.remaining() >= 4).then(|| self.0.get_u32_le())
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        (self.0.remaining() >= 8).then(|| self.0.get_u64_le())
    }

    /// Bytes with their length before them, without copying.
    pub(crate) fn bytes(&mut self) -> Option<Bytes> {
        let len = self.u32()? as usize;
        (self.0.remaining() >= len).then(|| self.0.split_to(len))
    }

    /// Done, if nothing is left over.
    pub(crate) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    pub(crate) fn log_id(&mut self) -> Option<Option<LogId>> {
        match self.u8()? {
            0 => Some(None),
            1 => Some(Some(log_id(self.u64()?, self.u64()?, self.u64()?))),
            _ => None,
        }
    }

    pub(crate) fn membership(&mut self) -> Option<Membership> {
        let mut configs = Vec::new();
        for _ in 0..self.u32()? {
            let mut voters = BTreeSet::new();
            for _ in 0..self.u32()? {
                voters.insert(self.u64()?);
            }
            configs.push(voters);
        }
        let mut nodes = BTreeMap::new();
        for _ in 0..self.u32()? {
            let id = self.u64()?;
            let address = String::from_utf8(self.bytes()?.to_vec()).ok()?;
            nodes.insert(id, BasicNode::new(address));
        }
        Some(Membership::new(configs, nodes))
    }

    pub(crate) fn stored_membership(&mut self) -> Option<StoredMembership> {
        Some(StoredMembership::new(self.log_id()?, self.membership()?))
    }
}

/// An entry's place, from the parts that storage keeps.
pub(crate) fn log_id(term: u64, node: u64, index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(term, node), index)
}

/// Writes bytes with their length before them.
pub(crate) fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32_le(u32::try_from(bytes.len()).expect("what is proposed is smaller than 4 GiB"));
    out.put_slice(bytes);
}

pub(crate) fn put_log_id(out: &mut BytesMut, log_id: Option<&LogId>) {
    out.put_u8(u8::from(log_id.is_some()));
    if let Some(log_id) = log_id {
        out.put_u64_le(log_id.leader_id.term);
        out.put_u64_le(log_id.leader_id.node_id);
        out.put_u64_le(log_id.index);
    }
}

pub(crate) fn put_membership(out: &mut BytesMut, membership: &Membership) {
    let configs = membership.get_joint_config();
    out.put_u32_le(configs.len() as u32);
    for voters in configs {
        out.put_u32_le(voters.len() as u32);
        for id in voters {
            out.put_u64_le(*id);
        }
    }
    let nodes: Vec<_> = membership.nodes().collect();
    out.put_u32_le(nodes.len() as u32);
    for (id, node) in nodes {
        out.put_u64_le(*id);
        put_bytes(out, node.addr.as_bytes());
    }
}

pub(crate) fn put_stored_membership(out: &mut BytesMut, stored: &StoredMembership) {
    put_log_id(out, stored.log_id().as_ref());
    put_membership(out, stored.membership());
}
