//! The brake on mass expiry: when many leases of a kind run out at once, it is more likely that this server or the
//! network is at fault than that so many instances died, so they are kept as they are.
//!
//! There is one brake a namespace and kind of lease. A lease that ran out asks for leave ([`Brakes::admits`]) before
//! its instance is marked down or removed. What counts is when the removal is or was due, so that a rack that fell
//! silent engages the brake while its first instances are marked down, not when they are removed. Work a renewal
//! and an expiry is constant: at most 119 seconds are looked at.

mod renewals;
mod report;
mod rules;

pub use report::{BrakeChange, BrakeReport, BrakeRule, BrakesSummary, Released};

use crate::{
    clients::ClientIndex,
    services::ServiceIndex,
    slab::{Index, Slab},
};
use muster_model::{
    HashMap, Monotonic, Namespace, Now, ServiceKey, Timestamp,
    mutation::{self, Mutation},
};
use renewals::Renewals;
use rules::{Removals, SMALL, exceeds, has_recovered, keeps_up};
use std::sync::Arc;

pub(crate) type LeaseKey = (ServiceIndex, ClientIndex);

/// On-time leases at more than the engaging share for so long release the brake, milliseconds.
const RECOVERED_AFTER_MS: u64 = 60_000;
/// An engaged brake is released after this time whatever happens, milliseconds.
const HELD_MAX_MS: u64 = 30 * 60_000;
/// How long after a release by command what runs out is let go, milliseconds: the rest of those the operator gave up.
const COMMAND_GRACE_MS: u64 = 60_000;

/// What renews a lease. Kinds have brakes of their own, because they fail apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeaseKind {
    /// Beats of a Nacos HTTP client.
    Beat,
    /// Renewals of an Eureka client.
    Eureka,
}

impl LeaseKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Beat, Self::Eureka];

    /// Its name in Muster's own API: `beat` or `eureka`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Beat => "beat",
            Self::Eureka => "eureka",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Which brake a lease is under; valid while the lease is.
pub(crate) type BrakeIndex = Index<Brake>;

/// A lease that ran out and was not renewed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// Marked down; its removal is counted in this second.
    Counted(u64),
    /// Let go by a release, so not counted.
    LetGo,
    /// Held by the engaged brake, as it was before it ran out.
    Held,
}

/// An engaged brake.
#[derive(Debug)]
struct Engaged {
    since: Monotonic,
    since_wall: Timestamp,
    rule: BrakeRule,
    /// Since when enough leases are on time again.
    recovering: Option<Monotonic>,
    /// The instance whose lease would have been one too many.
    service: ServiceKey,
    instance: Arc<str>,
}

/// The leases of one kind in one namespace.
#[derive(Debug)]
pub(crate) struct Brake {
    namespace: Namespace,
    kind: LeaseKind,
    leases: usize,
    renewals: Renewals,
    removals: Removals,
    silent: HashMap<LeaseKey, Silence>,
    held: usize,
    engaged: Option<Engaged>,
    /// Until then nothing is counted or held.
    released_until: Monotonic,
}

/// All brakes.
#[derive(Debug)]
pub(crate) struct Brakes {
    slab: Slab<Brake>,
    by_place: HashMap<Namespace, [Option<BrakeIndex>; 2]>,
    engaged: Vec<BrakeIndex>,
    /// Times a brake was engaged since the start.
    engagements: u64,
    /// Whether Eureka leases are under a brake at all (`eureka.self_preservation`).
    pub(crate) self_preservation: bool,
}

impl Default for Brakes {
    fn default() -> Self {
        Self {
            slab: Slab::default(),
            by_place: HashMap::default(),
            engaged: Vec::new(),
            engagements: 0,
            self_preservation: true,
        }
    }
}

/// May a lease that ran out take its course?
#[derive(Debug)]
pub(crate) enum Leave {
    /// Yes.
    Granted,
    /// No: it stays as it is until the brake is released or it is renewed.
    Held,
    /// As `Held`, and this one engaged the brake.
    Engaged(BrakeChange),
}

impl Brakes {
    /// The brake for a new lease, which counts from now.
    pub(crate) fn enter(&mut self, namespace: &Namespace, kind: LeaseKind, interval_ms: u64) -> BrakeIndex {
        let places = self.by_place.entry(namespace.clone()).or_default();
        let index = *places[kind as usize].get_or_insert_with(|| {
            self.slab.insert(Brake {
                namespace: namespace.clone(),
                kind,
                leases: 0,
                renewals: Renewals::default(),
                removals: Removals::default(),
                silent: HashMap::default(),
                held: 0,
                engaged: None,
                released_until: Monotonic(0),
            })
        });
        let brake = self.at(index);
        brake.leases += 1;
        brake.renewals.expect(interval_ms);
        index
    }

