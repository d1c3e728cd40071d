//! `/v3/console/cs`: configs as the console asks for it.

use crate::http::route::Route;

pub(crate) const ROUTES: &[Route] = &[];
