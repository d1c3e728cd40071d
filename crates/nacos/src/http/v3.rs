//! The third generation: what clients call, and the administration that belongs to this stage.

mod admin;
mod client;

use super::{
    Http,
    call::Call,
    reply::Reply,
    trouble::Trouble,
    v1::{PublishNames, login, server_state},
    v2::alive,
};
use muster_nacos_wire::http::{Answer, NamespaceInfo, result, write_json};

/// What the parameters of config requests are called.
const V3_NAMES: PublishNames = PublishNames {
    group: "groupName",
    namespace: "namespaceId",
    tags: "configTags",
    user: "srcUser",
    blank_is_missing: true,
};

/// `{"code":0,"message":"success","data":"ok"}`.
fn done() -> Reply {
    result(|out| write_json(out, "ok")).into()
}

impl Http {
    /// `/v3`.
    pub(super) async fn v3(&self, call: &Call, path: &str) -> Result<Reply, Trouble> {
        if let Some(reply) = self.v3_about_server(call, path) {
            return reply;
        }
        self.ready()?;
        match (path, call.method()) {
            ("/client/ns/instance", "POST") => self.v3_register(call).await,
            ("/client/ns/instance", "DELETE") => self.v3_deregister(call).await,
            ("/client/ns/instance/list", "GET") => self.v3_list(call),
            ("/client/cs/config", "GET") => self.v3_read_config(call),
            ("/admin/ns/service", "POST") => self.v3_create_service(call).await,
            ("/admin/cs/config", "POST") => self.v3_publish(call).await,
            ("/admin/cs/metrics/ip", "GET") => self.v3_client_metrics(call).await,
            ("/admin/core/loader/reloadClient", "POST") => self.v3_reload_client(call),
            ("/admin/core/namespace/list" | "/console/core/namespace/list", "GET") => {
                let list = |namespaces: &[NamespaceInfo<'_>]| result(|out| write_json(out, namespaces));
                Ok(self.with_namespaces("public", 1, list).into())
            }
            ("/client/ns/instance" | "/client/ns/instance/list" | "/client/cs/config", _)
            | ("/admin/ns/service" | "/admin/cs/config" | "/admin/cs/metrics/ip", _)
            | ("/admin/core/loader/reloadClient", _)
            | ("/admin/core/namespace/list" | "/console/core/namespace/list", _) => Err(Trouble::NoMethod),
            _ => Err(Trouble::NoPath),
        }
    }

    /// What is asked about the server itself is answered while it starts, too.
    fn v3_about_server(&self, call: &Call, path: &str) -> Option<Result<Reply, Trouble>> {
        Some(match (path, call.method()) {
            ("/admin/core/state/liveness" | "/console/health/liveness", "GET") => Ok(alive()),
            ("/admin/core/state/readiness" | "/console/health/readiness", "GET") => Ok(self.readiness(500)),
            ("/admin/core/state", "GET") => Ok(result(|out| server_state(self, out)).into()),
            ("/console/server/state", "GET") => {
                let mut body = Vec::with_capacity(1024);
                server_state(self, &mut body);
                Ok(Answer::json(body).into())
            }
            ("/auth/user/login", "POST") => login(call),
            ("/admin/core/state/liveness" | "/console/health/liveness", _)
            | ("/admin/core/state/readiness" | "/console/health/readiness", _)
            | ("/admin/core/state" | "/console/server/state" | "/auth/user/login", _) => {
                Err(Trouble::NoMethod)
            }
            _ => return None,
        })
    }
}
