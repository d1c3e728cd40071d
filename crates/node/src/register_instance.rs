//! Use cases on instances: register, deregister, beat, change by an operator.

use crate::{Node, NodeError};
use muster_model::{
    Actor, Cause, ClientId, ClusterName, ConnectionId, Host, Instance, Kind, Reason, ServiceKey, Timing,
};
use muster_registry::{
    Beat, Close, Deregister, InstanceKey, Op, Outcome, OverrideChange, Register, SetHealth,
};

impl Node {
    /// Sets what a client publishes to a service: one instance, or a connection's whole batch. The kind of the
    /// client decides the way: ephemeral is done at once, persistent when the log has it.
    pub async fn register(
        &self,
        client: ClientId,
        service: ServiceKey,
        instances: Vec<Instance>,
        actor: Actor,
    ) -> Result<(), NodeError> {
        self.ready()?;
        let cause = Cause { actor, reason: Reason::Registered };
        let op = Op::Register(Register { client, origin: self.id, service, instances, cause });
        self.submit(op).await
    }

    /// Removes what a client publishes to a service. Removing what is not there succeeds.
    pub async fn deregister(
        &self,
        client: ClientId,
        service: ServiceKey,
        actor: Actor,
    ) -> Result<(), NodeError> {
        self.ready()?;
        let cause = Cause { actor, reason: Reason::Deregistered };
        self.submit(Op::Deregister(Deregister { client, service, cause })).await
    }

    /// Renews the lease of an ephemeral HTTP client. `full` is the instance a full beat carries: it registers one
    /// that is unknown.
    pub fn beat(
        &self,
        (host, port): (Host, u16),
        service: ServiceKey,
        full: Option<Instance>,
        actor: Actor,
    ) -> Result<Outcome, NodeError> {
        self.ready()?;
        let client = ClientId::Address(host, port, Kind::Ephemeral);
        let cause = Cause { actor, reason: Reason::Registered };
        let beat = Beat { client: client.clone(), origin: self.id, service: service.clone(), full, cause };
        let outcome = self.apply_ephemeral(Op::Beat(beat))?;
        Ok(self.with_interval(outcome, &client, &service))
    }

    /// An outcome with the switch's beat interval, where the instance does not say its own.
    fn with_interval(&self, outcome: Outcome, client: &ClientId, service: &ServiceKey) -> Outcome {
        let (default, wanted) = (Timing::default().beat_interval_ms, self.switches().client_beat_interval_ms);
        let (Outcome::Renewed { interval_ms } | Outcome::Registered { interval_ms }) = outcome else {
            return outcome;
        };
        // That it says the default is looked up only when the switch differs.
        let says_it = || {
            let publications = self.registry.lock().publications(client);
            let of_service = publications.iter().filter(|publication| publication.service == *service);
            of_service
                .flat_map(|publication| publication.instances.iter())
                .any(|instance| instance.metadata.get("preserved.heart.beat.interval").is_some())
        };
        if interval_ms != default || wanted == default || says_it() {
            return outcome;
        }
        if let Outcome::Renewed { .. } = outcome {
            Outcome::Renewed { interval_ms: wanted }
        } else {
            Outcome::Registered { interval_ms: wanted }
        }
    }

    /// Sets the health of what a client known by its address publishes to a service, by hand. It lasts until something
    /// checks it, or the node stops.
    pub fn set_health(
        &self,
        client: ClientId,
        service: ServiceKey,
        healthy: bool,
        actor: Actor,
    ) -> Result<(), NodeError> {
        self.ready()?;
        let cause = Cause { actor, reason: Reason::Operator };
        self.apply_ephemeral(Op::SetHealth(SetHealth { client, service, healthy, cause }))?;
        Ok(())
    }

    /// Removes everything a connection published: it is gone, and `reason` says how. In a drain it is kept, see
    /// [`Node::begin_drain`].
    pub fn close_connection(&self, connection: ConnectionId, actor: Actor, reason: Reason) {
        if self.checkpoints.is_draining() {
            // It ended because this node does: after the restart its client has half a minute to come back.
            return;
        }
        let client = ClientId::Connection(connection);
        let close = Close { client, cause: Cause { actor, reason } };
        if let Err(error) = self.apply_ephemeral(Op::Close(close)) {
            tracing::error!(connection = connection.0, %error, "publications of a closed connection stay");
        }
    }

    /// Changes what an operator laid over an instance; the instance need not exist.
    pub async fn override_instance(
        &self,
        service: ServiceKey,
        (host, port, cluster): (Host, u16, ClusterName),
        change: OverrideChange,
        actor: Actor,
    ) -> Result<(), NodeError> {
        self.ready()?;
        let instance = InstanceKey { cluster, host, port, eureka: None };
        let cause = Cause { actor, reason: Reason::Operator };
        self.submit(Op::Override { service, instance, change, cause }).await
    }

    async fn submit(&self, op: Op) -> Result<(), NodeError> {
        if op.is_durable() {
            self.propose_registry(op).await?;
        } else {
            self.apply_ephemeral(op)?;
        }
        Ok(())
    }
}
