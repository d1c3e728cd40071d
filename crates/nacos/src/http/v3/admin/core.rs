//! `/v3/admin/core`: the node, its clients, namespaces.

use crate::http::{
    Http,
    call::Call,
    refuse,
    route::{Handled, Handler::Now, Route},
    server::alive,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{NamespaceInfo, Refusal, result, write_json};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/state", Now(Http::v3_server_state)).early(),
    Route::get("/state/liveness", Now(|_, _| Ok(alive()))).early(),
    Route::get("/state/readiness", Now(|http, _| Ok(http.readiness(500)))).early(),
    Route::get("/namespace/list", Now(Http::v3_namespaces)),
    Route::post("/loader/reloadClient", Now(Http::v3_reload_client)),
];

impl Http {
    fn v3_server_state(&self, _: &Call) -> Handled {
        Ok(result(|out| self.write_server_state(out)).into())
    }

    pub(crate) fn v3_namespaces(&self, _: &Call) -> Handled {
        let answer = |namespaces: &[NamespaceInfo<'_>]| result(|out| write_json(out, namespaces));
        Ok(self.with_namespaces("public", 1, answer).into())
    }

    /// Asks a client to move; one that is not there has.
    fn v3_reload_client(&self, call: &Call) -> Handled {
        let name = call.parameters.first(&["connectionId"]);
        let name = name.ok_or(Refusal::Missing { name: "connectionId", of_type: "String" })?;
        let target = match call.parameters.first(&["redirectAddress"]) {
            Some(address) => Some(host_and_port(address)?),
            None => None,
        };
        self.sessions.reset(name, target);
        Ok(result(|out| write_json(out, &None::<&str>)).into())
    }
}

fn host_and_port(address: &str) -> Result<(&str, u16), Trouble> {
    let parsed = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    parsed.ok_or_else(|| {
        refuse(ErrorCode::InvalidParameter, format!("redirectAddress is no host:port: {address}"))
    })
}
