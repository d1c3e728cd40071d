//! Who owns a publication, and since which registration.

use muster_model::Incarnation;
use std::cmp::Ordering;

/// The number by which an origin is known here; 0 is this life of this node.
pub(crate) type OriginPlace = u16;

/// This life of this node.
pub(crate) const OURS: OriginPlace = 0;

/// The small part of a claim, beside the time in the publication's stamp. Eight bytes in every publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The origin that owns it.
    pub(crate) owner: OriginPlace,
    /// The node of the incarnation, by its place in [`super::origins::Origins::nodes`].
    pub(crate) by: u16,
    /// Counts what changed under one incarnation: of two states of one owner the later is known by it.
    pub(crate) edit: u16,
    /// The resync in which it was last seen.
    pub(crate) generation: u8,
    /// Whether the owner took it over from an origin that was gone, and its client was not heard since.
    pub(crate) adopted: bool,
}

/// How much a claim is worth among those of one incarnation. Later is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Its owner is gone.
    Orphan,
    /// Of an adopter; of two, that of the lower node.
    Adopted(std::cmp::Reverse<u64>),
    /// Of the node that took the registration, which is there.
    Live,
}

/// What claims of one publication are ordered by, on all nodes alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rank {
    pub(crate) incarnation: Incarnation,
    pub(crate) standing: Standing,
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        self.incarnation.cmp(&other.incarnation).then_with(|| self.standing.cmp(&other.standing))
    }
}

/// Whether a state under one incarnation is older than another; the counter begins anew after 65,535.
pub(crate) fn is_older(edit: u16, than: u16) -> bool {
    (edit.wrapping_sub(than) as i16) < 0
}
