//! `/v2/cs`: configs.

use crate::http::route::Route;

pub(crate) const ROUTES: &[Route] = &[];