    /// A lease ended, for whatever reason. The last one takes its brake with it.
    pub(crate) fn leave(&mut self, index: BrakeIndex, key: LeaseKey, interval_ms: u64, now: Monotonic) {
        let brake = self.at(index);
        brake.forget_silence(key);
        brake.leases -= 1;
        brake.renewals.expect_no_more(interval_ms);
        brake.look_for_recovery(now);
        if brake.leases > 0 {
            return;
        }
        let Some(brake) = self.slab.remove(index) else { return };
        self.engaged.retain(|engaged| *engaged != index);
        if let Some(places) = self.by_place.get_mut(&brake.namespace) {
            places[brake.kind as usize] = None;
            if places.iter().all(Option::is_none) {
                self.by_place.remove(&brake.namespace);
            }
        }
    }

    /// A client gave its lease another interval.
    pub(crate) fn change_interval(&mut self, index: BrakeIndex, old_ms: u64, new_ms: u64) {
        let brake = self.at(index);
        brake.renewals.expect_no_more(old_ms);
        brake.renewals.expect(new_ms);
    }

    /// A lease was renewed: by a beat or an Eureka renewal if `counts`, else by registering anew.
    pub(crate) fn renewed(&mut self, index: BrakeIndex, key: LeaseKey, counts: bool, now: Monotonic) {
        let brake = self.at(index);
        if counts && brake.kind == LeaseKind::Eureka {
            brake.renewals.count(now);
        }
        if brake.forget_silence(key) {
            brake.look_for_recovery(now);
        }
    }

    /// Asks whether a lease that ran out may take its course. Its instance goes, or went, at `removal`.
    pub(crate) fn admits(
        &mut self,
        index: BrakeIndex,
        key: LeaseKey,
        removal: Monotonic,
        now: Now,
        instance: impl FnOnce() -> (ServiceKey, Arc<str>),
    ) -> Leave {
        let off = !self.self_preservation;
        let brake = self.at(index);
        if off && brake.kind == LeaseKind::Eureka
            || brake.released_until > now.mono
            || mutation::is_on(Mutation::ExpireBraked)
        {
            brake.let_go(key);
            return Leave::Granted;
        }
        if brake.engaged.is_some() {
            brake.hold(key, now.mono);
            return Leave::Held;
        }
        let Some(rule) = brake.broken_rule(key, removal.max(now.mono), now.mono) else {
            return Leave::Granted;
        };
        let (service, instance) = instance();
        brake.engaged = Some(Engaged {
            since: now.mono,
            since_wall: now.wall,
            rule,
            recovering: None,
            service,
            instance,
        });
        brake.hold(key, now.mono);
        let change = brake.change(None);
        self.engaged.push(index);
        self.engagements += 1;
        Leave::Engaged(change)
    }

    /// The instance of a lease is removed because the lease is lost. What is counted of it stays.
    pub(crate) fn lost(&mut self, index: BrakeIndex, key: LeaseKey) {
        let brake = self.at(index);
        if brake.silent.remove(&key) == Some(Silence::Held) {
            brake.held -= 1;
        }
    }

    /// When [`Brakes::release_due`] may have something to do.
    pub(crate) fn next_deadline(&self) -> Option<Monotonic> {
        self.engaged.iter().filter_map(|index| self.slab.get(*index)?.next_deadline()).min()
    }

    /// Releases what has recovered or was held for too long; the held leases are to be looked at again.
    pub(crate) fn release_due(&mut self, now: Monotonic) -> Vec<(BrakeChange, Vec<LeaseKey>)> {
        if self.engaged.is_empty() {
            return Vec::new();
        }
        let due = |brake: &Brake| brake.release_cause(now);
        let due: Vec<_> =
            self.engaged.iter().filter_map(|index| Some((*index, due(self.slab.get(*index)?)?))).collect();
        due.into_iter().filter_map(|(index, why)| self.release_at(index, why, now)).collect()
    }

    /// Releases a brake by command; `None` if it is not engaged.
    pub(crate) fn release(
        &mut self,
        namespace: &Namespace,
        kind: LeaseKind,
        now: Monotonic,
    ) -> Option<(BrakeChange, Vec<LeaseKey>)> {
        let index = self.by_place.get(namespace)?[kind as usize]?;
        self.release_at(index, Released::ByCommand, now)
    }

    fn release_at(
        &mut self,
        index: BrakeIndex,
        why: Released,
        now: Monotonic,
    ) -> Option<(BrakeChange, Vec<LeaseKey>)> {
        let brake = self.slab.get_mut(index)?;
        brake.engaged.as_ref()?;
        let change = brake.change(Some(why));
        brake.engaged = None;
        self.engaged.retain(|engaged| *engaged != index);
        Some((change, brake.resume(why, now)))
    }

