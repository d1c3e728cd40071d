//! Instances: register, change, beat, read, list.

use crate::{
    http::{
        Http,
        call::Call,
        naming::{Patch, address_of, cluster_of, find},
        reply::Reply,
        route::Handled,
        trouble::Trouble,
    },
    service_info::{Query, plain},
};
use muster_nacos_wire::{
    Shape,
    http::{Answer, Dialect, service_of_key, v1_instance},
};

const DIALECT: Dialect = Dialect::V1Naming;

impl Http {
    pub(super) async fn register_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.register_described(call, DIALECT).await?;
        Ok(Answer::ok().into())
    }

    pub(super) async fn deregister_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.deregister_described(call, DIALECT).await?;
        Ok(Answer::ok().into())
    }

    pub(super) async fn update_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.update_described(call, DIALECT, self.default_kind()).await?;
        Ok(Answer::ok().into())
    }

    pub(super) async fn patch_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.filter(call)?;
        self.patch_described(call, Patch::given(call, DIALECT)?).await?;
        Ok(Answer::ok().into())
    }

    pub(super) fn v1_beat(&self, call: &Call) -> Handled {
        Ok(self.beat_described(call)?.into())
    }

    pub(super) fn read_instance(&self, call: &Call) -> Handled {
        let service = self.checked_service(call)?;
        let (host, port) = address_of(&call.parameters)?;
        let cluster = cluster_of(&call.parameters, &["clusterName"])?;
        let view = self.node.view(&service);
        Ok(v1_instance(&service, plain(find(&view, &cluster, &host, port)?)).into())
    }

    /// The list of a service; a client that names a UDP port is told of changes for a while.
    pub(super) fn list_instances(&self, call: &Call) -> Handled {
        let service = self.checked_service(call)?;
        let clusters = call.parameters.first(&["clusters"]).unwrap_or_default();
        let view = match self.datagrams.subscribe(call, &service, clusters) {
            Some(view) => view,
            None => self.node.view(&service),
        };
        let query = Query {
            clusters: Some(clusters),
            healthy_only: call.parameters.flag(&["healthyOnly"], false),
            consumer: &self.consumer_of(&view, call),
        };
        Ok(Answer::json(self.list_of(Shape::V1, &view, query)).into())
    }

    /// The health of a service's instances by a key `namespace##group@@service`, as other servers ask for it.
    pub(super) fn instance_statuses(&self, call: &Call) -> Handled {
        let service = service_of_key(&call.parameters)?;
        let mut out = Vec::with_capacity(256);
        self.statuses_of(&mut out, &service);
        Ok(Answer::json(out).into())
    }

    pub(super) async fn merge_metadata(&self, call: &Call) -> Result<Reply, Trouble> {
        Ok(Answer::json(self.merge_metadata_of(call).await?).into())
    }

    pub(super) async fn remove_metadata(&self, call: &Call) -> Result<Reply, Trouble> {
        Ok(Answer::json(self.remove_metadata_of(call).await?).into())
    }
}
