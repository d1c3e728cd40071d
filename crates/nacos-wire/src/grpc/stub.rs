//! The client side of the two gRPC services, as tonic's code generator would write it.

use super::{Payload, PayloadCodec};
use bytes::Bytes;
use tonic::{
    IntoRequest, IntoStreamingRequest, Request, Response, Status, Streaming,
    body::Body,
    client::{Grpc, GrpcService},
    codegen::http::uri::PathAndQuery,
};

/// A stub for both services on one channel. One Nacos connection is one TCP connection: never give it a channel that
/// balances over several.
#[derive(Clone, Debug)]
pub struct NacosGrpcClient<C>(Grpc<C>);

impl<C> NacosGrpcClient<C>
where
    C: GrpcService<Body>,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    C::ResponseBody: http_body::Body<Data = Bytes> + Send + 'static,
    <C::ResponseBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    /// A stub on a channel; answers of up to `message_bytes_max` bytes are taken.
    pub fn new(channel: C, message_bytes_max: usize) -> Self {
        let grpc = Grpc::new(channel);
        Self(grpc.max_decoding_message_size(message_bytes_max).max_encoding_message_size(usize::MAX))
    }

    /// `/Request/request`.
    pub async fn request(&mut self, request: impl IntoRequest<Payload>) -> Result<Response<Payload>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static("/Request/request");
        self.0.unary(request.into_request(), path, PayloadCodec).await
    }

    /// `/BiRequestStream/requestBiStream`.
    pub async fn request_bi_stream(
        &mut self,
        messages: impl IntoStreamingRequest<Message = Payload>,
    ) -> Result<Response<Streaming<Payload>>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static("/BiRequestStream/requestBiStream");
        let request: Request<_> = messages.into_streaming_request();
        self.0.streaming(request, path, PayloadCodec).await
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.0
            .ready()
            .await
            .map_err(|error| Status::unavailable(format!("service was not ready: {}", error.into())))
    }
}
