//! `/v3/console/cs`: configs as the console asks for it.

use crate::http::{
    Http,
    route::{
        Handler::{Later, Now},
        Route,
    },
    v3::cs::CONSOLE_CLONE,
};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/config", Now(Http::v3_console_config)),
    Route::post("/config", Later(|http, call| Box::pin(http.v3_publish(call)))),
    Route::delete("/config", Later(|http, call| Box::pin(http.v3_remove(call)))),
    Route::delete("/config/batchDelete", Later(|http, call| Box::pin(http.v3_remove_by_id(call)))),
    Route::get("/config/list", Later(|http, call| Box::pin(http.v3_list_configs(call)))),
    Route::get("/config/searchDetail", Later(|http, call| Box::pin(http.v3_list_configs(call)))),
    Route::get("/config/listener", Now(Http::v3_listeners_of)),
    Route::get("/config/listener/ip", Now(Http::v3_listened_by)),
    Route::get("/config/beta", Now(Http::v3_console_beta)),
    Route::delete("/config/beta", Later(|http, call| Box::pin(http.v3_stop_beta(call)))),
    Route::post("/config/import", Later(|http, call| Box::pin(http.v3_import(call)))),
    Route::get("/config/export2", Later(|http, call| Box::pin(http.v3_export(call)))),
    Route::post("/config/clone", Later(|http, call| Box::pin(http.v3_clone(call, CONSOLE_CLONE)))),
    Route::get("/history/list", Now(Http::v3_history)),
    Route::get("/history", Now(Http::v3_history_entry)),
    Route::get("/history/previous", Now(Http::v3_previous)),
    Route::get("/history/configs", Later(|http, call| Box::pin(http.v3_configs_of(call)))),
];
