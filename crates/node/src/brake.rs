//! The brake on mass expiry: seeing it, saying it, releasing it.

use crate::{Node, NodeError};
use muster_model::{Actor, Cause, Namespace, Reason};
use muster_registry::{BrakeChange, BrakeReport, BrakesSummary, LeaseKind, Op, Outcome};

impl Node {
    /// The brakes, by namespace and kind of lease; only where there are leases.
    pub fn brakes(&self) -> Vec<BrakeReport> {
        let now = self.now().mono;
        self.registry.lock().brakes(now)
    }

    /// Figures of all brakes together.
    pub fn brakes_summary(&self) -> BrakesSummary {
        self.registry.lock().brakes_summary()
    }

    /// Releases the brake on a kind of leases: what ran out takes its course within a second. False: it was not engaged.
    pub fn release_brake(
        &self,
        namespace: Namespace,
        kind: LeaseKind,
        actor: Actor,
    ) -> Result<bool, NodeError> {
        self.ready()?;
        let cause = Cause { actor, reason: Reason::Operator };
        let outcome = self.apply_ephemeral(Op::ReleaseBrake { namespace, kind, cause })?;
        Ok(outcome == Outcome::Done)
    }
}

/// Says in the log what a brake did.
pub(crate) fn say(change: &BrakeChange) {
    let BrakeChange { namespace, kind, rule, released, leases, silent, held, service, instance } = change;
    let (kind, rule) = (kind.as_str(), rule.as_str());
    match released {
        None => tracing::warn!(
            %namespace, kind, rule, leases, silent, held, %service, %instance,
            "expiry is held: so many leases ran out that this node or the network may be at fault"
        ),
        Some(why) => {
            let why = why.as_str();
            tracing::info!(%namespace, kind, why, leases, silent, held, "expiry is no longer held");
        }
    }
}
