//! Peers that fall silent and come back, and the adoption of what they owned.

use super::{
    Presence,
    claim::{Claim, OURS, OriginPlace},
    hash::{hash, mix},
    incoming::Batch,
    outgoing::Because,
    wire,
};
use crate::{Effect, LeaseKind, Registry, brake::LeaseKey, clients::ClientIndex, services::Stamp};
use muster_model::{ClientId, Kind, Monotonic, NodeId, Now, Origin, Reason, Timing};

/// How long an adopter keeps what a connection registered, milliseconds. A client is back within a moment, but that of Python
/// (nacos-sdk-python 3) looks twice a minute only whether to register again, and may look while it has no connection.
const CONNECTION_GRACE_MS: u64 = 60_000;

/// What is still orphaned after this time is adopted by every node that holds it: whoever was to do it did not.
pub(crate) const LATE_MS: u64 = 10_000;
/// Clients looked at in one call, so that the lock around it is short.
const LOOKS: usize = 4_096;

/// A look at all that a gone origin owns, some of it a call.
#[derive(Debug)]
pub(crate) struct Pass {
    place: OriginPlace,
    at: Monotonic,
    /// The peers to whom it falls, each of them its part; absent: adopt whatever is left.
    among: Option<Vec<NodeId>>,
    /// Whether it fell to some of them before; else nobody saw who left it.
    is_divided: bool,
    /// The next client to look at.
    next: u32,
}

impl Pass {
    /// Whether what has this key is this node's to adopt.
    fn falls_to(&self, own: NodeId, key: &[u8]) -> bool {
        let Some(among) = &self.among else { return true };
        let key = hash(key);
        let score = |node: NodeId| (mix(key, node.0), node.0);
        among.iter().all(|other| *other == own || score(*other) < score(own))
    }
}

impl Registry {
    /// A peer has been silent for longer than `cluster.peer_silence`: what it owns is an orphan. `heirs` are the other peers
    /// to whom it may fall.
    pub fn peer_silent(&mut self, node: NodeId, heirs: &[NodeId], now: Now, effects: &mut Vec<Effect>) {
        let mut was_live = false;
        for place in self.lives_of(node) {
            let known = self.mirror.origins.at_mut(place);
            if known.is_live() {
                known.presence = Presence::Silent;
                // Others may take over what it tells of: it is asked for all of it.
                (known.complete, known.resync) = (false, None);
                self.bury_for(place);
                self.plan_adoption(place, Some(heirs), now.mono);
                was_live = true;
            }
        }
        if was_live {
            self.divide_again(heirs, now.mono);
        }
        self.adopt_due(now, effects);
        self.tell_streams(effects);
    }

    /// A peer is heard (again), in this life of its; what an earlier life of it owned is orphaned. `heirs` are the
    /// other peers to whom that may fall. Comes before anything is taken in of it.
    pub fn peer_returned(&mut self, origin: Origin, heirs: &[NodeId], now: Now, effects: &mut Vec<Effect>) {
        if self.hear(origin, Some(heirs), now) {
            // It has lost what fell to it in the life before.
            self.divide_again(heirs, now.mono);
        }
        self.adopt_due(now, effects);
        self.tell_streams(effects);
    }

    /// Notes that an origin is heard; whether another life of its node is over by that.
    pub(crate) fn hear(&mut self, origin: Origin, heirs: Option<&[NodeId]>, now: Now) -> bool {
        if !self.mirror.is_on || origin == self.mirror.origins.at(OURS).origin {
            return false;
        }
        let mut is_another_over = false;
        for place in self.lives_of(origin.node) {
            let known = self.mirror.origins.at_mut(place);
            let is_over = known.presence == Presence::Ended;
            if known.origin != origin && !is_over {
                let was_live = known.is_live();
                known.presence = Presence::Ended;
                (known.complete, known.resync) = (false, None);
                is_another_over = true;
                if was_live {
                    self.bury_for(place);
                    self.plan_adoption(place, heirs, now.mono);
                }
            }
        }
        if let Some(place) = self.mirror.origins.place(origin) {
            self.mirror.origins.at_mut(place).presence = Presence::Live;
            self.mirror.passes.retain(|pass| pass.place != place);
        }
        is_another_over
    }

