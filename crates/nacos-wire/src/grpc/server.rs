//! The server side of the two gRPC services, as tonic's code generator would write it, over calls of our own.

use super::{Payload, streaming, unary};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    codegen::{Service, http, tokio_stream::Stream},
    server::NamedService,
};

/// What a Nacos gRPC server does. Business failures are payloads; a gRPC error status makes clients treat the
/// connection as broken.
pub trait NacosGrpc: Send + Sync + 'static {
    /// The messages to one client. The stream must not wait for its first message to send its headers: return it at once.
    type Pushes: Stream<Item = Result<Payload, Status>> + Send + 'static;

    /// `/Request/request`: one request, one answer.
    fn request(
        &self,
        request: Request<Payload>,
    ) -> impl Future<Output = Result<Response<Payload>, Status>> + Send;

    /// `/BiRequestStream/requestBiStream`: set-up and acknowledgements in, pushes out.
    fn request_bi_stream(
        &self,
        request: Request<Streaming<Payload>>,
    ) -> impl Future<Output = Result<Response<Self::Pushes>, Status>> + Send;
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The size limits of messages, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageLimits {
    pub(super) decoding: usize,
    pub(super) encoding: usize,
}

macro_rules! service {
    ($(#[$doc:meta])* $name:ident, $service:literal, $path:literal, $serve:path) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T> {
            inner: Arc<T>,
            limits: MessageLimits,
        }

        impl<T> $name<T> {
            /// The path of its one method.
            pub const PATH: &'static str = $path;

            /// Serves `inner`; messages of up to `message_bytes_max` bytes are taken, larger ones are answered with
            /// `RESOURCE_EXHAUSTED` on that call, and the connection lives. What is sent is not limited.
            pub fn new(inner: Arc<T>, message_bytes_max: usize) -> Self {
                Self { inner, limits: MessageLimits { decoding: message_bytes_max, encoding: usize::MAX } }
            }

            /// Limits what is sent, too.
            pub fn max_encoding_message_size(mut self, bytes: usize) -> Self {
                self.limits.encoding = bytes;
                self
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self { inner: Arc::clone(&self.inner), limits: self.limits }
            }
        }

        impl<T> NamedService for $name<T> {
            const NAME: &'static str = $service;
        }

        impl<T, B> Service<http::Request<B>> for $name<T>
        where
            T: NacosGrpc,
            B: http_body::Body + Send + 'static,
            B::Data: Send,
            B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
        {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = BoxFuture<Result<Self::Response, Self::Error>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<B>) -> Self::Future {
                if request.uri().path() != Self::PATH {
                    return Box::pin(std::future::ready(Ok(Status::unimplemented("").into_http())));
                }
                let (inner, limits) = (Arc::clone(&self.inner), self.limits);
                Box::pin(async move { Ok($serve(inner, request, limits).await) })
            }
        }
    };
}

service! {
    /// The service `Request`: unary calls.
    RequestServer, "Request", "/Request/request", unary::serve
}

service! {
    /// The service `BiRequestStream`: one stream a connection.
    BiRequestStreamServer, "BiRequestStream", "/BiRequestStream/requestBiStream", streaming::serve
}
