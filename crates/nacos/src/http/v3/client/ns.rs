//! `/v3/client/ns`: naming.

use crate::{
    http::{
        Http,
        call::Call,
        naming::address_of,
        reply::Reply,
        route::{
            Handler::{Later, Now},
            Route,
        },
        trouble::Trouble,
        v3::done,
    },
    service_info::{Query, write_hosts_of},
};
use muster_model::ClusterName;
use muster_nacos_wire::{
    Shape,
    http::{Dialect, Refusal, ResultCode, flag, result, result_error},
};
use muster_node::registry::Outcome;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/instance/list", Now(Http::v3_list)),
    Route::post("/instance", Later(|http, call| Box::pin(http.v3_register(call)))),
    Route::delete("/instance", Later(|http, call| Box::pin(http.v3_deregister(call)))),
];

impl Http {
    /// Registers, or with `heartBeat` renews.
    async fn v3_register(&self, call: &Call) -> Result<Reply, Trouble> {
        let is_beat = call
            .parameters
            .strict_flag(&["heartBeat"], false)
            .map_err(|value| Refusal::BadValue { name: "heartBeat", value })?;
        if is_beat {
            return self.v3_beat(call);
        }
        self.register_described(call, Dialect::V3).await?;
        Ok(done())
    }

    fn v3_beat(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let address = address_of(&call.parameters)?;
        Ok(match self.node.beat(address, service, None, call.actor())? {
            Outcome::Renewed { .. } | Outcome::Registered { .. } => done(),
            Outcome::UnknownInstance | Outcome::Done | Outcome::Unchanged | Outcome::Conflict => {
                result_error(200, ResultCode::InstanceNotFound, None).into()
            }
        })
    }

    async fn v3_deregister(&self, call: &Call) -> Result<Reply, Trouble> {
        self.deregister_described(call, Dialect::V3).await?;
        Ok(done())
    }

    /// The hosts of some clusters, `DEFAULT` unless they are named; unhealthy ones too, whatever is asked.
    fn v3_list(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        // It does not matter, and must be a flag nevertheless.
        flag(&call.parameters, Dialect::V3, &["healthyOnly"], false)?;
        let clusters = call.parameters.first(&["clusterName"]).unwrap_or(ClusterName::DEFAULT);
        let view = self.node.view(&service);
        let consumer = self.consumer_of(&view, call);
        let query = Query::all(Some(clusters), &consumer);
        Ok(result(|out| write_hosts_of(out, &self.node, Shape::V3, &view, query)).into())
    }
}
