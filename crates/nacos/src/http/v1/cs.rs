//! `/v1/cs`: configs.

mod archive;
mod capacity;
mod config;
mod history;
mod listener;
mod listeners;
mod ops;
mod search;

pub(crate) use history::history_page;
pub(crate) use ops::NO_DERBY;
pub(crate) use search::{Columns, found_page};

use crate::http::{
    Http,
    route::{
        Handler::{Later, Now},
        Route,
    },
};
use muster_transport::Surfaces;

pub(crate) const ROUTES: &[Route] = &[
    Route::post("/configs/listener", Later(|http, call| Box::pin(http.listen_to_configs(call)))),
    Route::get("/configs", Later(|http, call| Box::pin(http.get_config(call)))),
    Route::post("/configs", Later(|http, call| Box::pin(http.post_config(call)))),
    Route::delete("/configs", Later(|http, call| Box::pin(http.delete_config(call)))),
    Route::get("/configs/catalog", Now(Http::config_catalog)).admin(),
    Route::get("/configs/listener", Now(Http::v1_listeners_of)).admin(),
    Route::get("/listener", Now(Http::v1_listened_by)).admin(),
    Route::get("/history", Now(Http::v1_history)).admin(),
    Route::get("/history/previous", Now(Http::v1_previous)).admin(),
    Route::get("/history/configs", Later(|http, call| Box::pin(http.v1_configs_of(call)))).admin(),
    Route::get("/capacity", Now(Http::v1_capacity)).admin(),
    Route::post("/capacity", Later(|http, call| Box::pin(http.v1_set_capacity(call)))).admin(),
    Route::get("/health", Now(|_, _| Ok(ops::up()))).early().on(Surfaces::ALL),
    Route::post("/ops/localCache", Now(Http::v1_drop_cache)).admin(),
    Route::put("/ops/log", Now(Http::v1_log_level)).admin(),
    Route::get("/ops/derby", Now(Http::v1_derby)).admin(),
    Route::post("/ops/data/removal", Now(|_, _| Ok(ops::no_derby()))).admin(),
    Route::get("/metrics/cluster", Later(|http, call| Box::pin(http.v1_metrics(call)))).admin(),
    Route::get("/metrics/current", Later(|http, call| Box::pin(http.v1_metrics(call)))).admin(),
];
