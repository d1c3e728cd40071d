//! A gRPC service of tonic behind the transport.

use crate::fixture::soon;
use axum::Router;
use http::uri::PathAndQuery;
use muster_model::ConnectionId;
use muster_runtime::{SystemClock, Tasks};
use muster_transport::{
    ConnectionInfo, ConnectionObserver, ConnectionTable, Transport, TransportParts, TransportSettings, bind,
};
use prost::Message;
use std::{convert::Infallible, future::Ready, sync::Arc, time::Duration};
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_prost::ProstCodec;

const MESSAGE_BYTES_MAX: usize = 64 << 10;

#[derive(Clone, PartialEq, Message)]
struct Blob {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: bytes::Bytes,
}

/// Answers with the connection's id.
struct Identify;

impl tonic::server::UnaryService<Blob> for Identify {
    type Response = Blob;
    type Future = Ready<Result<Response<Blob>, Status>>;

    fn call(&mut self, request: Request<Blob>) -> Self::Future {
        let info = request.extensions().get::<ConnectionInfo>().expect("every request carries it");
        std::future::ready(Ok(Response::new(Blob { bytes: info.id.0.to_string().into() })))
    }
}

struct Nobody;

impl ConnectionObserver for Nobody {
    fn closed(&self, _: ConnectionId) {}
}

async fn identify(request: axum::extract::Request) -> Result<http::Response<tonic::body::Body>, Infallible> {
    let codec = ProstCodec::<Blob, Blob>::default();
    let mut grpc =
        tonic::server::Grpc::new(codec).apply_max_message_size_config(Some(MESSAGE_BYTES_MAX), None);
    Ok(grpc.unary(Identify, request).await)
}

async fn call(channel: &Channel, bytes: usize) -> Result<String, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let request = Request::new(Blob { bytes: vec![0; bytes].into() });
    let path = PathAndQuery::from_static("/Test/identify");
    let answer: Response<Blob> = grpc.unary(request, path, ProstCodec::<Blob, Blob>::default()).await?;
    Ok(String::from_utf8(answer.into_inner().bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_message_too_long_costs_one_call() {
    let tasks = Tasks::new();
    let service = tower::service_fn(identify);
    let transport = Transport::start(TransportParts {
        listeners: bind(&["127.0.0.1:0".parse().unwrap()]).unwrap(),
        router: Router::new().route_service("/Test/identify", service),
        settings: TransportSettings::default(),
        table: Arc::new(ConnectionTable::new()),
        observer: Arc::new(Nobody),
        clock: Arc::new(SystemClock::new()),
        tasks: tasks.clone(),
    });
    let address = format!("http://{}", transport.addresses()[0]);
    let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
    assert_eq!(soon(call(&channel, 10)).await.unwrap(), "1");
    // Longer than the stream's window and not: in both cases bytes are under way when the call is refused.
    for round in 0..30 {
        let bytes = if round % 2 == 0 { 4 << 20 } else { MESSAGE_BYTES_MAX + 1 };
        let status = soon(call(&channel, bytes)).await.unwrap_err();
        // So says tonic; the service of a protocol gives it the code its clients know. What counts here: the
        // connection lives, and the bytes that nobody read do not use up its window.
        assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
        assert_eq!(soon(call(&channel, MESSAGE_BYTES_MAX - 100)).await.unwrap(), "1");
    }
    drop(channel);
    transport.drain(Duration::from_secs(5)).await;
    assert!(tasks.shutdown(Duration::from_secs(5)).await);
}
