//! `/v3/console/core`: namespaces and nodes.

use crate::http::{
    Http,
    route::{Handler::Now, Route},
};

pub(crate) const ROUTES: &[Route] = &[Route::get("/namespace/list", Now(Http::v3_namespaces))];
