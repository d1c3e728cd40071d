//! The message and the two services.

use http_body_util::Full;
use muster_nacos_wire::grpc::{
    Any, BiRequestStreamServer, Metadata, NacosGrpc, Payload, RequestServer, answer,
};
use prost::Message as _;
use std::sync::Arc;
use tonic::{
    Code, Request, Response, Status, Streaming,
    codegen::{Service as _, http, tokio_stream::Empty},
    server::NamedService as _,
};

#[test]
fn the_message_is_encoded_as_the_proto_says() {
    // metadata = 2 {type = 3, headers = 7 {1, 2}, clientIp = 8}, body = 3 {value = 2}
    let mut payload = Payload::new("T", "{}");
    payload.metadata = Some(Metadata {
        r#type: "T".to_owned(),
        headers: [("k".to_owned(), "v".to_owned())].into(),
        client_ip: "i".to_owned(),
    });
    let bytes = payload.encode_to_vec();
    assert_eq!(bytes, b"\x12\x0e\x1a\x01T\x3a\x06\x0a\x01k\x12\x01v\x42\x01i\x1a\x04\x12\x02{}");
    assert_eq!(Payload::decode(&bytes[..]).unwrap(), payload);
}

#[test]
fn bodies_are_shared_not_copied() {
    let encoded = bytes::Bytes::from(Payload::new("T", "x".repeat(100)).encode_to_vec());
    let value = Payload::decode(encoded.clone()).unwrap().body.unwrap().value;
    assert!(encoded.as_ptr_range().contains(&value.as_ptr()));
}

#[test]
fn missing_parts_read_as_empty() {
    let empty = Payload::default();
    assert_eq!((empty.kind(), empty.json(), empty.client_ip(), empty.header("a")), ("", &b""[..], "", None));
}

#[test]
fn headers_of_metadata_win_over_those_of_the_body() {
    let mut payload = Payload::new("T", r#"{"headers":{"app":"body","Notify":"True","n":null}}"#);
    assert_eq!(payload.header("APP").as_deref(), Some("body"));
    payload.metadata.get_or_insert_default().headers.insert("App".to_owned(), "meta".to_owned());
    assert_eq!(payload.header("app").as_deref(), Some("meta"));
    assert_eq!(payload.header("notify").as_deref(), Some("True"));
    assert_eq!(payload.header("n"), None);
    payload.body = Some(Any { type_url: "T".to_owned(), value: "not json".into() });
    assert_eq!(payload.header("notify"), None);
}

/// Answers with a server check, whatever is asked.
struct Checked;

impl NacosGrpc for Checked {
    type Pushes = Empty<Result<Payload, Status>>;

    async fn request(&self, _: Request<Payload>) -> Result<Response<Payload>, Status> {
        Ok(Response::new(answer::server_check("c")))
    }

    async fn request_bi_stream(
        &self,
        _: Request<Streaming<Payload>>,
    ) -> Result<Response<Self::Pushes>, Status> {
        Ok(Response::new(tonic::codegen::tokio_stream::empty()))
    }
}

fn call(path: &str, payload: &Payload) -> http::Request<Full<bytes::Bytes>> {
    let message = payload.encode_to_vec();
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&message);
    let request = http::Request::post(path).header("content-type", "application/grpc");
    request.body(Full::new(frame.into())).unwrap()
}

fn status<B>(response: &http::Response<B>) -> Option<Code> {
    Status::from_header_map(response.headers()).map(|status| status.code())
}

#[tokio::test]
async fn other_paths_are_unimplemented() {
    let mut unary = RequestServer::new(Arc::new(Checked), 1024);
    let mut stream = BiRequestStreamServer::new(Arc::new(Checked), 1024);
    let payload = Payload::new("T", "{}");
    assert_eq!(status(&unary.call(call("/Request/request", &payload)).await.unwrap()), None);
    assert_eq!(
        status(&unary.call(call("/Request/other", &payload)).await.unwrap()),
        Some(Code::Unimplemented)
    );
    assert_eq!(
        status(&stream.call(call("/BiRequestStream/x", &payload)).await.unwrap()),
        Some(Code::Unimplemented)
    );
    assert_eq!(RequestServer::<Checked>::NAME, "Request");
    assert_eq!(BiRequestStreamServer::<Checked>::PATH, "/BiRequestStream/requestBiStream");
}

#[tokio::test]
async fn too_large_messages_are_refused_on_their_own_call() {
    let mut unary = RequestServer::new(Arc::new(Checked), 1024);
    let large = Payload::new("T", "x".repeat(1024));
    let response = unary.call(call("/Request/request", &large)).await.unwrap();
    assert_eq!(status(&response), Some(Code::ResourceExhausted));
    let response = unary.call(call("/Request/request", &Payload::new("T", "{}"))).await.unwrap();
    assert_eq!(status(&response), None);
}
