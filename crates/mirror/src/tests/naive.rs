//! A replica that holds numbers by numbers, and notes what it was told.

use crate::{BUCKETS, Buckets, Changes, Digest, Position, Refused, Replica, Snapshot};
use bytes::Bytes;
use muster_model::{NodeId, Origin};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// How many changes are kept.
pub(super) const KEPT: usize = 64;
/// Entries of a page of a snapshot, whatever its bytes.
const PAGE: usize = 16;
/// What is between beats in one piece.
const BETWEEN: u8 = b'\n';

pub(super) type Entries = BTreeMap<u32, u64>;

#[derive(Default)]
pub(super) struct Held {
    pub(super) position: Option<Position>,
    pub(super) entries: Entries,
    /// What a snapshot that is under way has not named yet, and what it brings the mirror to.
    unnamed: Option<(BTreeSet<u32>, Position)>,
}

struct State {
    own: Entries,
    sequence: u64,
    ring: VecDeque<(u64, u32, Option<u64>)>,
    held: BTreeMap<NodeId, Held>,
    renewals: BTreeMap<NodeId, Vec<Bytes>>,
    told: Told,
}

/// What it was told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) silent: Vec<(NodeId, BTreeSet<NodeId>)>,
    pub(super) returned: Vec<Origin>,
    pub(super) renewed: Vec<(NodeId, Bytes)>,
    pub(super) pages: usize,
}

pub(super) struct Naive {
    pub(super) origin: Origin,
    state: Mutex<State>,
}

fn bucket(key: u32) -> u8 {
    (key.wrapping_mul(0x9E37_79B9) >> 24) as u8
}

fn encode(key: u32, value: Option<u64>) -> Bytes {
    let mut bytes = key.to_be_bytes().to_vec();
    bytes.extend(value.into_iter().flat_map(u64::to_be_bytes));
    bytes.into()
}

fn decode(op: &Bytes) -> Result<(u32, Option<u64>), Refused> {
    let unreadable = || Refused::Unreadable("no entry".into());
    let (key, value) = op.split_at_checked(4).ok_or_else(unreadable)?;
    let value = value.try_into().ok().map(u64::from_be_bytes);
    Ok((u32::from_be_bytes(key.try_into().unwrap()), value))
}

