//! Ephemeral publications as they are held by several nodes: what goes out, what comes in, and who owns what.
//!
//! # Who owns what
//! Every publication has one owner: an *origin*, one life of one node ([`Origin`]). The owner alone holds its lease,
//! counts it under its brakes, and tells the others of it, op by op, each with a number. The others hold it as they were told
//! and show it like their own. A publication is the same one on all nodes by its service and its client; a connection
//! is named by the origin that accepted it and its number there.
//!
//! A *claim* to a publication is (incarnation, owner, adopted or not). The incarnation is the time of the registration
//! by a hybrid logical clock and the node that took it; it also orders the publications of one address. Of two claims
//! 1. the higher incarnation wins;
//! 2. at the same incarnation an owner that is heard wins over one that adopted it, and that over one that is gone;
//! 3. of two adopters the lower node wins, and so of two that kept it on where they did not hear each other.
//!
//! Every node decides so by itself, and all come to the same, whatever the order in which they hear of claims. An owner that
//! loses gives up at once and says so (*yield*); until then the others keep what it told, so that its digest adds up and
//! its claim can hold after all, if the better one goes (`beaten`). A connection that is open here does not lose: its
//! owner claims it anew.
//!
//! # What makes a new incarnation
//! Registering, metadata set over Eureka, a deregistration or a beat that reaches a node that is not the owner and can't
//! leave it to the owner: because it changes something, or because the owner is gone. All else that happens to a
//! publication (health, a status laid over it) is an *edit* under its incarnation, by its owner. A beat that changes
//! nothing is answered by the node it came to and passed on to the owner ([`Registry::renewals`]); it is never an op.
//!
//! # Removals
//! carry the incarnation, and beat every claim that is no higher; they are remembered for a while (`graves`), and told
//! again to who still claims what was removed, by who told of it first if that is heard: what is there in its place comes
//! from there, too. The removal by an adopter that heard nothing of a client is *weak*: it
//! does not count against an owner that is heard.
//!
//! # Owners that are gone
//! What a silent origin owns is orphaned, and what an earlier life of a node owned, too. Of the nodes that are heard one
//! adopts it, by rendezvous of client and node; if it is not heard of within [`peers::LATE_MS`], so does any other, and at
//! once whoever has a later registration than one who claims it. An adopter keeps the incarnation and grants a full
//! lease, or 60 s to a connection. A beat or a registration ends that: it
//! makes a new incarnation. As long as nobody has adopted it, each node that holds it tells it in snapshots as an *orphan*,
//! with its owner, and tells at once what it puts back from a checkpoint; that is worth less than whatever else is known
//! of it, and is in no digest. So a snapshot has all that its node shows and that no node which is heard there owns. An
//! origin that is heard again sends a snapshot of all it owns, which takes the claims back that
//! are no older.
//!
//! # Snapshots
//! mark what they confirm (`generation`) and take away what they did not mention at the end, never before; ops that a page
//! already has are told from newer ones by incarnation and edit, so nothing goes backwards while the two overlap. What an
//! origin gave to another (`yields`) its snapshot mentions with the number up to which it knows that one: who knows
//! less of it is to wait for that.
//!
//! # Digests
//! The sum of the hashes of all an origin tells of, held or beaten. A hash covers all bytes of the op, which follow from the
//! state alone, so they are equal on the owner and on a mirror at the same sequence.

mod api;
mod beaten;
mod claim;
mod clock;
mod graves;
mod hash;
mod health;
mod incoming;
mod named;
mod origins;
mod orphaned;
mod outgoing;
mod peers;
mod renewals;
mod resync;
mod wire;
mod yields;

pub use api::{
    HeldSequence, MirrorChanges, MirrorDigest, MirrorError, MirrorFigures, SnapshotCursor, SnapshotPage,
};
pub(crate) use claim::{Claim, OURS, OriginPlace, Version};
pub(crate) use clock::COUNTER_BITS;
pub(crate) use incoming::Batch;
pub use named::{MirrorName, MirrorNames};
pub(crate) use origins::Presence;
pub(crate) use outgoing::Because;
#[cfg(test)]
pub(crate) use wire::entry;

use crate::{Effect, Registry};
use beaten::Beaten;
use clock::Clock;
use graves::Graves;
use health::Healths;
use muster_model::{HashMap, NodeId, Origin};
use origins::Origins;
use outgoing::Ring;
use peers::Pass;
use renewals::Renewals;
use yields::Yields;

/// What a registry keeps for, and of, the other nodes.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    /// Whether anything is kept for other nodes at all.
    pub(crate) is_on: bool,
    pub(crate) clock: Clock,
    pub(crate) origins: Origins,
    pub(crate) ring: Ring,
    /// There are ops that nobody was told of.
    pub(crate) has_sent: bool,
    /// Room for the op that is being written.
    pub(crate) scratch: Vec<u8>,
    /// What origins tell and what does not hold, by origin and hash of the key.
    pub(crate) beaten: HashMap<(OriginPlace, u64), Beaten>,
    pub(crate) graves: Graves,
    pub(crate) renewals: Renewals,
    /// Looks at what gone origins own, to adopt it.
    pub(crate) passes: Vec<Pass>,
    pub(crate) yields: Yields,
    pub(crate) healths: Healths,
    pub(crate) figures: MirrorFigures,
    /// Whether somebody wants to know of renewals that came to other nodes.
    pub(crate) tells_renewals: bool,
}

impl Mirror {
    /// Keeps so many ops for peers that were away.
    pub(crate) fn new(changes_max: usize) -> Self {
        Self { ring: Ring::of(changes_max), ..Self::default() }
    }
}

impl Registry {
    /// Says which life of which node this registry is. From here on its changes are kept for other nodes; without it
    /// nothing is. Called once, before the first registration.
    pub fn set_identity(&mut self, origin: Origin) {
        self.mirror.is_on = true;
        self.mirror.origins.identify(origin);
    }

    /// Which life of which node this registry is, if it was said.
    pub fn origin(&self) -> Option<Origin> {
        self.mirror.is_on.then(|| self.mirror.origins.at(OURS).origin)
    }

    /// The node this registry is of; 0 if it was not said.
    pub(crate) fn own_node(&self) -> NodeId {
        self.mirror.origins.at(OURS).origin.node
    }

    /// The number of the last op that went out.
    pub fn mirror_sequence(&self) -> u64 {
        self.mirror.origins.at(OURS).sequence
    }

    /// The digest of what an origin owns, as it is held here: equal on its node and on a mirror that are at the same
    /// sequence. `None`: nothing is held of it, or a resync of it is under way.
    pub fn digest(&self, origin: Origin) -> Option<MirrorDigest> {
        let known = self.mirror.origins.at(self.mirror.origins.find(origin)?);
        (known.complete && known.resync.is_none()).then(|| known.digest())
    }

    /// From now on there is an [`Effect::EurekaRenewed`] for each renewal that comes from another node.
    pub fn tell_eureka_renewals(&mut self) {
        self.mirror.tells_renewals = true;
    }

    /// Figures for operators.
    pub fn mirror_figures(&self) -> MirrorFigures {
        let (mut foreign, mut orphans) = (0, 0);
        for (_, known) in self.mirror.origins.others() {
            foreign += known.count as u64;
            orphans += if known.is_live() { 0 } else { known.count as u64 };
        }
        MirrorFigures { foreign, orphans, ..self.mirror.figures }
    }

    /// Has the streams to peers woken, if there is something for them.
    pub(crate) fn tell_streams(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.mirror.has_sent) {
            effects.push(Effect::Mirrored);
        }
    }
}
