//! Renewals: the most frequent request there is, so it allocates nothing and changes nothing that is shown.

use crate::{
    Effect, EurekaBase, EurekaRenew, Outcome, Registry,
    brake::LeaseKey,
    clients::ClientIndex,
    eureka::facet::{status_of, takes_calls},
    mirror::{Because, OURS},
    registry::Report,
    services::{Service, ServiceIndex},
};
use muster_model::{Cause, ClientId, EurekaAction, EurekaStatus, Now, Reason, Timestamp};
use std::sync::Arc;

impl Registry {
    /// Renews a lease. A client that changed since it registered must register again, and is told so as one that is
    /// unknown; its lease was renewed all the same. A peer that knows less than we do is told of the conflict.
    pub(crate) fn eureka_renew(
        &mut self,
        renew: EurekaRenew,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Outcome {
        let EurekaRenew { base, app, id, last_dirty, overridden, replicated, cause } = renew;
        let Some((index, facet)) = self.eureka_find(&base, &app, &id) else {
            return Outcome::UnknownInstance;
        };
        let (held, shown) = ((index, facet.client), facet.shown.clone());
        if facet.from_peer && !replicated && self.mirror.is_on {
            // Its client left the peer and speaks to our nodes now: this one tells the peers from here on.
            self.leave_peer(held, &id, cause.reason, now);
        }
        let interval_ms = if self.is_kept_elsewhere(held) {
            self.pass_on(held);
            self.eureka_timing(&shown.instance, true).beat_interval_ms
        } else {
            self.renew_facet(held, cause.clone(), now, effects)
        };
        match last_dirty {
            Some(theirs) if theirs > shown.last_dirty => {
                if replicated && overridden != EurekaStatus::Unknown {
                    self.inherit_override(
                        index,
                        &id,
                        overridden,
                        true,
                        &mut Report::new(now, cause, effects),
                    );
                }
                Outcome::UnknownInstance
            }
            Some(theirs) if theirs < shown.last_dirty && replicated => Outcome::Conflict,
            Some(_) | None => Outcome::Renewed { interval_ms },
        }
    }

    /// What a peer told of is our own client's from now on.
    fn leave_peer(&mut self, held: LeaseKey, id: &str, reason: Reason, now: Now) {
        self.own_anew(held, reason, now);
        self.detach(held, Because::ItsOwner);
        let service = self.services.get_mut(held.0);
        if let Some(facet) = service.and_then(|service| service.facets.as_mut()?.get_mut(id)) {
            facet.from_peer = false;
        }
        self.attach_edited(held, reason);
    }

    /// Renews the lease of a registration that is ours, or is to be; gives how often to renew it, milliseconds.
    pub(crate) fn renew_facet(
        &mut self,
        held: LeaseKey,
        cause: Cause,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> u64 {
        let (index, client) = held;
        if self.claim_of(held).is_some_and(|claim| claim.owner != OURS || claim.adopted) {
            self.keep_on(held, now);
        }
        let ClientId::Eureka(id) = &self.clients.get(client).id else { return 0 };
        let Some(shown) = self.facet(index, id).map(|facet| facet.shown.clone()) else { return 0 };
        let timing = self.eureka_timing(&shown.instance, true);
        self.leases.renew_with(held, timing, now.mono);
        if shown.lost && !takes_calls(shown.instance.status) {
            // It declared something else than UP, and that goes on to show.
            self.detach(held, Because::ItsOwner);
            self.note_lost(index, client, false, now);
            self.attach_edited(held, Reason::BeatReturned);
        } else if shown.lost {
            let cause = Cause { reason: Reason::BeatReturned, ..cause };
            self.mark(index, client, true, &mut Report::new(now, cause, effects));
        }
        timing.beat_interval_ms
    }

    /// Whether the lease of what a client registered over Eureka is over; `None` if that is nothing.
    pub(crate) fn is_lost(&self, service: &Service, client: ClientIndex) -> Option<bool> {
        let ClientId::Eureka(id) = &self.clients.get(client).id else { return None };
        Some(service.facets.as_ref()?.get(id)?.shown.lost)
    }

    /// Notes that the lease of an Eureka registration is over, or that it is kept again; whether that changes what is
    /// shown of it by itself.
    pub(crate) fn note_lost(
        &mut self,
        index: ServiceIndex,
        client: ClientIndex,
        lost: bool,
        now: Now,
    ) -> bool {
        let ClientId::Eureka(id) = &self.clients.get(client).id else { return false };
        let service = self.services.get_mut(index);
        let facet = service.and_then(|service| service.facets.as_mut()?.get_mut(id));
        let Some(facet) = facet.filter(|facet| facet.shown.lost != lost) else { return false };
        let shown = Arc::make_mut(&mut facet.shown);
        shown.lost = lost;
        let status = status_of(shown.instance.status, lost);
        if status == shown.status {
            return false;
        }
        shown.status = status;
        shown.stamp = self.eureka.next_stamp();
        shown.action = EurekaAction::Modified;
        shown.times.updated = now.wall;
        true
    }

    /// When the lease of an Eureka registration was last renewed, by the wall clock; `None` if there is none.
    pub fn eureka_renewed(&self, base: &EurekaBase, app: &str, id: &str, now: Now) -> Option<Timestamp> {
        let (index, facet) = self.eureka_find(base, app, id)?;
        let beat = self.leases.last_beat((index, facet.client))?;
        Some(Timestamp(now.wall.0.saturating_sub(now.mono.since(beat))))
    }
}
