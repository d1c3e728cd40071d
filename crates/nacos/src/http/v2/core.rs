//! `/v2/core`: the nodes, and the connections of clients.

use crate::http::{
    Http,
    call::Call,
    core_ops::ID_RESOURCES,
    loader::{FACTOR, target},
    log_level::LogChange,
    reply::Reply,
    route::{
        Handled,
        Handler::{Later, Now},
        Route,
    },
    trouble::Trouble,
};
use muster_nacos_wire::http::{Answer, rest_result, result, write_id_list, write_json, write_list};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/cluster/node/self", Now(Http::node_self)).early(),
    Route::get("/cluster/node/list", Now(Http::node_list)).early(),
    Route::put("/cluster/node/list", Now(|http, call| Err(http.refuse_nodes(call)))).early(),
    Route::get("/cluster/node/self/health", Now(Http::node_health)).early(),
    Route::put("/cluster/lookup", Now(|http, call| Err(http.refuse_lookup(call)))).early(),
    Route::delete("/cluster/nodes", Now(Http::v2_leave)).early(),
    Route::post("/ops/raft", Later(|http, call| Box::pin(http.raft_rest(call)))),
    Route::get("/ops/ids", Now(Http::v2_ids)),
    Route::put("/ops/log", Now(Http::v2_log_level)).early(),
    Route::get("/loader/current", Now(Http::v2_connections)),
    Route::get("/loader/cluster", Later(|http, call| Box::pin(http.v2_load(call)))),
    Route::get("/loader/reloadCurrent", Later(|http, call| Box::pin(http.v2_reload_current(call)))),
    Route::get("/loader/smartReloadCluster", Later(|http, call| Box::pin(http.v2_reload_smart(call)))),
    Route::get("/loader/reloadClient", Now(Http::v2_reload_client)),
];

/// A missing or bad parameter of the loader, which words it as v1 does, in a `RestResult`.
fn loader_parameter(text: &str) -> Reply {
    Answer { status: 500, ..rest_result(500, Some(text), |out| write_json(out, &None::<&str>)) }.into()
}

fn loader_missing(name: &str, of_type: &str) -> Reply {
    loader_parameter(&format!(
        "caused: Required request parameter &#39;{name}&#39; for method parameter type {of_type} is not present;"
    ))
}

impl Http {
    /// This node, for v2 and v3.
    pub(crate) fn node_self(&self, call: &Call) -> Handled {
        Ok(result(|out| self.member(call).write(out)).into())
    }

    /// The nodes, for v2 and v3.
    pub(crate) fn node_list(&self, call: &Call) -> Handled {
        let members = self.members_in_state(call)?;
        Ok(result(|out| write_list(out, &members, |out, member| member.write(out))).into())
    }

    /// The state of this node.
    fn node_health(&self, _: &Call) -> Handled {
        Ok(result(|out| write_json(out, self.state())).into())
    }

    /// The original refuses it, too, with HTTP 200.
    fn v2_leave(&self, call: &Call) -> Handled {
        if call.parameters.get("addresses").is_none() {
            return Ok(loader_missing("addresses", "List"));
        }
        let text = "DELETE /v2/core/cluster/nodes API not allow to use temporarily.";
        Ok(rest_result(405, Some(text), |out| write_json(out, &None::<&str>)).into())
    }

    fn v2_ids(&self, _: &Call) -> Handled {
        Ok(rest_result(200, None, |out| write_id_list(out, &ID_RESOURCES, self.last_id(), self.worker()))
            .into())
    }

    fn v2_log_level(&self, call: &Call) -> Handled {
        self.change_log(&call.json::<LogChange>()?)?;
        Ok(rest_result(200, None, |out| write_json(out, &None::<&str>)).into())
    }

    fn v2_connections(&self, _: &Call) -> Handled {
        let mut body = Vec::with_capacity(256);
        self.write_connections(&mut body, false);
        Ok(Answer::json(body).into())
    }

    async fn v2_load(&self, call: &Call) -> Handled {
        let mut body = Vec::with_capacity(256);
        self.loads(call).await.write_v2(&mut body);
        Ok(Answer::json(body).into())
    }

    async fn v2_reload_current(&self, call: &Call) -> Handled {
        let Some(text) = call.parameters.first(&["count"]) else {
            return Ok(loader_missing("count", "Integer"));
        };
        let Ok(count) = text.parse() else {
            return Ok(loader_parameter(&format!("caused: For input string: \"{text}\";")));
        };
        self.keep_clients(count, target(call)?).await;
        Ok(Answer::text(200, "success").into())
    }

    /// The texts of the original (`ServerLoaderController.smartReload`).
    async fn v2_reload_smart(&self, call: &Call) -> Handled {
        let factor = match call.parameters.first(&["loaderFactor"]).unwrap_or(FACTOR).parse() {
            Ok(factor) => factor,
            Err(error) => return Ok(loader_parameter(&format!("caused: {error};"))),
        };
        let is_done = self.rebalance(factor).await;
        Ok(Answer::text(200, if is_done { "Ok" } else { "Fail" }).into())
    }

    /// Asks a client to move; one that is not there has.
    fn v2_reload_client(&self, call: &Call) -> Result<Reply, Trouble> {
        let Some(name) = call.parameters.first(&["connectionId"]) else {
            return Ok(loader_missing("connectionId", "String"));
        };
        self.sessions.reset(name, target(call)?);
        Ok(Answer::text(200, "success").into())
    }
}
