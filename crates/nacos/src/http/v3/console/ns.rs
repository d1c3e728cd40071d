//! `/v3/console/ns`: naming as the console asks for it.

use crate::http::route::Route;

pub(crate) const ROUTES: &[Route] = &[];
