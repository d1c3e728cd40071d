//! The origins that are known here, by small numbers, and what is known of each.

use super::{
    MirrorDigest,
    api::BUCKETS,
    claim::{OURS, OriginPlace},
};
use crate::brake::LeaseKey;
use muster_model::{ClientId, ConnectionId, HashMap, NodeId, Origin};

/// Whether an origin is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is, or it is ours.
    Live,
    /// It is not: others may adopt what it owns. It may come back.
    Silent,
    /// Its node lives another life, or it was only heard of.
    Ended,
}

/// One origin.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) origin: Origin,
    pub(crate) presence: Presence,
    /// Publications held that it owns.
    pub(crate) count: usize,
    /// The number of its last op that is held here; ours: that went out.
    pub(crate) sequence: u64,
    /// Whether ops may follow on `sequence`.
    pub(crate) complete: bool,
    /// Marks what was seen in the last snapshot of it, and since.
    pub(crate) generation: u8,
    /// As of which sequence the snapshot under way is.
    pub(crate) resync: Option<u64>,
    /// What is booked to it that it told after that snapshot began.
    pub(crate) expected: Vec<LeaseKey>,
    sums: Option<Box<Sums>>,
}

#[derive(Debug)]
struct Sums {
    count: u64,
    buckets: [u64; BUCKETS],
}

impl Known {
    fn new(origin: Origin, presence: Presence) -> Self {
        Self {
            origin,
            presence,
            count: 0,
            sequence: 0,
            complete: false,
            generation: 0,
            resync: None,
            expected: Vec::new(),
            sums: None,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.presence == Presence::Live
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        let sums = self.sums.get_or_insert_with(|| Box::new(Sums { count: 0, buckets: [0; BUCKETS] }));
        let bucket = &mut sums.buckets[entry.bucket()];
        *bucket = bucket.wrapping_add(entry.hash);
        sums.count += 1;
    }

    pub(crate) fn subtract(&mut self, entry: Entry) {
        let Some(sums) = &mut self.sums else { return };
        let bucket = &mut sums.buckets[entry.bucket()];
        *bucket = bucket.wrapping_sub(entry.hash);
        sums.count -= 1;
        if sums.count == 0 {
            self.sums = None;
        }
    }

    pub(crate) fn digest(&self) -> MirrorDigest {
        let mut digest = MirrorDigest { sequence: self.sequence, ..MirrorDigest::default() };
        if let Some(sums) = &self.sums {
            digest.count = sums.count;
            *digest.buckets = sums.buckets;
            digest.sum = sums.buckets.iter().fold(0, |sum, bucket| sum.wrapping_add(*bucket));
        }
        digest
    }
}

/// What one publication adds to a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The hash of its service and client.
    pub(crate) key: u64,
    /// The hash of all of it.
    pub(crate) hash: u64,
}

impl Entry {
    /// The bucket it is in.
    pub(crate) fn bucket(self) -> usize {
        (self.key & (BUCKETS as u64 - 1)) as usize
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Origins {
    known: Vec<Known>,
    by_origin: HashMap<Origin, OriginPlace>,
    /// Nodes that took registrations, each once; the first is ours.
    nodes: Vec<NodeId>,
}

impl Default for Origins {
    fn default() -> Self {
        let nobody = Origin { node: NodeId(0), epoch: muster_model::Epoch { boot: 0, random: 0 } };
        let mut ours = Known::new(nobody, Presence::Live);
        ours.complete = true;
        Self { known: vec![ours], by_origin: HashMap::default(), nodes: vec![nobody.node] }
    }
}

impl Origins {
    pub(crate) fn identify(&mut self, origin: Origin) {
        self.known[0].origin = origin;
        self.nodes[0] = origin.node;
        self.by_origin.insert(origin, OURS);
    }

    pub(crate) fn at(&self, place: OriginPlace) -> &Known {
        &self.known[usize::from(place)]
    }

    pub(crate) fn at_mut(&mut self, place: OriginPlace) -> &mut Known {
        &mut self.known[usize::from(place)]
    }

    pub(crate) fn find(&self, origin: Origin) -> Option<OriginPlace> {
        self.by_origin.get(&origin).copied()
    }

    /// The place of an origin. One that is new here is not heard, as far as this knows. `None` if there are 65,535.
    pub(crate) fn place(&mut self, origin: Origin) -> Option<OriginPlace> {
        if let Some(place) = self.find(origin) {
            return Some(place);
        }
        let place = OriginPlace::try_from(self.known.len()).ok()?;
        self.known.push(Known::new(origin, Presence::Ended));
        self.by_origin.insert(origin, place);
        Some(place)
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = (OriginPlace, &Known)> {
        self.known.iter().enumerate().map(|(place, known)| (place as OriginPlace, known))
    }

    /// All but ours.
    pub(crate) fn others(&self) -> impl Iterator<Item = (OriginPlace, &Known)> {
        self.known.iter().enumerate().skip(1).map(|(place, known)| (place as OriginPlace, known))
    }

    /// The place of a node that took a registration.
    pub(crate) fn node_place(&mut self, node: NodeId) -> u16 {
        match self.nodes.iter().position(|known| *known == node) {
            Some(place) => place as u16,
            None => {
                self.nodes.push(node);
                u16::try_from(self.nodes.len() - 1).expect("an ensemble has few nodes in its life")
            }
        }
    }

    pub(crate) fn node(&self, place: u16) -> NodeId {
        self.nodes[usize::from(place)]
    }

    /// Whose connection a client is, and its number there; `None` for other clients.
    pub(crate) fn home(&self, client: &ClientId) -> Option<(Origin, u64)> {
        match client {
            ClientId::Connection(id) => Some((self.at(id.place()).origin, id.number())),
            ClientId::Address(..) | ClientId::Eureka(_) => None,
        }
    }

    /// A connection as it is known here.
    pub(crate) fn connection(&mut self, home: Origin, number: u64) -> Option<ClientId> {
        let place = self.place(home)?;
        Some(ClientId::Connection(ConnectionId::elsewhere(place, number)))
    }
}
