//! Unary calls: what is read from the frames of a body, and what an answer is made of.

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use muster_nacos_wire::grpc::{Any, NacosGrpc, Payload, RequestServer};
use prost::Message;
use std::{convert::Infallible, sync::Arc};
use tonic::{
    Code, Request, Response, Status, Streaming,
    codegen::{Service, http, tokio_stream},
};

const MAX: usize = 1 << 20;

/// Answers with what was asked.
struct Echo;

impl NacosGrpc for Echo {
    type Pushes = tokio_stream::Empty<Result<Payload, Status>>;

    async fn request(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        assert_eq!(request.metadata().get("te").unwrap(), "trailers");
        Ok(Response::new(request.into_inner()))
    }

    async fn request_bi_stream(
        &self,
        _: Request<Streaming<Payload>>,
    ) -> Result<Response<Self::Pushes>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

fn framed(payload: &Payload) -> Vec<u8> {
    let message = payload.encode_to_vec();
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&message);
    frame
}

/// Calls with a body that comes in these pieces; the status, and the message with its prefix.
async fn call(pieces: impl IntoIterator<Item = Vec<u8>>, server: &mut RequestServer<Echo>) -> (Code, Bytes) {
    let frames: Vec<_> = pieces
        .into_iter()
        .map(|piece| Ok::<_, Infallible>(http_body::Frame::data(Bytes::from(piece))))
        .collect();
    let body = StreamBody::new(tokio_stream::iter(frames));
    let request = http::Request::post("/Request/request").header("te", "trailers").body(body).unwrap();
    let response = server.call(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let only_trailers = Status::from_header_map(response.headers()).map(|status| status.code());
    let collected = response.into_body().collect().await.unwrap();
    let status = collected.trailers().and_then(Status::from_header_map).map(|status| status.code());
    (status.or(only_trailers).unwrap(), collected.to_bytes())
}

#[tokio::test]
async fn the_answer_is_the_encoded_payload_whatever_its_size() {
    for size in [0, 2, 4095, 4096, 4097, 200_000] {
        for type_url in ["", "QueryServiceResponse"] {
            let mut payload = Payload::new("QueryServiceResponse", "x".repeat(size));
            payload.body.as_mut().unwrap().type_url = type_url.into();
            let sent = framed(&payload);
            let (status, answer) = call([sent.clone()], &mut RequestServer::new(Arc::new(Echo), MAX)).await;
            assert_eq!(status, Code::Ok);
            assert!(answer == sent, "{size} bytes, type URL {type_url:?}");
        }
    }
    for payload in [Payload::default(), Payload { body: Some(Any::default()), metadata: None }] {
        let (status, answer) = call([framed(&payload)], &mut RequestServer::new(Arc::new(Echo), MAX)).await;
        assert_eq!((status, &answer[..]), (Code::Ok, &framed(&payload)[..]));
    }
}

#[tokio::test]
async fn a_message_may_come_in_any_pieces() {
    let sent = framed(&Payload::new("T", r#"{"a":"b"}"#));
    for size in 1..=sent.len() {
        let pieces = sent.chunks(size).map(<[u8]>::to_vec).chain([Vec::new()]);
        let (status, answer) = call(pieces, &mut RequestServer::new(Arc::new(Echo), MAX)).await;
        assert_eq!((status, &answer[..]), (Code::Ok, &sent[..]), "pieces of {size}");
    }
}

#[tokio::test]
async fn bytes_behind_the_message_are_ignored() {
    let sent = framed(&Payload::new("T", "{}"));
    let twice = [&sent[..], &sent[..]].concat();
    let (status, answer) = call([twice], &mut RequestServer::new(Arc::new(Echo), MAX)).await;
    assert_eq!((status, &answer[..]), (Code::Ok, &sent[..]));
}

#[tokio::test]
async fn what_is_no_message_is_a_status() {
    let sent = framed(&Payload::new("T", "{}"));
    let compressed = [&[1], &sent[1..]].concat();
    let flagged = [&[7], &sent[1..]].concat();
    let claims_much = vec![0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
    let garbage = vec![0, 0, 0, 0, 2, 0xff, 0xff];
    for (body, code) in [
        (Vec::new(), Code::Internal),
        (sent[..3].to_vec(), Code::Internal),
        (sent[..sent.len() - 1].to_vec(), Code::Internal),
        (compressed, Code::Unimplemented),
        (flagged, Code::Internal),
        (claims_much, Code::ResourceExhausted),
        (garbage, Code::Internal),
    ] {
        let (status, answer) = call([body.clone()], &mut RequestServer::new(Arc::new(Echo), MAX)).await;
        assert_eq!((status, answer.len()), (code, 0), "{body:?}");
    }
}

#[tokio::test]
async fn answers_are_limited_where_asked_for() {
    let mut server = RequestServer::new(Arc::new(Echo), MAX).max_encoding_message_size(100);
    assert_eq!(call([framed(&Payload::new("T", "x".repeat(200)))], &mut server).await.0, Code::OutOfRange);
    assert_eq!(call([framed(&Payload::new("T", "x"))], &mut server).await.0, Code::Ok);
}
