//! Services as administrators create and remove them.

use crate::{Node, NodeError};
use muster_model::{ClusterName, Kind, ServiceKey};
use muster_registry::{ClusterSpec, Op, ServiceSpec};

impl Node {
    /// Creates a service that stays until it is removed.
    pub async fn create_service(&self, service: ServiceKey, spec: ServiceSpec) -> Result<(), NodeError> {
        self.durable(Op::CreateService { service, spec }).await
    }

    /// Replaces a service's attributes.
    pub async fn update_service(&self, service: ServiceKey, spec: ServiceSpec) -> Result<(), NodeError> {
        self.durable(Op::UpdateService { service, spec }).await
    }

    /// Removes a service without instances.
    pub async fn remove_service(&self, service: ServiceKey) -> Result<(), NodeError> {
        self.durable(Op::RemoveService { service }).await
    }

    /// Replaces the attributes of one cluster of a service.
    pub async fn update_cluster(
        &self,
        service: ServiceKey,
        cluster: ClusterName,
        spec: ClusterSpec,
        kind: Kind,
    ) -> Result<(), NodeError> {
        self.durable(Op::UpdateCluster { service, cluster, spec, kind }).await
    }

    pub(crate) async fn durable(&self, op: Op) -> Result<(), NodeError> {
        self.ready()?;
        self.propose_registry(op).await.map(drop)
    }
}
