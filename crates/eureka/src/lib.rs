//! Eureka over the same registry: wire formats and handlers.

pub mod wire;
