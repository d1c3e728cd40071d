//! `/v1/cs`: configs.

mod config;
mod listener;
mod search;

use crate::http::{
    Http,
    route::{
        Handler::{Later, Now},
        Route,
    },
};

pub(crate) const ROUTES: &[Route] = &[
    Route::post("/configs/listener", Later(|http, call| Box::pin(http.listen_to_configs(call)))),
    Route::get("/configs", Now(Http::get_config)),
    Route::post("/configs", Later(|http, call| Box::pin(http.publish_config(call)))),
    Route::delete("/configs", Later(|http, call| Box::pin(http.delete_config(call)))),
];
