//! Who owns a publication, and since which registration.

use muster_model::Incarnation;

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
    /// How often the publication changed hands under its incarnation, because its client was heard elsewhere.
    pub(crate) term: u8,
    /// Counts what changed under one version: of two states of one owner the later is known by it.
    pub(crate) edit: u8,
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
    /// Of the node that took the registration, or heard its client since, and which is there. Two may have heard the client
    /// where they did not hear each other; then it is that of the lower node.
    Live(std::cmp::Reverse<u64>),
}

impl Standing {
    /// That of an owner that is heard.
    pub(crate) fn of_live(node: u64, is_adopted: bool) -> Self {
        let node = std::cmp::Reverse(node);
        if is_adopted { Self::Adopted(node) } else { Self::Live(node) }
    }
}

/// Of two states of a publication the later registration's is newer, and of one registration that of the later term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) incarnation: Incarnation,
    pub(crate) term: u8,
}

/// What claims of one publication are ordered by, on all nodes alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) version: Version,
    pub(crate) standing: Standing,
}

/// Whether a state under one version is older than another; the counter begins anew after 255.
pub(crate) fn is_older(edit: u8, than: u8) -> bool {
    (edit.wrapping_sub(than) as i8) < 0
}
