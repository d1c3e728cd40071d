//! `/v2/ns`: naming.

mod instance;
mod operator;
mod service;

use crate::http::{
    Http,
    reply::done,
    route::{
        Handler::{Later, Now},
        Route,
    },
};
use muster_nacos_wire::http::Dialect;

/// The words of v2's refusals, which v3 has too.
const DIALECT: Dialect = Dialect::V3;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/instance/list", Now(Http::v2_list)),
    Route::put("/instance/beat", Now(Http::v2_beat)),
    Route::post("/instance", Later(|http, call| Box::pin(http.v2_register(call)))),
    Route::delete("/instance", Later(|http, call| Box::pin(http.v2_deregister(call)))),
    Route::put("/instance", Later(|http, call| Box::pin(http.v2_update(call)))),
    Route::patch("/instance", Later(|http, call| Box::pin(http.v2_patch(call)))),
    Route::get("/instance", Now(Http::v2_read)),
    Route::any("/instance/statuses/{key}", Now(Http::v2_statuses)).admin(),
    Route::put("/instance/metadata/batch", Later(|http, call| Box::pin(http.v2_merge_metadata(call))))
        .admin(),
    Route::delete("/instance/metadata/batch", Later(|http, call| Box::pin(http.v2_remove_metadata(call))))
        .admin(),
    Route::post("/service", Later(|http, call| Box::pin(http.v2_create_service(call)))),
    Route::put("/service", Later(|http, call| Box::pin(http.v2_update_service(call)))),
    Route::delete("/service", Later(|http, call| Box::pin(http.v2_remove_service(call)))),
    Route::get("/service", Now(Http::v2_read_service)),
    Route::get("/service/list", Now(Http::v2_service_names)),
    Route::get("/catalog/instances", Now(Http::v2_catalog_instances)).admin(),
    Route::put("/health/instance", Now(Http::v2_set_health)).admin(),
    Route::put("/health", Now(Http::v2_set_health)).admin(),
    Route::get("/operator/metrics", Now(Http::v2_naming_metrics)).early(),
    Route::get("/ops/metrics", Now(Http::v2_naming_metrics)).early(),
    Route::get("/operator/switches", Now(Http::v2_switches)).admin(),
    Route::get("/ops/switches", Now(Http::v2_switches)).admin(),
    Route::put("/operator/switches", Later(|http, call| Box::pin(http.v2_set_switch(call)))).admin(),
    Route::put("/ops/switches", Later(|http, call| Box::pin(http.v2_set_switch(call)))).admin(),
    Route::get("/client/list", Now(Http::v2_clients)).admin(),
    Route::get("/client", Now(Http::v2_client)).admin(),
    Route::get("/client/publish/list", Now(Http::v2_published_by)).admin(),
    Route::get("/client/subscribe/list", Now(Http::v2_subscribed_by)).admin(),
    Route::get("/client/service/publisher/list", Now(Http::v2_publishers)).admin(),
    Route::get("/client/service/subscriber/list", Now(Http::v2_subscribers)).admin(),
];
