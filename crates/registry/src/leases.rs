//! Leases by beat: kept, renewed, and what happens when they run out.

use crate::{
    Beat, Effect, LeaseKind, Outcome, Register, Registry, RegistryError,
    brake::{BrakeChange, BrakeIndex, BrakeReport, Brakes, BrakesSummary, LeaseKey, Leave, Released},
    clients::{ClientIndex, Clients},
    deadlines::Deadlines,
    mirror::OURS,
    op::kind_of,
    registry::{Report, label},
    services::{ServiceIndex, Services},
};
use muster_model::{
    Actor, Cause, ClientId, HashMap, Kind, Metadata, Monotonic, Namespace, Now, Reason, ServiceKey, Timing,
};
use std::sync::Arc;

#[derive(Debug)]
struct Lease {
    last_beat: Monotonic,
    /// When it is looked at next; never while a brake holds it. A beat does not move that: when the time has come, what
    /// is left is looked at.
    armed_at: Monotonic,
    /// The default if absent, which is a box less for most.
    timing: Option<Box<Timing>>,
    brake: BrakeIndex,
}

impl Lease {
    fn timing(&self) -> Timing {
        self.timing.as_deref().copied().unwrap_or_default()
    }
}

const NEVER: Monotonic = Monotonic(u64::MAX);

/// All leases by beat. A beat costs no more than finding its lease.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    leases: HashMap<LeaseKey, Lease>,
    /// A deadline counts if it is the one its lease is armed for.
    due: Deadlines<LeaseKey>,
    pub(crate) brakes: Brakes,
}

impl Leases {
    /// Makes a lease, or makes one anew.
    pub(crate) fn grant(
        &mut self,
        key: LeaseKey,
        (namespace, kind): (&Namespace, LeaseKind),
        timing: Timing,
        now: Monotonic,
    ) {
        let interval_ms = timing.beat_interval_ms;
        let boxed = (timing != Timing::default()).then(|| Box::new(timing));
        if let Some(lease) = self.leases.get_mut(&key) {
            self.brakes.change_interval(lease.brake, lease.timing().beat_interval_ms, interval_ms);
            self.brakes.renewed(lease.brake, key, false, now);
            lease.last_beat = now;
            lease.timing = boxed;
        } else {
            let brake = self.brakes.enter(namespace, kind, interval_ms);
            self.leases.insert(key, Lease { last_beat: now, armed_at: NEVER, timing: boxed, brake });
        }
        self.arm(key, now.plus(timing.beat_timeout_ms.min(timing.delete_timeout_ms)));
    }

    /// Lets a lease last for so long from now at least; its next renewal makes it one like any other.
    pub(crate) fn extend(&mut self, key: LeaseKey, at_least_ms: u64, now: Monotonic) {
        if let Some(lease) = self.leases.get_mut(&key) {
            lease.last_beat = now.plus(at_least_ms.saturating_sub(lease.timing().delete_timeout_ms));
        }
    }

    pub(crate) fn revoke(&mut self, key: LeaseKey, now: Monotonic) {
        if let Some(lease) = self.leases.remove(&key) {
            self.brakes.leave(lease.brake, key, lease.timing().beat_interval_ms, now);
        }
    }

