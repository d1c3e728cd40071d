//! Spring's words for health, which load balancers ask.

use super::{
    Http,
    call::Call,
    route::{Handled, Handler::Now, Route},
};
use muster_nacos_wire::http::actuator_health;

pub(crate) const ROUTES: &[Route] = &[Route::get("/health", Now(Http::actuator)).early()];

impl Http {
    fn actuator(&self, _: &Call) -> Handled {
        Ok(actuator_health(self.node.is_ready()).into())
    }
}
