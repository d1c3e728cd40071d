//! `/v1/console`: what is asked about the server, and its namespaces.

use crate::http::{
    Http,
    call::Call,
    route::{Handled, Handler::Now, Route},
    server::announcement,
};
use muster_nacos_wire::http::{Answer, NamespaceInfo, rest_result, write_json};
use muster_transport::Surfaces;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/health/liveness", Now(|_, _| Ok(Answer::text(200, "OK").into()))).early().on(Surfaces::ALL),
    Route::get("/health/readiness", Now(Http::v1_readiness)).early().on(Surfaces::ALL),
    Route::get("/server/state", Now(Http::raw_server_state)).early(),
    Route::get("/server/announcement", Now(Http::v1_announcement)).early(),
    Route::get("/server/guide", Now(|_, _| Ok(rest_result(200, None, |out| write_json(out, "")).into())))
        .early(),
    Route::get("/namespaces", Now(Http::v1_namespaces)),
];

impl Http {
    fn v1_readiness(&self, _: &Call) -> Handled {
        Ok(if self.node.is_ready() {
            Answer::text(200, "OK")
        } else {
            Answer::text(500, "config and naming not in readiness")
        }
        .into())
    }

    fn v1_announcement(&self, call: &Call) -> Handled {
        let text = announcement(call.parameters.get("language").unwrap_or("zh-CN"));
        Ok(rest_result(200, None, |out| write_json(out, &text)).into())
    }

    fn v1_namespaces(&self, _: &Call) -> Handled {
        let answer =
            |namespaces: &[NamespaceInfo<'_>]| rest_result(200, None, |out| write_json(out, namespaces));
        Ok(self.with_namespaces("", 2, answer).into())
    }
}
