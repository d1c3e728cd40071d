//! `/v3/console/health`.

use crate::http::{
    route::{Handler::Now, Route},
    server::alive,
};
use muster_transport::Surfaces;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/liveness", Now(|_, _| Ok(alive()))).early().on(Surfaces::ALL),
    Route::get("/readiness", Now(|http, _| Ok(http.readiness(500)))).early().on(Surfaces::ALL),
];
