//! `/v2/console`: what is asked about the server, and its namespaces.

use crate::http::{
    Http,
    call::Call,
    route::{Handled, Handler::Now, Route},
    server::alive,
};
use muster_nacos_wire::http::{NamespaceInfo, result, write_json};
use muster_transport::Surfaces;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/health/liveness", Now(|_, _| Ok(alive()))).early().on(Surfaces::ALL),
    // An unready one is HTTP 200 in v2.
    Route::get("/health/readiness", Now(|http, _| Ok(http.readiness(200)))).early().on(Surfaces::ALL),
    Route::get("/namespace/list", Now(Http::v2_namespaces)),
];

impl Http {
    fn v2_namespaces(&self, _: &Call) -> Handled {
        let answer = |namespaces: &[NamespaceInfo<'_>]| result(|out| write_json(out, namespaces));
        Ok(self.with_namespaces("", 2, answer).into())
    }
}
