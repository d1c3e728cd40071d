//! What is read and written, against bodies recorded from Nacos 3.0.3 (gRPC, HTTP v3) and 2.5.1 (HTTP v1).

#![allow(clippy::unwrap_used, reason = "clippy's test exception does not reach helpers of integration tests")]

mod answers;
mod http_answers;
mod http_requests;
mod payloads;
mod pushes;
mod requests;
mod sample;
mod service_info;
mod streaming;
mod strict;
mod unary;
