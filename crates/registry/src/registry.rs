//! The registry: one owner of all state, one door to change it.

use crate::{
    CheckTarget, ClientSummary, Counts, DecodeError, Effect, NamespaceSpec, Op, Outcome, Page,
    PublicationSummary, RegistryError, Search, ServiceDetails, ServiceParts, ServiceSnapshot, ServiceSummary,
};
use muster_model::{ClientId, GroupName, Limits, Monotonic, Namespace, Now, Revision, ServiceKey, Table};

/// All services, clients, overrides and namespaces of a node.
#[derive(Debug)]
pub struct Registry {
    limits: Limits,
}

impl Registry {
    /// An empty registry.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Makes one change; what follows from it is appended to `effects`. A refused op changes nothing and
    /// has no effects.
    pub fn apply(&mut self, op: Op, now: Now, effects: &mut Vec<Effect>) -> Result<Outcome, RegistryError> {
        let _ = (op, now, effects, &self.limits);
        unimplemented!()
    }

    /// Whether an op would be refused, by what `apply` looks at and by what only this node knows (ephemeral
    /// instances, implicit services). Call it before a durable op is proposed; `apply` then decides by
    /// durable state alone.
    pub fn check(&self, op: &Op) -> Result<(), RegistryError> {
        let _ = op;
        unimplemented!()
    }

    /// Does what is due: beat leases that ran out, implicit services empty for 60 s.
    pub fn expire(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let _ = (now, effects);
        unimplemented!()
    }

    /// When to call [`Registry::expire`] next; at that time there may be nothing to do after all.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        unimplemented!()
    }

    /// Takes in one row of the tables `Namespace`, `Service`, `Instance` and `Override`, in any order; for a
    /// start. Rows of other tables are ignored.
    pub fn load(&mut self, table: Table, key: &[u8], value: &[u8], now: Now) -> Result<(), DecodeError> {
        let _ = (table, key, value, now);
        unimplemented!()
    }

    /// What to build a view of a service from; `None` if it does not exist.
    pub fn parts(&self, service: &ServiceKey) -> Option<ServiceParts> {
        let _ = service;
        unimplemented!()
    }

    /// The view of a service that does not exist: empty, revision 0, never current, so not to be cached.
    /// Should the service come to be, its `last_ref_time` will be later than this one's.
    pub fn absent(&mut self, service: &ServiceKey, now: Now) -> ServiceSnapshot {
        let _ = (service, now);
        unimplemented!()
    }

    /// The revision of the last change.
    pub fn revision(&self) -> Revision {
        unimplemented!()
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        unimplemented!()
    }

    /// The services of one group, sorted by name; empty ones too.
    pub fn list(
        &self,
        namespace: &Namespace,
        group: &GroupName,
        offset: usize,
        limit: usize,
    ) -> Page<ServiceKey> {
        let _ = (namespace, group, offset, limit);
        unimplemented!()
    }

    /// The services that pass a search.
    pub fn search(&self, search: Search<'_>) -> Page<ServiceSummary> {
        let _ = search;
        unimplemented!()
    }

    /// The services of a namespace that have instances, sorted by group and name, for fuzzy watches.
    pub fn visible(&self, namespace: &Namespace) -> impl Iterator<Item = &ServiceKey> {
        let _ = namespace;
        std::iter::empty()
    }

    /// A service's attributes.
    pub fn details(&self, service: &ServiceKey) -> Option<ServiceDetails> {
        let _ = service;
        unimplemented!()
    }

    /// Who publishes what to a service, in the order of publication.
    pub fn publishers(&self, service: &ServiceKey) -> Vec<PublicationSummary> {
        let _ = service;
        unimplemented!()
    }

    /// What a client publishes; empty if it publishes nothing.
    pub fn publications(&self, client: &ClientId) -> Vec<PublicationSummary> {
        let _ = client;
        unimplemented!()
    }

    /// The clients that publish something, in no order that lasts.
    pub fn clients(&self) -> impl Iterator<Item = ClientSummary> {
        std::iter::empty()
    }

    /// Every persistent instance, for the active checker.
    pub fn check_targets(&self) -> impl Iterator<Item = CheckTarget> {
        std::iter::empty()
    }

    /// One persistent instance, for the active checker; `None` if it is gone.
    pub fn check_target(&self, client: &ClientId, service: &ServiceKey) -> Option<CheckTarget> {
        let _ = (client, service);
        unimplemented!()
    }

    /// Overrides whose instance is not registered now, for the leader to clear after a while.
    pub fn orphaned_overrides(&self) -> Vec<(ServiceKey, crate::InstanceKey)> {
        unimplemented!()
    }

    /// The namespaces that were created, by id; `public` is not among them.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Namespace, &NamespaceSpec)> {
        std::iter::empty()
    }
}
