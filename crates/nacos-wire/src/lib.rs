//! The words of the Nacos protocols: what clients send, read leniently, and what we answer, written exactly.
//!
//! Pure: bytes in, values of [`muster_model`] out, and back. It holds no state, does no IO and decides nothing;
//! what a request does is `node`'s, which request calls what is `nacos`'s. It does not know the registry:
//! renderers take [`ServiceInfoView`] and [`HostView`], which borrow from whatever holds the instances.
//!
//! Start at [`grpc`] (`Payload`, request bodies, answers, pushes) and [`http`] (parameters, wrappers, errors).

mod check;
pub mod grpc;
pub mod http;
mod json;
mod lenient;
mod service_info;
mod text;

pub use check::{ParamError, check_clusters, config_key};
pub use service_info::{
    HostView, ServiceInfoView, Shape, write_host, write_hosts, write_nameless_service_info,
    write_service_info,
};
pub use text::{Pairs, Text};
