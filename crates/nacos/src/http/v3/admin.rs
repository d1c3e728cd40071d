//! `/v3/admin`: administration, for tools.

pub(crate) mod core;
pub(crate) mod cs;
pub(crate) mod ns;
