//! How far the state machine has come: written with every commit, in the same transaction, and into every snapshot.
//!
//! ```text
//! version: u8 = 1 | applied: log id? | time: u64 | sequence: u64 | membership: log id? and membership
//! version: u8 = 2 | level: u32, from 2 on | as in version 1
//! log id?: 0: u8, or 1: u8 | term: u64 | node: u64 | index: u64
//! ```

use crate::{
    ConsensusError,
    codec::{Reader, put_log_id, put_stored_membership},
    level,
    types::{LogId, StoredMembership},
};
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::Timestamp;
use muster_storage::data_dir::MarkerIndex;

/// At format level 1.
const VERSION_1: u8 = 1;
/// At higher ones.
const VERSION_2: u8 = 2;
/// The newest that this program reads.
const NEWEST: u8 = if level::NEWEST >= 2 { VERSION_2 } else { VERSION_1 };

/// The applied marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    /// The format level in force.
    pub(crate) level: u32,
    /// The last applied entry.
    pub(crate) applied: Option<LogId>,
    /// The time that entry, or the last one before it that had operations, was applied under.
    pub(crate) time: Timestamp,
    /// How many operations were ever applied.
    pub(crate) sequence: u64,
    /// The members as of the last applied entry.
    pub(crate) membership: StoredMembership,
}

impl Default for Marker {
    fn default() -> Self {
        let (applied, time, sequence) = (None, Timestamp::default(), 0);
        Self { level: 1, applied, time, sequence, membership: StoredMembership::default() }
    }
}

impl Marker {
    /// The index of the last applied entry, 0 before the first.
    pub(crate) fn index(&self) -> u64 {
        self.applied.map_or(0, |log_id| log_id.index)
    }

    /// The entry to apply next.
    pub(crate) fn next_index(&self) -> u64 {
        self.applied.map_or(0, |log_id| log_id.index + 1)
    }

    pub(crate) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(128);
        if self.level == 1 {
            out.put_u8(VERSION_1);
        } else {
            out.put_u8(VERSION_2);
            out.put_u32_le(self.level);
        }
        put_log_id(&mut out, self.applied.as_ref());
        out.put_u64_le(self.time.0);
        out.put_u64_le(self.sequence);
        put_stored_membership(&mut out, &self.membership);
        out.freeze()
    }

    /// Reads a stored marker; none stored is the state before the first entry.
    pub(crate) fn decode(stored: Option<Bytes>) -> Result<Self, ConsensusError> {
        let Some(stored) = stored else { return Ok(Self::default()) };
        match stored.first() {
            Some(&found @ VERSION_1..=NEWEST) => Self::parse(found, stored.slice(1..))
                .ok_or(ConsensusError::Damaged { what: "applied marker" }),
            Some(&found) if found > NEWEST => Err(ConsensusError::NewerFormat { found, known: NEWEST }),
            Some(_) | None => Err(ConsensusError::Damaged { what: "applied marker" }),
        }
    }

    fn parse(version: u8, body: Bytes) -> Option<Self> {
        let mut reader = Reader::new(body);
        let level = if version == VERSION_1 { 1 } else { reader.u32().filter(|level| *level > 1)? };
        let marker = Self {
            level,
            applied: reader.log_id()?,
            time: Timestamp(reader.u64()?),
            sequence: reader.u64()?,
            membership: reader.stored_membership()?,
        };
        reader.end()?;
        Some(marker)
    }
}

/// What an applied marker stands for, as [`muster_storage::data_dir::DataDir::open_state`] wants it.
pub fn marker_index(stored: &[u8]) -> MarkerIndex {
    match Marker::decode(Some(Bytes::copy_from_slice(stored))) {
        Ok(marker) => marker.applied.map_or(MarkerIndex::None, |log_id| MarkerIndex::Entry(log_id.index)),
        Err(ConsensusError::NewerFormat { found, .. }) => MarkerIndex::Newer(found.into()),
        Err(_) => MarkerIndex::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codec::log_id, types::Membership};
    use std::collections::BTreeSet;

    #[test]
    fn a_marker_comes_back() {
        let membership = Membership::new(vec![BTreeSet::from([1])], ());
        let marker = Marker {
            level: 1,
            applied: Some(log_id(3, 1, 99)),
            time: Timestamp(5),
            sequence: 1_000,
            membership: StoredMembership::new(Some(log_id(0, 0, 0)), membership),
        };
        assert_eq!(Marker::decode(Some(marker.encode())).unwrap(), marker);
        let newer = Marker { level: 2, ..marker };
        let read = Marker::decode(Some(newer.encode()));
        if level::NEWEST >= 2 {
            assert_eq!(read.unwrap(), newer);
        } else {
            assert!(matches!(read, Err(ConsensusError::NewerFormat { found: 2, known: 1 })), "{read:?}");
        }
        let index = if level::NEWEST >= 2 { MarkerIndex::Entry(99) } else { MarkerIndex::Newer(2) };
        assert_eq!(marker_index(&newer.encode()), index);
        assert_eq!(marker_index(&Marker::default().encode()), MarkerIndex::None);
        assert_eq!(Marker::decode(Some(Marker::default().encode())).unwrap(), Marker::default());
        assert_eq!(Marker::decode(None).unwrap(), Marker::default());
    }

    #[test]
    fn damage_and_newer_versions_are_refused() {
        let stored = Marker::default().encode();
        let cut = Marker::decode(Some(stored.slice(..stored.len() - 1)));
        assert!(matches!(cut, Err(ConsensusError::Damaged { .. })), "{cut:?}");
        let newer = Marker::decode(Some(Bytes::from_static(&[9])));
        assert!(matches!(newer, Err(ConsensusError::NewerFormat { found: 9, known: NEWEST })), "{newer:?}");
        assert_eq!(marker_index(&[9]), MarkerIndex::Newer(9));
        assert_eq!(marker_index(&stored[..5]), MarkerIndex::None);
    }
}