    fn lives_of(&self, node: NodeId) -> Vec<OriginPlace> {
        let lives = self.mirror.origins.others().filter(|(_, known)| known.origin.node == node);
        lives.map(|(place, _)| place).collect()
    }

    /// Has what an origin owns looked at: now, to adopt our part if it is known who is heard, and once more when it is
    /// late.
    pub(crate) fn plan_adoption(&mut self, place: OriginPlace, heirs: Option<&[NodeId]>, now: Monotonic) {
        self.mirror.passes.retain(|pass| pass.place != place);
        if let Some(heirs) = heirs {
            self.plan_first_look(place, heirs, now);
        }
        self.plan_late_look(place, heirs.is_some(), now);
    }

    /// Has what became known of a gone origin looked at when that is late: who was to adopt it may have looked before.
    pub(crate) fn plan_late_adoption(&mut self, place: OriginPlace, now: Monotonic) {
        let is_planned = |pass: &Pass| pass.place == place && pass.among.is_none() && pass.next == 0;
        if !self.mirror.passes.iter().any(is_planned) {
            self.plan_late_look(place, false, now);
        }
    }

    fn plan_late_look(&mut self, place: OriginPlace, is_divided: bool, now: Monotonic) {
        self.mirror.passes.push(Pass { place, at: now.plus(LATE_MS), among: None, is_divided, next: 0 });
    }

    /// Somebody is gone who may have been the heir of what others left: that falls to one of the rest.
    fn divide_again(&mut self, heirs: &[NodeId], now: Monotonic) {
        let divided = self.mirror.passes.iter().filter(|pass| pass.among.is_none() && pass.is_divided);
        for place in divided.map(|pass| pass.place).collect::<Vec<_>>() {
            self.mirror.passes.retain(|pass| pass.place != place || pass.among.is_none());
            self.plan_first_look(place, heirs, now);
        }
    }

    fn plan_first_look(&mut self, place: OriginPlace, heirs: &[NodeId], now: Monotonic) {
        // If it is back, in another life, it has nothing of what it left.
        let gone = self.mirror.origins.at(place).origin.node;
        let among = heirs.iter().copied().filter(|node| *node != gone).collect();
        self.mirror.passes.push(Pass { place, at: now, among: Some(among), is_divided: true, next: 0 });
    }

    /// Whether there may be orphans that are this node's to adopt and that were not looked at yet.
    pub fn is_adopting(&self) -> bool {
        self.mirror.passes.iter().any(|pass| pass.among.is_some())
    }

    /// Goes on with that, some of it a call.
    pub fn adopt_more(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.adopt_due(now, effects);
        self.tell_streams(effects);
    }

    /// When [`Registry::adopt_due`] has something to do.
    pub(crate) fn next_adoption(&self) -> Option<Monotonic> {
        self.mirror.passes.iter().map(|pass| pass.at).min()
    }

    /// Goes on with one look at orphans.
    pub(crate) fn adopt_due(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let due = self.mirror.passes.iter().position(|pass| pass.at <= now.mono);
        let Some(mut pass) = due.map(|at| self.mirror.passes.swap_remove(at)) else { return };
        let mut batch = Batch::new(now, effects, false);
        let mut is_over = false;
        for _ in 0..LOOKS {
            let Some((client, _)) = self.clients.at_or_behind(pass.next) else {
                is_over = true;
                break;
            };
            pass.next = client.place() + 1;
            self.adopt_of(&pass, client, &mut batch);
        }
        batch.finish(self);
        if is_over {
            let own = self.own_node();
            self.adopt_findings(pass.place, |key| pass.falls_to(own, key), now);
            self.tell_streams(effects);
        } else {
            self.mirror.passes.push(pass);
        }
    }

