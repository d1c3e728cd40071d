//! `/v3/admin/cs`: configs.

use crate::http::{
    Http,
    route::{
        Handler::{Later, Now},
        Route,
    },
    v3::cs::ADMIN_CLONE,
};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/config", Now(Http::v3_config)),
    Route::post("/config", Later(|http, call| Box::pin(http.v3_publish(call)))),
    Route::delete("/config", Later(|http, call| Box::pin(http.v3_remove(call)))),
    Route::put("/config/metadata", Later(|http, call| Box::pin(http.v3_describe(call)))),
    Route::delete("/config/batch", Later(|http, call| Box::pin(http.v3_remove_by_id(call)))),
    Route::get("/config/list", Later(|http, call| Box::pin(http.v3_list_configs(call)))),
    Route::get("/config/listener", Now(Http::v3_listeners_of)),
    Route::get("/listener", Now(Http::v3_listened_by)),
    Route::get("/config/beta", Now(Http::v3_beta)),
    Route::delete("/config/beta", Later(|http, call| Box::pin(http.v3_stop_beta(call)))),
    Route::post("/config/import", Later(|http, call| Box::pin(http.v3_import(call)))),
    Route::get("/config/export", Later(|http, call| Box::pin(http.v3_export(call)))),
    Route::post("/config/clone", Later(|http, call| Box::pin(http.v3_clone(call, ADMIN_CLONE)))),
    Route::get("/history/list", Now(Http::v3_history)),
    Route::get("/history", Now(Http::v3_history_entry)),
    Route::get("/history/previous", Now(Http::v3_previous)),
    Route::get("/history/configs", Later(|http, call| Box::pin(http.v3_configs_of(call)))),
    Route::get("/capacity", Now(Http::v3_capacity)),
    Route::post("/capacity", Later(|http, call| Box::pin(http.v3_set_capacity(call)))),
    Route::post("/ops/localCache", Now(Http::v3_drop_cache)),
    Route::put("/ops/log", Now(Http::v3_config_log_level)),
    Route::get("/ops/derby", Now(Http::v3_derby)),
    Route::post("/ops/derby/import", Now(Http::v3_no_derby)),
    Route::get("/metrics/cluster", Later(|http, call| Box::pin(http.v3_cluster_metrics(call)))),
    Route::get("/metrics/ip", Later(|http, call| Box::pin(http.v3_client_metrics(call)))),
];
