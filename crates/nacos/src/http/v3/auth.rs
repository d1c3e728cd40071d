//! `/v3/auth`: logins; users, roles and permissions, of which there are none.

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
use muster_nacos_wire::http::{result, write_json};

pub(crate) const ROUTES: &[Route] = &[
    Route::post("/user/login", Now(Http::login)).early(),
    Route::get("/user/list", Now(Http::v3_empty_page)).early(),
    Route::get("/role/list", Now(Http::v3_empty_page)).early(),
    Route::get("/permission/list", Now(Http::v3_empty_page)).early(),
    Route::get("/user/search", Now(no_names)).early(),
    Route::get("/role/search", Now(no_names)).early(),
    Route::any("/user", Lacking(NO_ACCESS_CONTROL)),
    Route::any("/user/admin", Lacking(NO_ACCESS_CONTROL)),
    Route::any("/role", Lacking(NO_ACCESS_CONTROL)),
    Route::any("/permission", Lacking(NO_ACCESS_CONTROL)),
];

fn no_names(_: &Http, _: &Call) -> Handled {
    Ok(result(|out| write_json::<[&str]>(out, &[])).into())
}

impl Http {
    fn v3_empty_page(&self, call: &Call) -> Handled {
        let page = empty_page(call)?;
        Ok(result(|out| out.extend_from_slice(&page)).into())
    }
}
