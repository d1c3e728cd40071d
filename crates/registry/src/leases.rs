//! Leases by beat: kept, renewed, and what happens when they run out.

use crate::{
    Beat, Effect, Outcome, Register, Registry, RegistryError, clients::ClientIndex, deadlines::Deadlines,
    op::kind_of, registry::Report, services::ServiceIndex,
};
use foldhash::HashMap;
use muster_model::{Actor, Cause, ClientId, Kind, Metadata, Monotonic, Now, Reason, Timing};

type LeaseKey = (ServiceIndex, ClientIndex);

#[derive(Debug)]
struct Lease {
    last_beat: Monotonic,
    /// When it is looked at next. A beat does not move that: when the time has come, what is left is looked at.
    armed_at: Monotonic,
    /// The default if absent, which is a box less for most.
    timing: Option<Box<Timing>>,
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
}

impl Leases {
    /// Makes a lease, or makes one anew.
    pub(crate) fn grant(
        &mut self,
        service: ServiceIndex,
        client: ClientIndex,
        timing: Timing,
        now: Monotonic,
    ) {
        let key = (service, client);
        let fresh = Lease { last_beat: now, armed_at: NEVER, timing: None };
        let lease = self.leases.entry(key).or_insert(fresh);
        lease.last_beat = now;
        lease.timing = (timing != Timing::default()).then(|| Box::new(timing));
        self.arm(key, now.plus(timing.beat_timeout_ms.min(timing.delete_timeout_ms)));
    }

    pub(crate) fn revoke(&mut self, service: ServiceIndex, client: ClientIndex) {
        self.leases.remove(&(service, client));
    }

    /// Looks at a lease again when its beats may make it unhealthy: its instance was set healthy from outside.
    pub(crate) fn recheck(&mut self, service: ServiceIndex, client: ClientIndex) {
        let key = (service, client);
        if let Some(lease) = self.leases.get(&key) {
            self.arm(key, lease.last_beat.plus(lease.timing().beat_timeout_ms));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Monotonic> {
        self.due.next()
    }

    fn renew(&mut self, key: LeaseKey, now: Monotonic) -> Option<Timing> {
        let lease = self.leases.get_mut(&key)?;
        lease.last_beat = now;
        Some(lease.timing())
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

    pub(crate) fn expire_leases(&mut self, now: Now, effects: &mut Vec<Effect>) {
        while let Some(key) = self.leases.pop_due(now.mono) {
            self.lease_due(key, now, effects);
        }
    }

    /// Looks at a lease whose deadline came: everything that a lost lease does happens here, so a brake on
    /// mass expiry has one place to hold.
    fn lease_due(&mut self, key: LeaseKey, now: Now, effects: &mut Vec<Effect>) {
        let Some(lease) = self.leases.leases.get(&key) else { return };
        let (last_beat, timing) = (lease.last_beat, lease.timing());
        if !self.is_beat_checked(key) {
            return self.leases.arm(key, now.mono.plus(timing.beat_timeout_ms.max(1)));
        }
        let cause = Cause { actor: Actor::default(), reason: Reason::BeatMissed };
        let mut report = Report::new(now, cause, effects);
        let removal = last_beat.plus(timing.delete_timeout_ms);
        if removal <= now.mono {
            self.unpublish(key.0, key.1, &mut report);
            return;
        }
        let unhealthy = last_beat.plus(timing.beat_timeout_ms);
        if unhealthy <= now.mono {
            self.mark(key.0, key.1, false, &mut report);
            self.leases.arm(key, removal);
        } else {
            self.leases.arm(key, unhealthy.min(removal));
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
