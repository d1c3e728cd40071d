//! Renewals: the most frequent request there is, so it allocates nothing and changes nothing that is shown.

use crate::{
    Effect, EurekaBase, EurekaRenew, Outcome, Registry,
    clients::ClientIndex,
    eureka::facet::{status_of, takes_calls},
    registry::Report,
    services::ServiceIndex,
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
        let (client, shown) = (facet.client, facet.shown.clone());
        let timing = self.eureka_timing(&shown.instance, true);
        let interval_ms = timing.beat_interval_ms;
        self.leases.renew_with((index, client), timing, now.mono);
        if shown.lost && !takes_calls(shown.instance.status) {
            // It declared something else than UP, and that goes on to show.
            self.set_lost(index, client, false, now);
        } else if shown.lost {
            let cause = Cause { reason: Reason::BeatReturned, ..cause.clone() };
            self.mark(index, client, true, &mut Report::new(now, cause, effects));
        }
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

    /// Notes that the lease of an Eureka registration is over, or that it is kept again; whether that changes what is
    /// shown of it by itself.
    pub(crate) fn set_lost(
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
