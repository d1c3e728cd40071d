//! `/v1/ns`: naming.

mod beat;
mod instance;
mod metadata_batch;
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
    Route::put("/instance/beat", Now(Http::beat)),
    Route::post("/instance", Later(|http, call| Box::pin(http.register_instance(call)))),
    Route::delete("/instance", Later(|http, call| Box::pin(http.deregister_instance(call)))),
    Route::put("/instance", Later(|http, call| Box::pin(http.update_instance(call)))),
    Route::patch("/instance", Later(|http, call| Box::pin(http.patch_instance(call)))),
    Route::get("/instance", Now(Http::read_instance)),
    Route::get("/instance/statuses", Now(Http::instance_statuses)),
    Route::put("/instance/metadata/batch", Later(|http, call| Box::pin(http.merge_metadata(call)))),
    Route::delete("/instance/metadata/batch", Later(|http, call| Box::pin(http.remove_metadata(call)))),
    Route::get("/service/list", Now(Http::list_service_names)),
    Route::get("/operator/metrics", Now(Http::naming_metrics)).early(),
    Route::get("/ops/metrics", Now(Http::naming_metrics)).early(),
];
