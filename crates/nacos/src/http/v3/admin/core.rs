//! `/v3/admin/core`: the node, its clients, namespaces.

use crate::http::{
    Http,
    call::Call,
    core_ops::{ID_RESOURCES, RaftCommand, RaftOutcome},
    loader::{FACTOR, target},
    log_level::LogChange,
    namespaces::bound,
    refuse,
    route::{
        Handled,
        Handler::{Later, Now},
        Route,
    },
    server::alive,
    v3::nothing,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Refusal, result, write_id_list, write_json};
use muster_transport::Surfaces;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/state", Now(Http::v3_server_state)).early(),
    Route::get("/state/liveness", Now(|_, _| Ok(alive()))).early().on(Surfaces::ALL),
    Route::get("/state/readiness", Now(|http, _| Ok(http.readiness(500)))).early().on(Surfaces::ALL),
    Route::get("/namespace/list", Now(Http::v3_namespaces)),
    Route::get("/namespace", Now(Http::v3_namespace)),
    Route::post("/namespace", Later(|http, call| Box::pin(http.v3_create_namespace(call, "namespaceId")))),
    Route::put("/namespace", Later(|http, call| Box::pin(http.v3_update_namespace(call)))),
    Route::delete("/namespace", Later(|http, call| Box::pin(http.remove_namespace(call)))),
    Route::get("/namespace/check", Now(Http::v3_count_namespace)),
    Route::get("/cluster/node/self", Now(Http::node_self)).early(),
    Route::get("/cluster/node/list", Now(Http::node_list)).early(),
    Route::put("/cluster/node/list", Now(|http, call| Err(http.refuse_nodes(call)))).early(),
    Route::put("/cluster/lookup", Now(|http, call| Err(http.refuse_lookup(call)))).early(),
    Route::post("/ops/raft", Later(|http, call| Box::pin(http.v3_raft(call)))),
    Route::get("/ops/ids", Now(Http::v3_ids)),
    Route::put("/ops/log", Now(Http::v3_log_level)).early(),
    Route::get("/loader/current", Now(Http::v3_connections)),
    Route::get("/loader/cluster", Later(|http, call| Box::pin(http.v3_load(call)))),
    Route::post("/loader/reloadCurrent", Later(|http, call| Box::pin(http.v3_reload_current(call)))),
    Route::post("/loader/smartReloadCluster", Later(|http, call| Box::pin(http.v3_reload_smart(call)))),
    Route::post("/loader/reloadClient", Now(Http::v3_reload_client)),
];

impl Http {
    fn v3_server_state(&self, _: &Call) -> Handled {
        Ok(result(|out| self.write_server_state(out)).into())
    }

    /// How many namespaces have an id: 1 or 0.
    fn v3_count_namespace(&self, call: &Call) -> Handled {
        let count = u8::from(self.has_namespace(bound(call, "namespaceId")?));
        Ok(result(|out| write_json(out, &count)).into())
    }

    /// A body without a command is answered as the original does: nothing was asked for, nothing is done.
    async fn v3_raft(&self, call: &Call) -> Handled {
        match self.raft(&call.json::<RaftCommand>()?).await? {
            RaftOutcome::Done | RaftOutcome::NoCommand => Ok(nothing()),
            RaftOutcome::Refused(why) => Err(refuse(ErrorCode::InvalidParameter, why)),
        }
    }

    fn v3_ids(&self, _: &Call) -> Handled {
        Ok(result(|out| write_id_list(out, &ID_RESOURCES, self.last_id(), self.worker())).into())
    }

    fn v3_log_level(&self, call: &Call) -> Handled {
        self.change_log(&call.json::<LogChange>()?)?;
        Ok(nothing())
    }

    fn v3_connections(&self, _: &Call) -> Handled {
        Ok(result(|out| self.write_connections(out, true)).into())
    }

    async fn v3_load(&self, call: &Call) -> Handled {
        let loads = self.loads(call).await;
        Ok(result(|out| loads.write_v3(out)).into())
    }

    async fn v3_reload_current(&self, call: &Call) -> Handled {
        let Some(text) = call.parameters.first(&["count"]) else {
            let text = "Required request parameter 'count' for method parameter type Integer is not present";
            return Err(refuse(ErrorCode::ParameterMissing, text));
        };
        let bad = |_| Refusal::BadValue { name: "count", value: text.to_owned() };
        self.keep_clients(text.parse().map_err(bad)?, target(call)?).await;
        Ok(nothing())
    }

    async fn v3_reload_smart(&self, call: &Call) -> Handled {
        let text = call.parameters.first(&["loaderFactor"]).unwrap_or(FACTOR);
        let bad = |_| Refusal::BadValue { name: "loaderFactor", value: text.to_owned() };
        if self.rebalance(text.parse().map_err(bad)?).await {
            Ok(nothing())
        } else {
            Err(refuse(ErrorCode::Unavailable, "a node that should let clients go does not answer"))
        }
    }

    /// Asks a client to move; one that is not there has.
    fn v3_reload_client(&self, call: &Call) -> Handled {
        self.sessions.reset(bound(call, "connectionId")?, target(call)?);
        Ok(nothing())
    }
}
