//! Nacos over gRPC: the payload, the two services, request bodies, answers and pushes.
//!
//! A handler reads [`RequestType::parse`] of the payload's type, then [`parse`]s the body into the struct of that
//! name, and answers with a function of [`answer`]; pushes are made by [`push`], their acknowledgements read by
//! [`Ack`]. Servers implement [`NacosGrpc`]; clients use [`NacosGrpcClient`] and [`reply`].

mod ack;
pub mod answer;
mod codec;
mod config;
mod failure;
mod framed;
mod internal;
mod kind;
mod lock;
mod naming;
mod payload;
pub mod push;
pub mod reply;
mod server;
mod streaming;
mod stub;
mod unary;

pub use ack::Ack;
pub use codec::PayloadCodec;
pub use config::{
    AdditionMap, ConfigBatchListenRequest, ConfigFuzzyWatchRequest, ConfigListenContext,
    ConfigPublishRequest, ConfigQueryRequest, ConfigRemoveRequest,
};
pub use failure::{Failure, code_of};
pub use internal::{ConnectionSetupRequest, EmptyRequest};
pub use kind::{PushType, RequestType};
pub use lock::{LockInstance, LockOperation, LockOperationRequest};
pub use naming::{
    BatchInstanceRequest, InstanceBody, InstanceRequest, NamingFuzzyWatchRequest, ServiceListRequest,
    ServiceQueryRequest, SubscribeServiceRequest, WatchType, service_key,
};
pub use payload::{Any, BodyError, Metadata, Payload, parse};
pub use server::{BiRequestStreamServer, NacosGrpc, RequestServer};
pub use stub::NacosGrpcClient;
