//! Publications of connections that are gone with an earlier process, until they are confirmed or given up.

use crate::{
    Effect, Registry,
    brake::LeaseKey,
    clients::ClientIndex,
    mirror::{Because, OURS},
    registry::Report,
    services::{Publication, ServiceIndex, Services},
};
use muster_model::{
    Actor, Cause, ClientId, ClusterName, HashMap, Host, Instance, Kind, Monotonic, Now, Reason,
};
use std::{collections::VecDeque, sync::Arc};

/// How long an orphan stays that a registration at another node confirms: our removal reaches third nodes by another stream than
/// the registration, and must not come first.
const GIVES_WAY_AFTER_MS: u64 = 1_000;

/// Orphans given up in one call: their removal takes the registry's lock, which is short.
const GIVEN_UP_MAX: usize = 1_000;

type Place = (ServiceIndex, ClusterName, Host, u16);

/// All orphans. There are some for the first half minute after a start.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    by_place: HashMap<Place, ClientIndex>,
    /// In the order in which they are given up.
    due: VecDeque<(Monotonic, LeaseKey)>,
    /// When each is given up: it may have been claimed back and orphaned again meanwhile.
    until: HashMap<LeaseKey, Monotonic>,
    /// By the registration at another node that confirmed them: orphans, each with the instance that gives way.
    confirmed: HashMap<LeaseKey, Vec<(LeaseKey, Instance)>>,
    /// These registrations, in the order in which the orphans give way.
    confirmed_due: VecDeque<(Monotonic, LeaseKey)>,
}

fn publication_of(services: &Services, (index, client): LeaseKey) -> Publication {
    let found = services.get(index).and_then(|service| service.publications.get(&client));
    found.cloned().expect("it was looked at before")
}

fn place(service: ServiceIndex, instance: &Instance) -> Place {
    (service, instance.cluster.clone(), instance.host.clone(), instance.port)
}

impl Orphans {
    /// Notes a publication that is given up then, if nobody confirms it.
    pub(crate) fn add(&mut self, (service, client): LeaseKey, instances: &[Instance], until: Monotonic) {
        self.by_place.extend(instances.iter().map(|instance| (place(service, instance), client)));
        // Nearly always the last: what was restored waits for less long, and comes first.
        let later = self.due.partition_point(|(at, _)| *at <= until);
        self.due.insert(later, (until, (service, client)));
        self.until.insert((service, client), until);
    }

    pub(crate) fn next_deadline(&self) -> Option<Monotonic> {
        let confirmed = self.confirmed_due.front().map(|(at, _)| *at);
        [self.next_due(), confirmed].into_iter().flatten().min()
    }

    fn next_due(&self) -> Option<Monotonic> {
        self.due.front().map(|(at, _)| *at)
    }

    fn forget(&mut self, (service, client): LeaseKey, instances: &[Instance]) {
        for instance in instances {
            let place = place(service, instance);
            if self.by_place.get(&place) == Some(&client) {
                self.by_place.remove(&place);
            }
        }
    }
}

impl Registry {
    /// Somebody registered these instances here: what an earlier connection left of them is confirmed, and gives way. That is
    /// part of the registration, so it is no change of its own.
    pub(crate) fn confirm_orphans(
        &mut self,
        service: ServiceIndex,
        client: ClientIndex,
        instances: &[Instance],
        now: Now,
    ) {
        for (orphan, instance) in self.take_confirmed(service, client, instances) {
            self.give_way(orphan, &instance, now);
        }
    }

    /// As [`Registry::confirm_orphans`], of a registration at another node: they give way a little later, or with it.
    pub(crate) fn confirm_orphans_elsewhere(
        &mut self,
        service: ServiceIndex,
        client: ClientIndex,
        instances: &[Instance],
        now: Now,
    ) {
        let confirmed = self.take_confirmed(service, client, instances);
        if !confirmed.is_empty() {
            let (at, by) = (now.mono.plus(GIVES_WAY_AFTER_MS), (service, client));
            self.orphans.confirmed_due.push_back((at, by));
            self.orphans.confirmed.entry(by).or_default().extend(confirmed);
        }
    }

