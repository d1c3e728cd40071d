//! The HTTP and the gRPC edge over a node in memory.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod config_admin;
mod config_archives;
mod config_history;
mod configs;
mod console;
mod core;
mod gate;
mod grpc;
mod instances;
mod listener;
mod namespaces;
mod openapi;
mod refusals;
mod services;
mod surfaces;
mod switches;
mod udp;
mod world;