fn digest_of(entries: &Entries, sequence: u64) -> Digest {
    let mut digest = Digest { sequence, sum: 0, buckets: [0; BUCKETS] };
    for (key, value) in entries {
        let hash = (u64::from(*key) << 32 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        digest.sum = digest.sum.wrapping_add(hash);
        let part = &mut digest.buckets[usize::from(bucket(*key))];
        *part = part.wrapping_add(hash);
    }
    digest
}

impl Naive {
    pub(super) fn new(origin: Origin) -> Arc<Self> {
        let state = State {
            own: Entries::new(),
            sequence: 0,
            ring: VecDeque::new(),
            held: BTreeMap::new(),
            renewals: BTreeMap::new(),
            told: Told::default(),
        };
        Arc::new(Self { origin, state: Mutex::new(state) })
    }

    /// Publishes or removes; the mirror must be told.
    pub(super) fn change(&self, key: u32, value: Option<u64>) {
        let mut state = self.state.lock();
        match value {
            Some(value) => state.own.insert(key, value),
            None => state.own.remove(&key),
        };
        state.sequence += 1;
        let sequence = state.sequence;
        state.ring.push_back((sequence, key, value));
        if state.ring.len() > KEPT {
            state.ring.pop_front();
        }
    }

    pub(super) fn own(&self) -> Entries {
        self.state.lock().own.clone()
    }

    pub(super) fn held(&self, node: NodeId) -> Option<Entries> {
        let state = self.state.lock();
        state.held.get(&node).filter(|held| held.position.is_some()).map(|held| held.entries.clone())
    }

    /// Says that a peer is mirrored so far, as a checkpoint would.
    pub(super) fn restore(&self, node: NodeId, position: Position, entries: Entries) {
        let held = Held { position: Some(position), entries, unnamed: None };
        self.state.lock().held.insert(node, held);
    }

    /// Changes a mirror so that it is wrong.
    pub(super) fn corrupt(&self, node: NodeId, key: u32, value: u64) {
        self.state.lock().held.get_mut(&node).unwrap().entries.insert(key, value);
    }

    pub(super) fn beat(&self, owner: NodeId, beat: &'static str) {
        self.state.lock().renewals.entry(owner).or_default().push(Bytes::from_static(beat.as_bytes()));
    }

    pub(super) fn told(&self) -> Told {
        self.state.lock().told.clone()
    }
}

struct Pages {
    replica: Arc<Naive>,
    buckets: Buckets,
    from: u32,
}

impl Snapshot for Pages {
    fn next_page(&mut self, _bytes_max: usize) -> Option<Vec<Bytes>> {
        let state = self.replica.state.lock();
        let mut page = Vec::new();
        for (key, value) in state.own.range(self.from..) {
            self.from = key + 1;
            if self.buckets.contains(bucket(*key)) {
                page.push(encode(*key, Some(*value)));
            }
            if page.len() == PAGE {
                break;
            }
        }
        (!page.is_empty()).then_some(page)
    }
}

/// Both, so that a snapshot can hold on to it.
pub(super) struct Shared(pub(super) Arc<Naive>);

impl Replica for Shared {
    fn origin(&self) -> Origin {
        self.0.origin
    }

    fn sequence(&self) -> u64 {
        self.0.state.lock().sequence
    }

    fn changes(&self, after: u64, bytes_max: usize, with_digest: bool) -> Changes {
        let state = self.0.state.lock();
        let newest = state.sequence;
        let oldest = state.ring.front().map_or(newest + 1, |(sequence, ..)| *sequence);
        if after > newest || after + 1 < oldest {
            return Changes::TooOld;
        }
        let mut upto = after;
        let mut bytes = 0;
        let mut ops = Vec::new();
        for (sequence, key, value) in state.ring.iter().filter(|(sequence, ..)| *sequence > after) {
            if bytes >= bytes_max {
                break;
            }
            let op = encode(*key, *value);
            bytes += op.len();
            ops.push(op);
            upto = *sequence;
        }
        let digest = (with_digest && upto == newest).then(|| Box::new(digest_of(&state.own, newest)));
        Changes::Ops { ops, upto, newest, digest }
    }

    fn digest(&self) -> Digest {
        let state = self.0.state.lock();
        digest_of(&state.own, state.sequence)
    }

    fn snapshot(&self, buckets: &Buckets) -> Box<dyn Snapshot> {
        Box::new(Pages { replica: self.0.clone(), buckets: *buckets, from: 0 })
    }

    fn mirrored(&self, node: NodeId) -> Option<Position> {
        self.0.state.lock().held.get(&node)?.position
    }

    fn mirrored_digest(&self, origin: Origin) -> Option<Digest> {
        let state = self.0.state.lock();
        let held = state.held.get(&origin.node)?;
        let position = held.position.filter(|position| position.epoch == origin.epoch)?;
        Some(digest_of(&held.entries, position.sequence))
    }

    fn apply(&self, origin: Origin, ops: &[Bytes], upto: u64) -> Result<(), Refused> {
        let mut state = self.0.state.lock();
        let held = state.held.entry(origin.node).or_default();
        let position = held.position.as_mut().filter(|held| held.epoch == origin.epoch);
        let position = position.ok_or(Refused::Gap)?;
        let first = upto + 1 - ops.len() as u64;
        if first > position.sequence + 1 {
            return Err(Refused::Gap);
        }
        for op in ops {
            match decode(op)? {
                (key, Some(value)) => held.entries.insert(key, value),
                (key, None) => held.entries.remove(&key),
            };
        }
        position.sequence = position.sequence.max(upto);
        Ok(())
    }

    fn resync_begin(&self, origin: Origin, sequence: u64, buckets: &Buckets) {
        let mut state = self.0.state.lock();
        let held = state.held.entry(origin.node).or_default();
        if held.position.is_some_and(|position| position.epoch != origin.epoch) {
            held.position = None;
        }
        let unnamed = held.entries.keys().copied().filter(|key| buckets.contains(bucket(*key))).collect();
        held.unnamed = Some((unnamed, Position { epoch: origin.epoch, sequence }));
    }

    fn resync_page(&self, origin: Origin, ops: &[Bytes]) -> Result<(), Refused> {
        let mut state = self.0.state.lock();
        state.told.pages += 1;
        let held = state.held.get_mut(&origin.node).ok_or(Refused::Gap)?;
        let (unnamed, _) = held.unnamed.as_mut().ok_or(Refused::Gap)?;
        for op in ops {
            let (key, value) = decode(op)?;
            unnamed.remove(&key);
            held.entries.insert(key, value.unwrap());
        }
        Ok(())
    }

    fn resync_end(&self, origin: Origin) -> Result<(), Refused> {
        let mut state = self.0.state.lock();
        let held = state.held.get_mut(&origin.node).ok_or(Refused::Gap)?;
        let (unnamed, position) = held.unnamed.take().ok_or(Refused::Gap)?;
        held.entries.retain(|key, _| !unnamed.contains(key));
        held.position = Some(position);
        Ok(())
    }

    fn peer_silent(&self, node: NodeId, reachable: &BTreeSet<NodeId>) {
        self.0.state.lock().told.silent.push((node, reachable.clone()));
    }

    fn peer_returned(&self, origin: Origin, _reachable: &BTreeSet<NodeId>) {
        self.0.state.lock().told.returned.push(origin);
    }

    fn renewals(&self, node: NodeId, max: usize) -> Vec<Bytes> {
        let mut state = self.0.state.lock();
        let waiting = state.renewals.entry(node).or_default();
        let taken: Vec<Bytes> = waiting.drain(..max.min(waiting.len())).collect();
        if taken.is_empty() { taken } else { vec![taken.join(&BETWEEN).into()] }
    }

    fn apply_renewals(&self, from: NodeId, renewals: &[Bytes]) {
        let mut state = self.0.state.lock();
        for piece in renewals {
            let each = piece.split(|byte| *byte == BETWEEN).map(|renewal| piece.slice_ref(renewal));
            state.told.renewed.extend(each.map(|renewal| (from, renewal)));
        }
    }
}
