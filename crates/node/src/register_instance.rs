//! Use cases on instances: register, deregister, beat, change by an operator.

use crate::{Node, NodeError};
use muster_model::{
    Actor, Cause, ClientId, ClusterName, ConnectionId, Host, Instance, Kind, Reason, ServiceKey,
};
use muster_registry::{Beat, Close, Deregister, InstanceKey, Op, Outcome, OverrideChange, Register};

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
        Ok(self.apply_ephemeral(Op::Beat(Beat { client, origin: self.id, service, full, cause }))?)
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
