//! The second generation.

pub(crate) mod console;
pub(crate) mod core;
pub(crate) mod cs;
pub(crate) mod ns;
