//! What load balancers ask in v2's and Spring's words. The rest of v2 is administration.

use super::{Http, call::Call, reply::Reply, trouble::Trouble};
use muster_nacos_wire::http::{NamespaceInfo, ResultCode, actuator_health, result, result_error, write_json};

impl Http {
    /// `/v2`.
    pub(super) fn v2(&self, call: &Call, path: &str) -> Result<Reply, Trouble> {
        match (path, call.method()) {
            ("/console/health/liveness", "GET") => Ok(alive()),
            // An unready one is HTTP 200 in v2.
            ("/console/health/readiness", "GET") => Ok(self.readiness(200)),
            ("/console/namespace/list", "GET") => {
                self.ready()?;
                let list = |namespaces: &[NamespaceInfo<'_>]| result(|out| write_json(out, namespaces));
                Ok(self.with_namespaces("", 2, list).into())
            }
            ("/console/health/liveness" | "/console/health/readiness" | "/console/namespace/list", _) => {
                Err(Trouble::NoMethod)
            }
            _ => Err(Trouble::NoPath),
        }
    }

    /// `/actuator`.
    pub(super) fn actuator(&self, call: &Call, path: &str) -> Result<Reply, Trouble> {
        match (path, call.method()) {
            ("/health", "GET") => Ok(actuator_health(self.node.is_ready()).into()),
            ("/health", _) => Err(Trouble::NoMethod),
            _ => Err(Trouble::NoPath),
        }
    }

    /// Whether the server is ready, as a `Result`.
    pub(super) fn readiness(&self, unready_status: u16) -> Reply {
        if self.node.is_ready() {
            return alive();
        }
        let text = Some("config and naming not in readiness");
        result_error(unready_status, ResultCode::ServerError, text).into()
    }
}

/// The server is there, as a `Result`.
pub(super) fn alive() -> Reply {
    result(|out| write_json(out, "ok")).into()
}
