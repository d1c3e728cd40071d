//! `/v2/ns`: naming.

use crate::http::route::Route;

pub(crate) const ROUTES: &[Route] = &[];
