//! `/v3/console/server`: what the console asks before a login.

use crate::http::{
    Http,
    route::{Handler::Now, Route},
};

pub(crate) const ROUTES: &[Route] = &[Route::get("/state", Now(Http::raw_server_state)).early()];
