//! The stream: pushes leave as they are made, its end is a status.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use muster_nacos_wire::grpc::{BiRequestStreamServer, NacosGrpc, Payload};
use prost::Message;
use std::sync::Arc;
use tonic::{
    Code, Request, Response, Status, Streaming,
    codegen::{
        Service, http,
        tokio_stream::{self, StreamExt},
    },
};

/// Pushes what came in, then ends as it was told.
struct Echo(Option<Code>);

impl NacosGrpc for Echo {
    type Pushes = tokio_stream::Iter<std::vec::IntoIter<Result<Payload, Status>>>;

    async fn request(&self, _: Request<Payload>) -> Result<Response<Payload>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn request_bi_stream(
        &self,
        request: Request<Streaming<Payload>>,
    ) -> Result<Response<Self::Pushes>, Status> {
        let mut messages = request.into_inner();
        let mut pushes = Vec::new();
        while let Some(message) = messages.next().await {
            pushes.push(Ok(message?));
        }
        pushes.extend(self.0.map(|code| Err(Status::new(code, "told to"))));
        Ok(Response::new(tokio_stream::iter(pushes)))
    }
}

fn framed(payload: &Payload) -> Vec<u8> {
    let message = payload.encode_to_vec();
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&message);
    frame
}

async fn stream(sent: &[u8], ending: Option<Code>, bytes_max: usize) -> (Code, Bytes) {
    let mut server =
        BiRequestStreamServer::new(Arc::new(Echo(ending)), 1 << 20).max_encoding_message_size(bytes_max);
    let request = http::Request::post("/BiRequestStream/requestBiStream");
    let response = server.call(request.body(Full::new(Bytes::copy_from_slice(sent))).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let only_trailers = Status::from_header_map(response.headers()).map(|status| status.code());
    let collected = response.into_body().collect().await.unwrap();
    let status = collected.trailers().and_then(Status::from_header_map).map(|status| status.code());
    (status.or(only_trailers).unwrap(), collected.to_bytes())
}

#[tokio::test]
async fn pushes_are_the_encoded_payloads_in_their_order() {
    let payloads =
        [10, 5000, 0, 100_000, 4096].map(|size| Payload::new("NotifySubscriberRequest", "x".repeat(size)));
    let sent: Vec<u8> = payloads.iter().flat_map(framed).collect();
    let (status, received) = stream(&sent, None, usize::MAX).await;
    assert_eq!(status, Code::Ok);
    assert!(received == sent);
}

#[tokio::test]
async fn a_stream_ends_with_its_status() {
    let sent = framed(&Payload::new("T", "{}"));
    assert_eq!(stream(&sent, Some(Code::Aborted), usize::MAX).await, (Code::Aborted, sent.clone().into()));
    assert_eq!(stream(&[], None, usize::MAX).await, (Code::Ok, Bytes::new()));
    assert_eq!(stream(&sent, None, 1).await, (Code::OutOfRange, Bytes::new()));
}

#[tokio::test]
async fn a_refused_stream_is_a_status_alone() {
    let too_large = [0, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(stream(&too_large, None, usize::MAX).await.0, Code::OutOfRange);
    let truncated = &framed(&Payload::new("T", "{}"))[..8];
    assert_eq!(stream(truncated, None, usize::MAX).await.0, Code::Internal);
}