    /// The orphans that have any of these instances, each with the one.
    fn take_confirmed(
        &mut self,
        service: ServiceIndex,
        client: ClientIndex,
        instances: &[Instance],
    ) -> Vec<(LeaseKey, Instance)> {
        let mut confirmed = Vec::new();
        if self.orphans.by_place.is_empty() {
            return confirmed;
        }
        for instance in instances {
            let place = place(service, instance);
            if self.orphans.by_place.get(&place).is_some_and(|orphan| *orphan != client)
                && let Some(orphan) = self.orphans.by_place.remove(&place)
                && self.is_orphan((service, orphan))
            {
                confirmed.push(((service, orphan), instance.clone()));
            }
        }
        confirmed
    }

    /// Has those give way that were confirmed at other nodes a while ago, some of them a call.
    pub(crate) fn yield_confirmed(&mut self, now: Now) {
        for _ in 0..GIVEN_UP_MAX {
            let due = self.orphans.confirmed_due.pop_front_if(|(at, _)| *at <= now.mono);
            let Some((_, by)) = due else { break };
            self.yield_to(by, now);
        }
    }

    /// Has those give way that this registration confirmed: their time has come, or it goes itself.
    pub(crate) fn yield_to(&mut self, by: LeaseKey, now: Now) {
        for (orphan, instance) in self.orphans.confirmed.remove(&by).unwrap_or_default() {
            if self.is_orphan(orphan) {
                self.give_way(orphan, &instance, now);
            }
        }
    }

    /// Whether a publication waits here to be confirmed: of a connection that is gone, and ours to give up.
    fn is_orphan(&self, held: LeaseKey) -> bool {
        self.claim_at(held).is_some_and(|(claim, _)| claim.owner == OURS && claim.adopted)
            && matches!(&self.clients.get(held.1).id, ClientId::Connection(_))
    }

    /// Takes one instance out of an orphan, without a word here.
    fn give_way(&mut self, held: LeaseKey, confirmed: &Instance, now: Now) {
        let (index, orphan) = held;
        let Some(publication) = self.services.get(index).and_then(|found| found.publications.get(&orphan))
        else {
            return;
        };
        let is_other = |instance: &&Instance| place(index, instance) != place(index, confirmed);
        let left: Arc<[Instance]> = publication.instances.iter().filter(is_other).cloned().collect();
        if left.is_empty() {
            self.depart(held, Reason::Registered, now);
            return self.drop_publication(index, orphan);
        }
        self.detach(held, Because::ItsOwner);
        let left = Publication { instances: left, ..publication_of(&self.services, held) };
        self.insert(index, orphan, left);
        self.attach_edited(held, Reason::Registered);
    }

    /// Removes a publication without a word: no effects, and no new revision.
    pub(crate) fn drop_publication(&mut self, index: ServiceIndex, client: ClientIndex) {
        let Some(service) = self.services.get_mut(index) else { return };
        let Some(old) = service.publications.remove(&client) else { return };
        service.instances -= old.instances.len();
        service.persistent -= u32::from(old.stamp.kind() == Kind::Persistent);
        self.instances -= old.instances.len();
        self.publications -= 1;
        self.clients.unpublish(client, index);
    }

    /// Gives up orphans whose time is over, some of them a call.
    pub(crate) fn expire_orphans(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for _ in 0..GIVEN_UP_MAX {
            if self.orphans.next_due().is_none_or(|at| at > now.mono) {
                break;
            }
            let Some((at, held)) = self.orphans.due.pop_front() else { break };
            if self.orphans.until.get(&held) != Some(&at) {
                continue;
            }
            self.orphans.until.remove(&held);
            // Its places may be others' by now: those of a new service and of a client that is no orphan.
            let (service, client) = held;
            let publication = self.services.get(service).and_then(|found| found.publications.get(&client));
            let Some(instances) = publication.map(|publication| publication.instances.clone()) else {
                continue;
            };
            if self.is_orphan(held) {
                self.orphans.forget(held, &instances);
                let cause = Cause { actor: Actor::default(), reason: Reason::NotConfirmed };
                self.unpublish(service, client, &mut Report::new(now, cause, effects));
            }
        }
        if self.orphans.due.is_empty() && self.orphans.confirmed_due.is_empty() {
            self.orphans = Orphans::default();
        }
    }
}
