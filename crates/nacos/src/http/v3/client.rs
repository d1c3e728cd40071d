//! `/v3/client`: what 3.x clients without gRPC call.

pub(crate) mod cs;
pub(crate) mod ns;
