//! Use cases of Eureka clients and peers: register, renew, cancel, override the status, set metadata.
//!
//! An application is named in any case. `false` and [`EurekaRenewal::Unknown`] mean that the instance is not registered,
//! which Eureka clients must be told as 404.

use crate::{Node, NodeError};
use muster_model::{Actor, Cause, EurekaInstance, EurekaStatus, Metadata, Reason};
use muster_registry::{
    EurekaBase, EurekaCancel, EurekaEvent, EurekaMetadata, EurekaRegister, EurekaRenew, EurekaShown,
    EurekaStatusChange, Op, Outcome, OverrideChange, StatusChange,
};
use std::sync::Arc;

/// What is registered over Eureka.
#[derive(Clone, Debug)]
pub struct EurekaRegistration {
    /// What the client declares. Where the client named no `lastDirtyTimestamp`, give the present time.
    pub instance: Arc<EurekaInstance>,
    /// The `overriddenStatus` in it: becomes an override if none is known; `Unknown` is none.
    pub overridden: EurekaStatus,
    /// Whether an Eureka peer passed it on.
    pub replicated: bool,
}

/// The parameters of a renewal.
#[derive(Clone, Copy, Debug)]
pub struct EurekaRenewing {
    /// `lastDirtyTimestamp`.
    pub last_dirty: Option<i64>,
    /// `overriddenstatus`; `Unknown` is none. It counts only when a peer knows something newer.
    pub overridden: EurekaStatus,
    /// Whether an Eureka peer passed it on.
    pub replicated: bool,
}

/// What became of a renewal.
#[derive(Clone, Debug, PartialEq)]
pub enum EurekaRenewal {
    /// The lease is renewed.
    Renewed,
    /// The instance is not registered, or changed since it was: register.
    Unknown,
    /// A peer knows an older state than this, which is ours.
    Conflict(Arc<EurekaShown>),
}

/// The parameters of a change of the status.
#[derive(Clone, Copy, Debug)]
pub struct EurekaOverriding {
    /// `lastDirtyTimestamp`: what is shown of the instance becomes no older than it.
    pub last_dirty: Option<i64>,
    /// Whether an Eureka peer passed it on. It is then done at once and written to the log afterwards.
    pub replicated: bool,
}

impl Node {
    /// Registers an instance, or registers it anew. It is always taken and always ephemeral.
    pub fn eureka_register(
        &self,
        base: &EurekaBase,
        registration: EurekaRegistration,
        actor: Actor,
    ) -> Result<(), NodeError> {
        self.ready()?;
        let EurekaRegistration { instance, overridden, replicated } = registration;
        let (base, origin) = (base.clone(), self.id);
        let cause = Cause { actor, reason: Reason::Registered };
        let op = EurekaRegister { base, instance, overridden, replicated, origin, cause };
        self.apply_ephemeral(Op::EurekaRegister(op))?;
        Ok(())
    }

    /// Renews a lease.
    pub fn eureka_renew(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
        renewing: EurekaRenewing,
        actor: Actor,
    ) -> Result<EurekaRenewal, NodeError> {
        self.ready()?;
        let EurekaRenewing { last_dirty, overridden, replicated } = renewing;
        let cause = Cause { actor, reason: Reason::BeatReturned };
        let op = EurekaRenew {
            base: base.clone(),
            app: Arc::from(app),
            id: Arc::from(id),
            last_dirty,
            overridden,
            replicated,
            cause,
        };
        match self.apply_ephemeral(Op::EurekaRenew(op))? {
            Outcome::Conflict => {
                let ours = self.eureka_instance(base, app, id)?;
                Ok(ours.map_or(EurekaRenewal::Unknown, EurekaRenewal::Conflict))
            }
            Outcome::UnknownInstance => Ok(EurekaRenewal::Unknown),
            Outcome::Done | Outcome::Unchanged | Outcome::Renewed { .. } | Outcome::Registered { .. } => {
                Ok(EurekaRenewal::Renewed)
            }
        }
    }

    /// Takes a registration back; whether there was one. What registered over Nacos is not touched.
    pub fn eureka_cancel(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
        actor: Actor,
    ) -> Result<bool, NodeError> {
        self.ready()?;
        let cause = Cause { actor, reason: Reason::Deregistered };
        let op = EurekaCancel { base: base.clone(), app: Arc::from(app), id: Arc::from(id), cause };
        Ok(self.apply_ephemeral(Op::EurekaCancel(op))? != Outcome::UnknownInstance)
    }

    /// Overrides the status of an instance, however it registered; whether it is there. If it has that status already
    /// its lease is renewed and nothing else is done (`eureka.md` 3.4).
    ///
    /// The override is written to the log before this returns, and lasts until it is cleared.
    pub async fn eureka_set_status(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
        status: EurekaStatus,
        overriding: EurekaOverriding,
        actor: Actor,
    ) -> Result<bool, NodeError> {
        let EurekaOverriding { last_dirty, replicated } = overriding;
        let change = StatusChange { status: Some(status), last_dirty, fallback: None };
        self.eureka_override(base, app, id, change, replicated, actor).await
    }

    /// Removes the override of an instance's status; whether the instance is there. The status that its client declared
    /// shows at once. `fallback` is the status to take where that is not known, because a peer passed on no more than
    /// the override.
    pub async fn eureka_clear_status(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
        fallback: Option<EurekaStatus>,
        overriding: EurekaOverriding,
        actor: Actor,
    ) -> Result<bool, NodeError> {
        let change = StatusChange { status: None, last_dirty: overriding.last_dirty, fallback };
        self.eureka_override(base, app, id, change, overriding.replicated, actor).await
    }

