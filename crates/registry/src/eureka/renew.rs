//! Renewals: the most frequent request there is, so it allocates nothing and changes nothing that is shown.

use crate::{
    Effect, EurekaBase, EurekaRenew, Outcome, Registry, clients::ClientIndex, eureka::facet::status_of,
    registry::Report, services::ServiceIndex,
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
        if shown.lost {
            let cause = Cause { reason: Reason::BeatReturned, ..cause.clone() };
            self.mark(index, client, true, &mut Report::new(now, cause, effects));
        }
        match last_dirty {
            Some(theirs) if theirs > shown.last_dirty => {
                if replicated && overridden != EurekaStatus::Unknown {
                    self.inherit_override(index, &id, overridden, &mut Report::new(now, cause, effects));
                }
                Outcome::UnknownInstance
            }
            Some(theirs) if theirs < shown.last_dirty && replicated => Outcome::Conflict,
            Some(_) | None => Outcome::Renewed { interval_ms },
        }
    }

    /// Notes that a lease is over, or that it is kept again.
    pub(crate) fn set_lost(&mut self, index: ServiceIndex, client: ClientIndex, lost: bool, now: Now) {
        let ClientId::Eureka(id) = &self.clients.get(client).id else { return };
        let Some(service) = self.services.get_mut(index) else { return };
        let Some(facet) = service.facets.as_mut().and_then(|facets| facets.get_mut(id)) else { return };
        if facet.shown.lost == lost {
            return;
        }
        let shown = Arc::make_mut(&mut facet.shown);
        shown.lost = lost;
        shown.stamp = self.eureka.next_stamp();
        shown.status = status_of(shown.instance.status, lost);
        shown.action = EurekaAction::Modified;
        shown.times.updated = now.wall;
        if shown.status == EurekaStatus::Up && shown.times.service_up == Timestamp(0) {
            shown.times.service_up = now.wall;
        }
    }

    /// When the lease of an Eureka registration was last renewed, by the wall clock; `None` if there is none.
    pub fn eureka_renewed(&self, base: &EurekaBase, app: &str, id: &str, now: Now) -> Option<Timestamp> {
        let (index, facet) = self.eureka_find(base, app, id)?;
        let beat = self.leases.last_beat((index, facet.client))?;
        Some(Timestamp(now.wall.0.saturating_sub(now.mono.since(beat))))
    }
}
