//! `/v1/ns`: naming.

mod catalog;
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

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/instance/list", Now(Http::list_instances)),
    Route::put("/instance/beat", Now(Http::v1_beat)),
    Route::post("/instance", Later(|http, call| Box::pin(http.register_instance(call)))),
    Route::delete("/instance", Later(|http, call| Box::pin(http.deregister_instance(call)))),
    Route::put("/instance", Later(|http, call| Box::pin(http.update_instance(call)))),
    Route::patch("/instance", Later(|http, call| Box::pin(http.patch_instance(call)))),
    Route::get("/instance", Now(Http::read_instance)),
    Route::get("/instance/statuses", Now(Http::instance_statuses)).admin(),
    Route::put("/instance/metadata/batch", Later(|http, call| Box::pin(http.merge_metadata(call)))).admin(),
    Route::delete("/instance/metadata/batch", Later(|http, call| Box::pin(http.remove_metadata(call))))
        .admin(),
    Route::post("/service", Later(|http, call| Box::pin(http.v1_create_service(call)))),
    Route::put("/service", Later(|http, call| Box::pin(http.v1_update_service(call)))),
    Route::delete("/service", Later(|http, call| Box::pin(http.v1_remove_service(call)))),
    Route::get("/service", Now(Http::v1_read_service)),
    Route::get("/service/list", Now(Http::list_service_names)),
    Route::get("/service/names", Now(Http::all_service_names)),
    Route::get("/service/subscribers", Now(Http::v1_subscribers)),
    Route::get("/service/selector/types", Now(Http::v1_selector_types)),
    Route::put("/cluster", Later(|http, call| Box::pin(http.v1_update_cluster(call)))).admin(),
    Route::get("/catalog/services", Now(Http::catalog_services)).admin(),
    Route::get("/catalog/service", Now(Http::catalog_service)).admin(),
    Route::get("/catalog/instances", Now(Http::catalog_instances)).admin(),
    Route::put("/health/instance", Now(Http::v1_set_health)).admin(),
    Route::put("/health", Now(Http::v1_set_health)).admin(),
    Route::get("/health/checkers", Now(Http::v1_checkers)).admin(),
    Route::any("/health/server", Now(Http::server_health)).early(),
    Route::get("/operator/metrics", Now(Http::v1_naming_metrics)).early(),
    Route::get("/ops/metrics", Now(Http::v1_naming_metrics)).early(),
    Route::get("/operator/servers", Now(Http::v1_servers)).early().admin(),
    Route::get("/operator/switches", Now(Http::v1_switches)).admin(),
    Route::get("/ops/switches", Now(Http::v1_switches)).admin(),
    Route::put("/operator/switches", Later(|http, call| Box::pin(http.v1_set_switch(call)))).admin(),
    Route::put("/ops/switches", Later(|http, call| Box::pin(http.v1_set_switch(call)))).admin(),
    Route::any("/operator/push/state", Now(Http::v1_push_state)).admin(),
    Route::any("/ops/push/state", Now(Http::v1_push_state)).admin(),
    Route::get("/operator/distro/client", Now(Http::v1_responsible_server)).admin(),
    Route::get("/ops/distro/client", Now(Http::v1_responsible_server)).admin(),
    Route::put("/operator/log", Now(Http::v1_naming_log)).early().admin(),
    Route::put("/ops/log", Now(Http::v1_naming_log)).early().admin(),
    Route::get("/client/list", Now(Http::v2_clients)).admin(),
    Route::get("/client", Now(Http::v2_client)).admin(),
    Route::get("/client/publish/list", Now(Http::v2_published_by)).admin(),
    Route::get("/client/subscribe/list", Now(Http::v2_subscribed_by)).admin(),
    Route::get("/client/service/publisher/list", Now(Http::v2_publishers)).admin(),
    Route::get("/client/service/subscriber/list", Now(Http::v2_subscribers)).admin(),
];
