//! `/v1/auth`: logins; users, roles and permissions, of which there are none.

use crate::http::{
    Http,
    call::Call,
    route::{
        Handled,
        Handler::{Lacking, Now},
        Route,
    },
    users::{NO_ACCESS_CONTROL, empty_page},
};
use muster_nacos_wire::http::Answer;

pub(crate) const ROUTES: &[Route] = &[
    Route::post("/login", Now(Http::login)).early(),
    Route::post("/users/login", Now(Http::login)).early(),
    Route::get("/users", Now(Http::v1_empty_page)).early(),
    Route::get("/roles", Now(Http::v1_empty_page)).early(),
    Route::get("/permissions", Now(Http::v1_empty_page)).early(),
    Route::get("/users/search", Now(no_names)).early(),
    Route::get("/roles/search", Now(no_names)).early(),
    Route::any("/users", Lacking(NO_ACCESS_CONTROL)),
    Route::any("/users/admin", Lacking(NO_ACCESS_CONTROL)),
    Route::any("/users/password", Lacking(NO_ACCESS_CONTROL)),
    Route::any("/roles", Lacking(NO_ACCESS_CONTROL)),
    Route::any("/permissions", Lacking(NO_ACCESS_CONTROL)),
];

fn no_names(_: &Http, _: &Call) -> Handled {
    Ok(Answer::json("[]").into())
}

impl Http {
    fn v1_empty_page(&self, call: &Call) -> Handled {
        Ok(Answer::json(empty_page(call)?).into())
    }
}
