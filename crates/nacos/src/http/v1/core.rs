//! `/v1/core`: the nodes.

use crate::http::{
    Http,
    call::Call,
    cluster::MEMBERSHIP,
    core_ops::{ID_RESOURCES, RaftCommand, RaftOutcome},
    route::{
        Handled,
        Handler::{Lacking, Later, Now},
        Route,
    },
};
use muster_nacos_wire::http::{Answer, Member, Refusal, rest_result, write_id_map, write_json, write_list};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/cluster/self", Now(Http::v1_self)).early(),
    Route::get("/cluster/nodes", Now(Http::v1_nodes)).early(),
    Route::get("/cluster/simple/nodes", Now(Http::v1_simple_nodes)).early(),
    Route::get("/cluster/health", Now(Http::v1_node_health)).early(),
    Route::post("/cluster/server/leave", Now(Http::v1_leave)).early(),
    Route::post("/cluster/report", Lacking(MEMBERSHIP)),
    Route::post("/cluster/switch/lookup", Lacking(MEMBERSHIP)),
    Route::post("/ops/raft", Later(|http, call| Box::pin(http.raft_rest(call)))),
    Route::get("/ops/idInfo", Now(Http::v1_ids)),
    Route::put("/ops/log", Now(Http::v1_log_level)).early(),
];

impl Http {
    fn v1_self(&self, call: &Call) -> Handled {
        Ok(rest_result(200, None, |out| self.member(call).write(out)).into())
    }

    fn v1_nodes(&self, call: &Call) -> Handled {
        let members = self.members(call, "keyword");
        Ok(rest_result(200, None, |out| write_list(out, &members, |out, member| member.write(out))).into())
    }

    fn v1_simple_nodes(&self, call: &Call) -> Handled {
        let addresses: Vec<_> = self.members(call, "").iter().map(Member::address).collect();
        Ok(rest_result(200, None, |out| write_json(out, &addresses)).into())
    }

    fn v1_node_health(&self, _: &Call) -> Handled {
        Ok(rest_result(200, None, |out| write_json(out, self.state())).into())
    }

    /// The original refuses it, too, with HTTP 200.
    fn v1_leave(&self, _: &Call) -> Handled {
        let text = "/v1/core/cluster/server/leave API not allow to use temporarily.";
        Ok(rest_result(405, Some(text), |out| write_json(out, &None::<&str>)).into())
    }

    /// A command for the Raft group, as v1 and v2 answer it.
    pub(crate) async fn raft_rest(&self, call: &Call) -> Handled {
        let (code, text) = match self.raft(&call.json::<RaftCommand>()?).await? {
            RaftOutcome::Done => (200, None),
            RaftOutcome::NoCommand => (500, Some("Not support command : null".to_owned())),
            RaftOutcome::Refused(why) => (500, Some(why)),
        };
        Ok(rest_result(code, text.as_deref(), |out| write_json(out, &None::<&str>)).into())
    }

    fn v1_ids(&self, _: &Call) -> Handled {
        Ok(rest_result(200, None, |out| write_id_map(out, &ID_RESOURCES, self.last_id(), self.worker()))
            .into())
    }

    /// Sets a log level by the parameters `logName` and `logLevel`; `200` as a text.
    pub(crate) fn v1_log_level(&self, call: &Call) -> Handled {
        let required = |name| call.parameters.get(name).ok_or(Refusal::Missing { name, of_type: "String" });
        self.set_log_level(required("logName")?, required("logLevel")?)?;
        Ok(Answer::text(200, "200").into())
    }
}
