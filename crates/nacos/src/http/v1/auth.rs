//! `/v1/auth`: logins.

use crate::http::{
    Http,
    route::{Handler::Now, Route},
};

pub(crate) const ROUTES: &[Route] =
    &[Route::post("/login", Now(Http::login)).early(), Route::post("/users/login", Now(Http::login)).early()];
