//! `/v3/console`: administration, as the console asks for it.

pub(crate) mod core;
pub(crate) mod cs;
pub(crate) mod health;
pub(crate) mod ns;
pub(crate) mod server;
