//! `/v3/admin/ns`: naming.

mod instance;
mod operator;
mod service;

use crate::http::{
    Http,
    route::{
        Handler::{Later, Now},
        Route,
    },
};
use muster_nacos_wire::http::Dialect;

const DIALECT: Dialect = Dialect::V3;

pub(crate) const ROUTES: &[Route] = &[
    Route::post("/instance", Later(|http, call| Box::pin(http.v3_register_instance(call)))),
    Route::delete("/instance", Later(|http, call| Box::pin(http.v3_deregister_instance(call)))),
    Route::put("/instance", Later(|http, call| Box::pin(http.v3_update_instance(call)))),
    Route::put("/instance/partial", Later(|http, call| Box::pin(http.v3_patch_instance(call)))),
    Route::get("/instance", Now(Http::v3_read_instance)),
    Route::get("/instance/list", Now(Http::v3_list_instances)),
    Route::put("/instance/metadata/batch", Later(|http, call| Box::pin(http.v3_merge_metadata(call)))),
    Route::delete("/instance/metadata/batch", Later(|http, call| Box::pin(http.v3_remove_metadata(call)))),
    Route::post("/service", Later(|http, call| Box::pin(http.v3_create_service(call)))),
    Route::put("/service", Later(|http, call| Box::pin(http.v3_update_service(call)))),
    Route::delete("/service", Later(|http, call| Box::pin(http.v3_remove_service(call)))),
    Route::get("/service", Now(Http::v3_read_service)),
    Route::get("/service/list", Now(Http::v3_list_services)),
    Route::get("/service/subscribers", Now(Http::v3_subscribers)),
    Route::get("/service/selector/types", Now(Http::v3_selector_types)),
    Route::put("/cluster", Later(|http, call| Box::pin(http.v3_update_cluster(call)))),
    Route::put("/health/instance", Now(Http::v3_set_health)),
    Route::get("/health/checkers", Now(Http::v3_checkers)),
    Route::get("/ops/metrics", Now(Http::v3_naming_metrics)).early(),
    Route::get("/ops/switches", Now(Http::v3_switches)),
    Route::put("/ops/switches", Later(|http, call| Box::pin(http.v3_set_switch(call)))),
    Route::put("/ops/log", Now(Http::v3_naming_log)).early(),
    Route::get("/client/list", Now(Http::v3_clients)),
    Route::get("/client", Now(Http::v3_client)),
    Route::get("/client/publish/list", Now(Http::v3_published_by)),
    Route::get("/client/subscribe/list", Now(Http::v3_subscribed_by)),
    Route::get("/client/service/publisher/list", Now(Http::v3_publishers)),
    Route::get("/client/service/subscriber/list", Now(Http::v3_subscriber_clients)),
    Route::get("/client/distro", Now(Http::v3_responsible_server)),
];
