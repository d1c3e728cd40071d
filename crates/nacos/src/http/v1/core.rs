//! `/v1/core`: the nodes.

use crate::http::route::Route;

pub(crate) const ROUTES: &[Route] = &[];