    /// Each brake, by namespace and kind.
    pub(crate) fn reports(&self, now: Monotonic) -> Vec<BrakeReport> {
        let mut reports: Vec<_> = self.slab.iter().map(|brake| brake.report(now)).collect();
        reports.sort_by(|a, b| (&a.namespace, a.kind).cmp(&(&b.namespace, b.kind)));
        reports
    }

    /// Figures of all brakes together.
    pub(crate) fn summary(&self) -> BrakesSummary {
        let engaged = || self.engaged.iter().filter_map(|index| self.slab.get(*index));
        BrakesSummary {
            engaged: engaged().count(),
            held: engaged().map(|brake| brake.held).sum(),
            engagements: self.engagements,
        }
    }

    fn at(&mut self, index: BrakeIndex) -> &mut Brake {
        self.slab.get_mut(index).expect("a brake is there as long as it has leases")
    }
}

impl Brake {
    /// The rule that forbids this removal, if one does; else the removal is counted.
    fn broken_rule(&mut self, key: LeaseKey, removal: Monotonic, now: Monotonic) -> Option<BrakeRule> {
        if let Some(Silence::Counted(_) | Silence::LetGo) = self.silent.get(&key) {
            // It had leave when it was marked down.
            return None;
        }
        if self.leases >= SMALL {
            let count = self.removals.densest_with(removal, now) + 1;
            if exceeds(count, self.leases + self.removals.past(now)) {
                return Some(BrakeRule::Share);
            }
        } else if self.kind == LeaseKind::Eureka
            && !keeps_up(self.renewals.recent(now), self.renewals.expected())
        {
            return Some(BrakeRule::EurekaRenewals);
        }
        let second = self.removals.add(removal, now);
        self.silent.insert(key, Silence::Counted(second));
        None
    }

    fn hold(&mut self, key: LeaseKey, now: Monotonic) {
        match self.silent.insert(key, Silence::Held) {
            Some(Silence::Held) => {}
            Some(Silence::Counted(second)) => {
                self.removals.take_back(second);
                self.held += 1;
            }
            Some(Silence::LetGo) | None => self.held += 1,
        }
        self.look_for_recovery(now);
    }

    fn let_go(&mut self, key: LeaseKey) {
        self.forget_silence(key);
        self.silent.insert(key, Silence::LetGo);
    }

    /// Whether there was any.
    fn forget_silence(&mut self, key: LeaseKey) -> bool {
        match self.silent.remove(&key) {
            None => return false,
            Some(Silence::Counted(second)) => self.removals.take_back(second),
            Some(Silence::Held) => self.held -= 1,
            Some(Silence::LetGo) => {}
        }
        if self.silent.is_empty() {
            self.silent.shrink_to_fit();
        }
        true
    }

    /// Notes since when enough leases are on time.
    fn look_for_recovery(&mut self, now: Monotonic) {
        let recovered = has_recovered(self.silent.len(), self.leases);
        if let Some(engaged) = &mut self.engaged {
            engaged.recovering = if recovered { engaged.recovering.or(Some(now)) } else { None };
        }
    }

    fn next_deadline(&self) -> Option<Monotonic> {
        let engaged = self.engaged.as_ref()?;
        let latest = engaged.since.plus(HELD_MAX_MS);
        let recovery = engaged.recovering.map(|since| since.plus(RECOVERED_AFTER_MS));
        // The rules for few leases are asked each time: the node's timers run at least once a second.
        recovery.filter(|_| self.leases >= SMALL).into_iter().chain([latest]).min()
    }

    fn release_cause(&self, now: Monotonic) -> Option<Released> {
        let engaged = self.engaged.as_ref()?;
        if self.kind == LeaseKind::Beat && self.leases < SMALL {
            return Some(Released::FewLeases);
        }
        let recovered = match engaged.rule {
            BrakeRule::Share if self.leases >= SMALL => {
                engaged.recovering.is_some_and(|since| since.plus(RECOVERED_AFTER_MS) <= now)
            }
            BrakeRule::Share | BrakeRule::EurekaRenewals => {
                keeps_up(self.renewals.recent(now), self.renewals.expected())
            }
        };
        if recovered {
            Some(Released::Recovered)
        } else {
            (engaged.since.plus(HELD_MAX_MS) <= now).then_some(Released::HeldTooLong)
        }
    }