    fn adopt_of(&mut self, pass: &Pass, client: ClientIndex, batch: &mut Batch<'_>) {
        let services = self.clients.get(client).services();
        let is_orphan =
            |held: &LeaseKey| self.claim_at(*held).is_some_and(|(claim, _)| claim.owner == pass.place);
        let mut orphans: Vec<LeaseKey> =
            services.iter().map(|index| (*index, client)).filter(is_orphan).collect();
        // Another may have claimed it while its owner was heard, or may have an earlier registration only.
        orphans.retain(|held| {
            let Some((heir, version)) = self.heir(*held) else { return true };
            let held_version = self.claim_at(*held).map(|(claim, at)| self.mirror.version(at, claim));
            if held_version > Some(version) {
                self.adopt(*held, batch.now);
                return false;
            }
            self.detach(*held, Because::ItsOwner);
            !self.let_hold(*held, heir, batch)
        });
        if orphans.is_empty() {
            return;
        }
        let mut key = Vec::with_capacity(40);
        wire::client(&mut key, self.mirror.client_ref(&self.clients.get(client).id));
        let is_ours = pass.falls_to(self.own_node(), &key);
        if is_ours {
            orphans.into_iter().for_each(|held| self.adopt(held, batch.now));
        }
    }

    /// Becomes the owner of an orphan, under its incarnation.
    pub(crate) fn adopt(&mut self, held: LeaseKey, now: Now) {
        self.detach(held, Because::Displaced);
        if let Some(claim) = self.claim_mut(held) {
            *claim = Claim { owner: OURS, adopted: true, generation: 0, ..*claim };
        }
        self.clients.set_origin(held.1, self.own_node());
        self.grant_adopted(held, now);
        self.mirror.figures.adopted += 1;
        self.attach_edited(held, Reason::PeerLost);
    }

    /// A full lease for what was another's, as that of its client.
    fn grant_adopted(&mut self, held: LeaseKey, now: Now) {
        let Some(service) = self.services.get(held.0) else { return };
        let Some(publication) = service.publications.get(&held.1) else { return };
        let namespace = service.key.namespace().clone();
        let (kind, timing) = match &self.clients.get(held.1).id {
            ClientId::Connection(_) => {
                let instances = publication.instances.clone();
                return self.orphans.add(held, &instances, now.mono.plus(CONNECTION_GRACE_MS));
            }
            ClientId::Address(..) => {
                let Some(instance) = publication.instances.first() else { return };
                (LeaseKind::Beat, Timing::of(&instance.metadata))
            }
            ClientId::Eureka(id) => {
                let Some(facet) = service.facets.as_ref().and_then(|facets| facets.get(id)) else { return };
                (LeaseKind::Eureka, self.eureka_timing(&facet.shown.instance, true))
            }
        };
        self.leases.grant(held, (&namespace, kind), timing, now.mono);
    }

    /// Claims a publication anew, as it is, over whatever is known of it.
    pub(crate) fn own_anew(&mut self, held: LeaseKey, reason: Reason, now: Now) {
        let at = self.mirror.clock.next(now);
        self.own(held, (at, Claim::default()), reason, now);
        // It is the newest of its address now.
        self.touch(held.0, now);
    }

    /// Keeps a publication on, whose owner is gone: its client was heard here. It is the same registration still, so that
    /// one which was made meanwhile where we do not hear of it stands.
    pub(crate) fn keep_on(&mut self, held: LeaseKey, now: Now) {
        let Some((claim, at)) = self.claim_at(held) else { return };
        match claim.term.checked_add(1) {
            Some(term) => {
                let claim = Claim { by: claim.by, term, ..Claim::default() };
                self.own(held, (at, claim), Reason::BeatReturned, now);
            }
            None => self.own_anew(held, Reason::BeatReturned, now),
        }
    }

    fn own(&mut self, held: LeaseKey, (at, claim): (u64, Claim), reason: Reason, now: Now) {
        let Some((old, _)) = self.claim_at(held) else { return };
        self.detach(held, Because::Displaced);
        let service = self.services.get_mut(held.0);
        if let Some(publication) = service.and_then(|service| service.publications.get_mut(&held.1)) {
            publication.stamp = Stamp::new(at, Kind::Ephemeral);
            publication.claim = claim;
        }
        if old.owner != OURS {
            self.clients.set_origin(held.1, self.own_node());
            self.grant_adopted(held, now);
        }
        self.attach(held, reason);
    }

    /// Whether the owner of a publication is another node that is heard: what changes nothing is left to it.
    pub(crate) fn is_kept_elsewhere(&self, held: LeaseKey) -> bool {
        let owner = self.owner_of(held.0, held.1);
        owner != OURS && self.mirror.origins.at(owner).is_live()
    }
}