    /// Looks at a lease again when its beats may make it unhealthy: its instance was set healthy from outside.
    pub(crate) fn recheck(&mut self, service: ServiceIndex, client: ClientIndex) {
        let key = (service, client);
        if let Some(lease) = self.leases.get(&key) {
            self.arm(key, lease.last_beat.plus(lease.timing().beat_timeout_ms));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Monotonic> {
        [self.due.next(), self.brakes.next_deadline()].into_iter().flatten().min()
    }

    fn renew(&mut self, key: LeaseKey, now: Monotonic) -> Option<Timing> {
        let lease = self.leases.get_mut(&key)?;
        let was_extended = lease.last_beat > now;
        lease.last_beat = now;
        self.brakes.renewed(lease.brake, key, true, now);
        let (timing, is_late) = (lease.timing(), lease.armed_at == NEVER || was_extended);
        if is_late {
            self.arm(key, now.plus(timing.beat_timeout_ms.min(timing.delete_timeout_ms)));
        }
        Some(timing)
    }

    /// Renews a lease that from now on has another timing.
    pub(crate) fn renew_with(&mut self, key: LeaseKey, timing: Timing, now: Monotonic) {
        if let Some(lease) = self.leases.get_mut(&key) {
            match &mut lease.timing {
                Some(held) => **held = timing,
                None => lease.timing = Some(Box::new(timing)),
            }
        }
        self.renew(key, now);
    }

    /// The timing of a lease.
    pub(crate) fn timing(&self, key: LeaseKey) -> Option<Timing> {
        self.leases.get(&key).map(Lease::timing)
    }

    /// When a lease was last renewed.
    pub(crate) fn last_beat(&self, key: LeaseKey) -> Option<Monotonic> {
        self.leases.get(&key).map(|lease| lease.last_beat)
    }

    /// Makes sure that the lease is looked at no later than `at`.
    fn arm(&mut self, key: LeaseKey, at: Monotonic) {
        let Some(lease) = self.leases.get_mut(&key) else { return };
        if lease.armed_at <= at {
            return;
        }
        lease.armed_at = at;
        self.due.push(at, key);
        let leases = &self.leases;
        let is_armed = |at, key: &LeaseKey| leases.get(key).is_some_and(|lease| lease.armed_at == at);
        self.due.retain(leases.len(), is_armed);
    }

    /// A lease whose deadline is due, disarmed.
    fn pop_due(&mut self, now: Monotonic) -> Option<LeaseKey> {
        while let Some((at, key)) = self.due.pop_due(now) {
            if let Some(lease) = self.leases.get_mut(&key).filter(|lease| lease.armed_at == at) {
                lease.armed_at = NEVER;
                return Some(key);
            }
        }
        None
    }

    #[cfg(test)]
    pub(crate) fn deadlines(&self) -> usize {
        self.due.len()
    }
}

impl Registry {
    pub(crate) fn beat(
        &mut self,
        beat: Beat,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        let Beat { client: id, origin, service, full, cause } = beat;
        let known = self.services.find(&service).zip(self.clients.find(&id));
        if let Some(outcome) = known.and_then(|key| self.beat_elsewhere(key, now)) {
            return Ok(outcome);
        }
        if let Some((key, timing)) = known.and_then(|key| Some((key, self.leases.renew(key, now.mono)?))) {
            let cause = Cause { reason: Reason::BeatReturned, ..cause };
            if self.mark(key.0, key.1, true, &mut Report::new(now, cause, effects)) {
                self.leases.arm(key, now.mono.plus(timing.beat_timeout_ms.min(timing.delete_timeout_ms)));
            }
            return Ok(Outcome::Renewed { interval_ms: timing.beat_interval_ms });
        }
        match full {
            Some(instance) if matches!(id, ClientId::Address(..)) && kind_of(&id) == Kind::Ephemeral => {
                let interval_ms = Timing::of(&instance.metadata).beat_interval_ms;
                let instances = vec![instance];
                self.register(Register { client: id, origin, service, instances, cause }, now, effects)?;
                Ok(Outcome::Registered { interval_ms })
            }
            _ => Ok(Outcome::UnknownInstance),
        }
    }

    /// A beat for what is not ours alone: answered and passed on if its owner is heard; else it becomes ours.
    fn beat_elsewhere(&mut self, key: LeaseKey, now: Now) -> Option<Outcome> {
        let publication = self.services.get(key.0)?.publications.get(&key.1)?;
        if publication.claim.owner == OURS && !publication.claim.adopted {
            return None;
        }
        if !matches!(&self.clients.get(key.1).id, ClientId::Address(_, _, Kind::Ephemeral)) {
            return None;
        }
        if !self.is_kept_elsewhere(key) {
            self.keep_on(key, now);
            return None;
        }
        let metadata = publication.instances.first().map(|instance| &instance.metadata)?;
        let interval_ms = Timing::of(metadata).beat_interval_ms;
        self.pass_on(key);
        Some(Outcome::Renewed { interval_ms })
    }

    pub(crate) fn expire_leases(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for (change, held) in self.leases.brakes.release_due(now.mono) {
            let reason = match change.released {
                Some(Released::HeldTooLong) => Reason::HeldTooLong,
                _ => Reason::BeatReturned,
            };
            let cause = Cause { actor: Actor::default(), reason };
            self.tell_brake(change, &mut Report::new(now, cause, effects));
            self.look_again(held, now.mono);
        }
        while let Some(key) = self.leases.pop_due(now.mono) {
            self.lease_due(key, now, effects);
        }
    }

    /// Releases a brake: what it held takes its course at the next [`Registry::expire`].
    pub(crate) fn release_brake(
        &mut self,
        namespace: &Namespace,
        kind: LeaseKind,
        mut report: Report<'_>,
    ) -> Outcome {
        let Some((change, held)) = self.leases.brakes.release(namespace, kind, report.now.mono) else {
            return Outcome::Unchanged;
        };
        self.look_again(held, report.now.mono);
        self.tell_brake(change, &mut report);
        Outcome::Done
    }

    fn look_again(&mut self, held: Vec<LeaseKey>, now: Monotonic) {
        held.into_iter().for_each(|key| self.leases.arm(key, now));
    }

    /// Tells of a brake, and writes it down beside the instance that engaged it.
    fn tell_brake(&self, change: BrakeChange, report: &mut Report<'_>) {
        let revision = match self.services.by_key(&change.service) {
            Some(service) => service.latest.get(),
            None => self.revision(),
        };
        let what = if change.released.is_some() { "expiry released" } else { "expiry held" };
        report.record(&change.service, revision, change.instance.clone(), what);
        report.effects.push(Effect::Brake(change));
    }

    /// The brakes, by namespace and kind of lease; only where there are leases.
    pub fn brakes(&self, now: Monotonic) -> Vec<BrakeReport> {
        self.leases.brakes.reports(now)
    }

    /// Figures of all brakes together.
    pub fn brakes_summary(&self) -> BrakesSummary {
        self.leases.brakes.summary()
    }

    /// Whether Eureka leases are under a brake (`eureka.self_preservation`, on): if not, each that runs out takes its course.
    pub fn set_self_preservation(&mut self, on: bool) {
        self.leases.brakes.self_preservation = on;
    }

    /// Looks at a lease whose deadline came: everything that a lost lease does happens here, so a brake on
    /// mass expiry has one place to hold.
    fn lease_due(&mut self, key: LeaseKey, now: Now, effects: &mut Vec<Effect>) {
        let Some(lease) = self.leases.leases.get(&key) else { return };
        let (last_beat, timing, brake) = (lease.last_beat, lease.timing(), lease.brake);
        if !self.is_beat_checked(key) {
            return self.leases.arm(key, now.mono.plus(timing.beat_timeout_ms.max(1)));
        }
        let cause = Cause { actor: Actor::default(), reason: Reason::BeatMissed };
        let mut report = Report::new(now, cause, effects);
        let removal = last_beat.plus(timing.delete_timeout_ms);
        let unhealthy = last_beat.plus(timing.beat_timeout_ms);
        if removal.min(unhealthy) > now.mono {
            return self.leases.arm(key, unhealthy.min(removal));
        }
        let named = || named(&self.services, &self.clients, key);
        match self.leases.brakes.admits(brake, key, removal, now, named) {
            Leave::Granted => {}
            Leave::Held => return,
            Leave::Engaged(change) => return self.tell_brake(change, &mut report),
        }
        if removal <= now.mono {
            self.leases.brakes.lost(brake, key);
            self.unpublish(key.0, key.1, &mut report);
        } else {
            self.mark(key.0, key.1, false, &mut report);
            self.leases.arm(key, removal);
        }
    }

    /// Metadata of the instance, of its override or of its service can switch the check off
    /// (nacos-grpc.md 4.4: `enableClientBeat`).
    fn is_beat_checked(&self, (service, client): LeaseKey) -> bool {
        let switched_off = |metadata: &Metadata| {
            metadata.get("enableClientBeat").is_some_and(|v| v.eq_ignore_ascii_case("true"))
        };
        let Some(service) = self.services.get(service) else { return true };
        let Some(instance) = service.publications.get(&client).and_then(|found| found.instances.first())
        else {
            return true;
        };
        let over = self.override_of(&service.key, instance);
        !(switched_off(&instance.metadata)
            || over.is_some_and(|over| switched_off(&over.metadata))
            || service.explicit.as_ref().is_some_and(|explicit| switched_off(&explicit.spec.metadata)))
    }
}

/// The service and the instance of a lease, to tell of it.
fn named(services: &Services, clients: &Clients, (service, client): LeaseKey) -> (ServiceKey, Arc<str>) {
    let service = services.get(service).expect("a lease is revoked before its service goes");
    let instance = service.publications.get(&client).and_then(|found| found.instances.first());
    // An Eureka instance whose address is none to Nacos has no other name there.
    let instance = instance.map_or_else(|| clients.get(client).id.to_string().into(), label);
    (service.key.clone(), instance)
}