    async fn eureka_override(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
        change: StatusChange,
        replicated: bool,
        actor: Actor,
    ) -> Result<bool, NodeError> {
        // Whoever sets the status renews the lease, but is not the instance's client: if that speaks to a peer, it stays
        // the peer's to tell of. An instance that registered over Nacos has no lease here.
        let renewing =
            EurekaRenewing { last_dirty: None, overridden: EurekaStatus::Unknown, replicated: true };
        self.eureka_renew(base, app, id, renewing, actor.clone())?;
        let standing = match replicated {
            // A batch of a peer must not cost a view for each of its items.
            true => self.registry.lock().eureka_standing(base, app, id),
            false => None,
        };
        let Some((status, is_overridden)) = (match standing {
            Some((status, overridden)) => Some((status, overridden.is_some())),
            None => self.eureka_shown_standing(base, app, id)?,
        }) else {
            return Ok(false);
        };
        let is_so = change.status.map_or(!is_overridden, |new| status == new);
        let target = if is_so { None } else { self.registry.lock().eureka_target(base, app, id) };
        let Some((service, instance)) = target else { return Ok(is_so) };
        let cause = Cause { actor, reason: Reason::Operator };
        if replicated {
            let change = EurekaStatusChange { service, instance, change, cause };
            self.apply_ephemeral(Op::EurekaStatus(change))?;
        } else {
            let key = (service.clone(), instance.clone());
            let replaced = self.waiting_statuses.take(&key);
            self.registry.lock().supersede_provisional(&service, &instance);
            let change = OverrideChange::Status(change);
            let proposed = self.propose_registry(Op::Override { service, instance, change, cause }).await;
            if let (Err(_), Some(replaced)) = (&proposed, replaced) {
                self.waiting_statuses.put_back(key, replaced);
            }
            proposed?;
        }
        Ok(true)
    }

    /// The status that is shown of an instance, and whether that is an override.
    fn eureka_shown_standing(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
    ) -> Result<Option<(EurekaStatus, bool)>, NodeError> {
        let snapshot = self.eureka_snapshot(base)?;
        let shown = snapshot.app(app).and_then(|app| app.instance(id));
        Ok(shown.map(|shown| {
            let is_unknown = |status| status == EurekaStatus::Unknown;
            // `UNKNOWN` may be the override.
            let is_overridden = !is_unknown(shown.overridden)
                || (is_unknown(shown.status) && !is_unknown(shown.instance.status));
            (shown.status, is_overridden)
        }))
    }

    /// Adds or replaces metadata of an instance until it registers anew; whether it is there.
    pub fn eureka_set_metadata(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
        metadata: Metadata,
        actor: Actor,
    ) -> Result<bool, NodeError> {
        self.ready()?;
        let cause = Cause { actor, reason: Reason::Operator };
        let (base, app, id) = (base.clone(), Arc::from(app), Arc::from(id));
        let op = EurekaMetadata { base, app, id, metadata, cause };
        Ok(self.apply_ephemeral(Op::EurekaMetadata(op))? != Outcome::UnknownInstance)
    }

    /// One instance as it is shown now, with the exact time of its last renewal; `None` if it is not there.
    pub fn eureka_instance(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
    ) -> Result<Option<Arc<EurekaShown>>, NodeError> {
        let snapshot = self.eureka_snapshot(base)?;
        let found = snapshot.app(app).and_then(|app| app.instance(id)).cloned();
        Ok(found.map(|shown| self.with_renewal(base, shown)))
    }

    /// The first instance of an id, in the order of the applications' names.
    pub fn eureka_find_instance(
        &self,
        base: &EurekaBase,
        id: &str,
    ) -> Result<Option<Arc<EurekaShown>>, NodeError> {
        let snapshot = self.eureka_snapshot(base)?;
        let found = snapshot.apps.iter().find_map(|app| app.instance(id)).cloned();
        Ok(found.map(|shown| self.with_renewal(base, shown)))
    }

    fn with_renewal(&self, base: &EurekaBase, shown: Arc<EurekaShown>) -> Arc<EurekaShown> {
        let now = self.now();
        let (app, id) = (&shown.instance.app, shown.id());
        let renewed = self.registry.lock().eureka_renewed(base, app, id, now);
        match renewed {
            Some(renewed) if renewed != shown.times.renewed => {
                let mut exact = EurekaShown::clone(&shown);
                exact.times.renewed = renewed;
                Arc::new(exact)
            }
            Some(_) | None => shown,
        }
    }

    /// The views that somebody registered to or read, in order.
    pub fn eureka_bases(&self) -> Vec<EurekaBase> {
        self.registry.lock().eureka_bases()
    }

    /// The last registrations of all views, newest first, at most 1,000.
    pub fn eureka_last_registered(&self) -> Vec<EurekaEvent> {
        self.registry.lock().eureka_registered().rev().cloned().collect()
    }

    /// The last cancellations of all views, lost leases among them, newest first, at most 1,000.
    pub fn eureka_last_cancelled(&self) -> Vec<EurekaEvent> {
        self.registry.lock().eureka_cancelled().rev().cloned().collect()
    }
}
