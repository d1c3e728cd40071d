//! `/v3/console/server`: what the console asks before a login.

use crate::http::{
    Http,
    call::Call,
    route::{Handled, Handler::Now, Route},
    server::{announcement, guide},
};
use muster_nacos_wire::http::{ResultCode, result, result_text, write_json};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/state", Now(Http::raw_server_state)).early(),
    Route::get("/announcement", Now(Http::v3_announcement)).early(),
    Route::get("/guide", Now(|_, _| Ok(result(|out| write_json(out, guide())).into()))).early(),
];

impl Http {
    fn v3_announcement(&self, call: &Call) -> Handled {
        let language = call.parameters.get("language").unwrap_or("zh-CN");
        Ok(match announcement(language) {
            Some(text) => result(|out| write_json(out, text)),
            None => result_text(ResultCode::ServerError, &format!("Unsupported language: {language}")),
        }
        .into())
    }
}
