//! `/v3/auth`: logins.

use crate::http::{
    Http,
    route::{Handler::Now, Route},
};

pub(crate) const ROUTES: &[Route] = &[Route::post("/user/login", Now(Http::login)).early()];
