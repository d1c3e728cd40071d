//! Instances.

use super::{DIALECT, done};
use crate::{
    http::{
        Http,
        call::Call,
        naming::{Patch, address_of, bound, cluster_of, find},
        reply::Reply,
        route::Handled,
        trouble::Trouble,
    },
    service_info::{Query, plain},
};
use muster_nacos_wire::{
    Shape,
    http::{Answer, decode_path, result, service_of_key_text, v2_instance},
};

impl Http {
    pub(super) async fn v2_register(&self, call: &Call) -> Result<Reply, Trouble> {
        self.register_described(call, DIALECT).await?;
        Ok(done())
    }

    pub(super) async fn v2_deregister(&self, call: &Call) -> Result<Reply, Trouble> {
        self.deregister_described(call, DIALECT).await?;
        Ok(done())
    }

    pub(super) async fn v2_update(&self, call: &Call) -> Result<Reply, Trouble> {
        self.update_described(call, DIALECT, self.default_kind()).await?;
        Ok(done())
    }

    /// Spring asks for all fields here, and the answer has no wrapper.
    pub(super) async fn v2_patch(&self, call: &Call) -> Result<Reply, Trouble> {
        self.filter(call)?;
        for (name, of_type) in [
            ("serviceName", "String"),
            ("ip", "String"),
            ("port", "Integer"),
            ("weight", "Double"),
            ("enabled", "Boolean"),
            ("metadata", "String"),
        ] {
            bound(&call.parameters, name, of_type)?;
        }
        self.patch_described(call, Patch::given(call, DIALECT)?).await?;
        Ok(Answer::ok().into())
    }

    /// The answer has no wrapper.
    pub(super) fn v2_beat(&self, call: &Call) -> Handled {
        Ok(self.beat_described(call)?.into())
    }

    pub(super) fn v2_read(&self, call: &Call) -> Handled {
        let service = self.bound_service(call)?;
        bound(&call.parameters, "ip", "String")?;
        bound(&call.parameters, "port", "Integer")?;
        let (host, port) = address_of(&call.parameters)?;
        let cluster = cluster_of(&call.parameters, &["clusterName"])?;
        let view = self.node.view(&service);
        let found = plain(find(&view, &cluster, &host, port)?);
        Ok(result(|out| v2_instance(out, &service, found)).into())
    }

    pub(super) fn v2_list(&self, call: &Call) -> Handled {
        let service = self.bound_service(call)?;
        let healthy_only = muster_nacos_wire::http::flag(&call.parameters, DIALECT, &["healthyOnly"], false)?;
        let clusters = call.parameters.first(&["clusterName", "clusters"]).unwrap_or_default();
        let view = match self.datagrams.subscribe(call, &service, clusters) {
            Some(view) => view,
            None => self.node.view(&service),
        };
        let consumer = self.consumer_of(&view, call);
        let query = Query { clusters: Some(clusters), healthy_only, consumer: &consumer };
        let list = self.list_of(Shape::V2, &view, query);
        Ok(result(|out| out.extend_from_slice(&list)).into())
    }

    /// The answer has no wrapper. The key is the last part of the path.
    pub(super) fn v2_statuses(&self, call: &Call) -> Handled {
        let key = call.path.rsplit('/').next().unwrap_or_default();
        let service = service_of_key_text(&decode_path(key))?;
        let mut out = Vec::with_capacity(256);
        self.statuses_of(&mut out, &service);
        Ok(Answer::json(out).into())
    }

    pub(super) async fn v2_merge_metadata(&self, call: &Call) -> Result<Reply, Trouble> {
        let updated = self.merge_metadata_of(call).await?;
        Ok(result(|out| out.extend_from_slice(&updated)).into())
    }

    pub(super) async fn v2_remove_metadata(&self, call: &Call) -> Result<Reply, Trouble> {
        let updated = self.remove_metadata_of(call).await?;
        Ok(result(|out| out.extend_from_slice(&updated)).into())
    }
}
