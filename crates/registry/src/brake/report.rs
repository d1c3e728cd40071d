//! What is told of a brake.

use super::{Brake, HELD_MAX_MS, LeaseKind};
use muster_model::{Monotonic, Namespace, ServiceKey, Timestamp};
use std::sync::Arc;

/// The rule that engaged a brake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrakeRule {
    /// More than 15 % of the leases would have been lost within a minute.
    Share,
    /// Fewer than ten Eureka leases, and no more renewals in the last minute than 85 % of those expected: the
    /// self-preservation of Eureka itself.
    EurekaRenewals,
}

impl BrakeRule {
    /// The rule in words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Share => "more than 15 % of the leases would be lost within a minute",
            Self::EurekaRenewals => "renewals of the last minute are at or below 85 % of those expected",
        }
    }
}

/// What released a brake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// Renewals are back: more than 85 % for a minute, or what Eureka's own rule asks for.
    Recovered,
    /// So many deregistered that a share of the rest means nothing.
    FewLeases,
    /// An operator.
    ByCommand,
    /// It was engaged for 30 minutes.
    HeldTooLong,
}

impl Released {
    /// The reason in words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "renewals are back",
            Self::FewLeases => "fewer than ten leases are left",
            Self::ByCommand => "released by command",
            Self::HeldTooLong => "held for 30 minutes",
        }
    }
}

/// A brake was engaged or released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrakeChange {
    /// The namespace.
    pub namespace: Namespace,
    /// The kind of leases.
    pub kind: LeaseKind,
    /// The rule that engaged it.
    pub rule: BrakeRule,
    /// What released it; `None`: it was engaged now.
    pub released: Option<Released>,
    /// Leases of the kind.
    pub leases: usize,
    /// How many of them ran out and were not renewed since.
    pub silent: usize,
    /// How many of these are held.
    pub held: usize,
    /// The service whose lease would have been one too many.
    pub service: ServiceKey,
    /// Its instance, `ip:port@cluster`.
    pub instance: Arc<str>,
}

/// A brake as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrakeReport {
    /// The namespace.
    pub namespace: Namespace,
    /// The kind of leases.
    pub kind: LeaseKind,
    /// Leases of the kind.
    pub leases: usize,
    /// How many of them ran out and were not renewed since.
    pub silent: usize,
    /// How many of these are held: listed as before, though their lease ran out.
    pub held: usize,
    /// Instances removed within the last minute because their lease was lost.
    pub lost_last_minute: usize,
    /// Renewals of the last minute. Counted for Eureka leases only.
    pub renewals_last_minute: u64,
    /// Renewals a minute there would be if every client kept its interval.
    pub renewals_expected: u64,
    /// The rule that engaged it; `None`: it is not engaged.
    pub rule: Option<BrakeRule>,
    /// Since when it is engaged.
    pub since: Option<Timestamp>,
    /// Milliseconds until it is released whatever happens.
    pub released_in_ms: Option<u64>,
}

/// Figures of all brakes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrakesSummary {
    /// Brakes that are engaged.
    pub engaged: usize,
    /// Leases they hold.
    pub held: usize,
    /// Times a brake was engaged since the start.
    pub engagements: u64,
}

impl Brake {
    /// What to tell of an engaged brake.
    pub(super) fn change(&self, released: Option<Released>) -> BrakeChange {
        let engaged = self.engaged.as_ref().expect("it is engaged when it changes");
        BrakeChange {
            namespace: self.namespace.clone(),
            kind: self.kind,
            rule: engaged.rule,
            released,
            leases: self.leases,
            silent: self.silent.len(),
            held: self.held,
            service: engaged.service.clone(),
            instance: engaged.instance.clone(),
        }
    }

    pub(super) fn report(&self, now: Monotonic) -> BrakeReport {
        let engaged = self.engaged.as_ref();
        BrakeReport {
            namespace: self.namespace.clone(),
            kind: self.kind,
            leases: self.leases,
            silent: self.silent.len(),
            held: self.held,
            lost_last_minute: self.removals.past(now),
            renewals_last_minute: self.renewals.recent(now),
            renewals_expected: self.renewals.expected() / 1_000_000,
            rule: engaged.map(|engaged| engaged.rule),
            since: engaged.map(|engaged| engaged.since_wall),
            released_in_ms: engaged.map(|engaged| engaged.since.plus(HELD_MAX_MS).since(now)),
        }
    }
}
