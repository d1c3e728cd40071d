//! Health that is set from outside: active checks and operators.

use crate::Checker;
use muster_model::{ClientId, Instance, ServiceKey};
use std::sync::Arc;

/// A persistent instance and how to check it.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckTarget {
    /// The service.
    pub service: ServiceKey,
    /// The client, for [`SetHealth`](crate::SetHealth).
    pub client: ClientId,
    /// The instance with its present health; a slice of one.
    pub instance: Arc<[Instance]>,
    /// How to check it.
    pub checker: Checker,
    /// The port to check.
    pub port: u16,
}