    /// The leases that are silent, to be looked at again: let go if somebody gave them up, else counted anew.
    fn resume(&mut self, why: Released, now: Monotonic) -> Vec<LeaseKey> {
        let held = self.silent.iter().filter(|(_, silence)| **silence == Silence::Held);
        let held: Vec<_> = held.map(|(key, _)| *key).collect();
        self.held = 0;
        match why {
            Released::Recovered | Released::FewLeases => {
                self.silent.retain(|_, silence| *silence != Silence::Held);
            }
            Released::ByCommand | Released::HeldTooLong => {
                self.silent.values_mut().for_each(|silence| *silence = Silence::LetGo);
                self.removals = Removals::default();
            }
        }
        if why == Released::ByCommand {
            self.released_until = now.plus(COMMAND_GRACE_MS);
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{GroupName, ServiceName};

    const INTERVAL_MS: u64 = 30_000;

    fn key(number: u32) -> LeaseKey {
        (ServiceIndex::test(0), ClientIndex::test(number))
    }

    fn at(secs: u64) -> Now {
        Now { mono: Monotonic(secs * 1_000), wall: Timestamp(secs * 1_000) }
    }

    fn named() -> (ServiceKey, Arc<str>) {
        let name = ServiceName::new("s").unwrap();
        (ServiceKey::new(Namespace::default(), GroupName::default(), name), "i".into())
    }

    /// Eureka leases of which `alive` were renewed every 30 s for two minutes, and the verdict on the last one.
    fn small(leases: u32, alive: u32) -> (Brakes, BrakeIndex, Leave) {
        let mut brakes = Brakes::default();
        let mut index = None;
        for _ in 0..leases {
            index = Some(brakes.enter(&Namespace::default(), LeaseKind::Eureka, INTERVAL_MS));
        }
        let index = index.unwrap();
        for secs in [10, 40, 70, 100] {
            (0..alive).for_each(|number| brakes.renewed(index, key(number), true, at(secs).mono));
        }
        let leave = brakes.admits(index, key(leases - 1), at(120).mono, at(120), named);
        (brakes, index, leave)
    }

    #[test]
    fn few_eureka_leases_go_by_eureka_s_own_rule() {
        for (leases, alive, held) in
            [(1, 0, true), (2, 1, true), (6, 5, true), (7, 6, false), (9, 8, false), (9, 7, true)]
        {
            let (_, _, leave) = small(leases, alive);
            assert_eq!(matches!(leave, Leave::Engaged(_)), held, "{leases} {alive} {leave:?}");
        }
    }

    #[test]
    fn a_few_are_let_go_when_enough_renew_again() {
        let (mut brakes, index, leave) = small(3, 2);
        let Leave::Engaged(change) = leave else { panic!("{leave:?}") };
        assert_eq!((change.rule, change.leases, change.held), (BrakeRule::EurekaRenewals, 3, 1));
        assert!(brakes.release_due(at(121).mono).is_empty());
        // Two that renew twice as often as they should make up for the third.
        for secs in [130, 145, 160, 175] {
            (0..2).for_each(|number| brakes.renewed(index, key(number), true, at(secs).mono));
        }
        let released = brakes.release_due(at(176).mono);
        let [(change, held)] = &released[..] else { panic!("{released:?}") };
        assert_eq!((change.released, &held[..]), (Some(Released::Recovered), &[key(2)][..]));
        assert!(matches!(brakes.admits(index, key(2), at(120).mono, at(176), named), Leave::Granted));
    }

    #[test]
    fn without_self_preservation_every_eureka_lease_takes_its_course() {
        let mut brakes = Brakes { self_preservation: false, ..Brakes::default() };
        let namespace = Namespace::default();
        for kind in LeaseKind::ALL {
            let index = (0..100).map(|_| brakes.enter(&namespace, kind, INTERVAL_MS)).last().unwrap();
            let held = (0..100).filter(|number| {
                let (key, now) = (key(*number), at(9));
                let is_held = !matches!(brakes.admits(index, key, now.mono, now, named), Leave::Granted);
                if !is_held {
                    brakes.lost(index, key);
                    brakes.leave(index, key, INTERVAL_MS, now.mono);
                }
                is_held
            });
            assert_eq!(held.count(), if kind == LeaseKind::Eureka { 0 } else { 85 });
        }
    }

    #[test]
    fn the_last_lease_takes_its_brake_with_it() {
        let (mut brakes, index, _) = small(3, 0);
        assert_eq!(brakes.summary().engaged, 1);
        (0..3).for_each(|number| brakes.leave(index, key(number), INTERVAL_MS, at(121).mono));
        assert_eq!(brakes.summary(), BrakesSummary { engagements: 1, ..BrakesSummary::default() });
        assert!(brakes.by_place.is_empty() && brakes.next_deadline().is_none());
    }
}
