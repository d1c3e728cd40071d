//! `/v2/cs`: configs.

mod config;
mod history;
mod search;

use crate::http::{
    Http,
    route::{
        Handler::{Later, Now},
        Route,
    },
};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/config", Now(Http::v2_read_config)),
    Route::post("/config", Later(|http, call| Box::pin(http.v2_publish(call)))),
    Route::delete("/config", Later(|http, call| Box::pin(http.v2_remove(call)))),
    Route::get("/config/searchDetail", Later(|http, call| Box::pin(http.v2_search(call)))).admin(),
    Route::get("/history/list", Now(Http::v2_history)).admin(),
    Route::get("/history", Now(Http::v2_history_entry)).admin(),
    Route::get("/history/detail", Now(Http::v2_history_detail)).admin(),
    Route::get("/history/previous", Now(Http::v2_previous)).admin(),
    Route::get("/history/configs", Later(|http, call| Box::pin(http.v2_configs_of(call)))).admin(),
];
