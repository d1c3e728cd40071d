//! Clients that take their time.

use crate::fixture::{Fixture, HTTP2_HELLO, exchange, get_request, read, soon, until_closed, wait_for};
use axum::body::{Body, Bytes};
use futures_util::StreamExt;
use http::Request;
use muster_model::ConnectionId;
use muster_transport::{Protocol, TransportSettings};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const SHORT: Duration = Duration::from_millis(150);

#[tokio::test]
async fn a_silent_connection_is_aborted() {
    for bytes in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM"] {
        let settings = TransportSettings { preface_timeout: SHORT, ..TransportSettings::default() };
        let mut fixture = Fixture::with(settings);
        assert_eq!(exchange(&mut fixture.tcp().await, bytes.as_bytes()).await, "");
        fixture.closed(1).await;
        assert_eq!(fixture.table.statistics().too_slow, 1, "{bytes:?}");
        fixture.finish().await;
    }
}

#[tokio::test]
async fn a_slow_loris_is_aborted() {
    let settings = TransportSettings { header_read_timeout: SHORT, ..TransportSettings::default() };
    let mut fixture = Fixture::with(settings);
    let mut stream = fixture.tcp().await;
    stream.write_all(b"GET /id HTTP/1.1\r\nHost: test\r\n").await.unwrap();
    // A byte now and then does not help.
    let trickle = async {
        while stream.write_all(b"X").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(trickle).await;
    fixture.closed(1).await;
    assert_eq!(fixture.table.statistics().too_slow, 1);
    fixture.finish().await;
}

#[tokio::test]
async fn a_slow_loris_is_aborted_after_a_good_request() {
    let settings = TransportSettings { header_read_timeout: SHORT, ..TransportSettings::default() };
    let mut fixture = Fixture::with(settings);
    let mut stream = fixture.tcp().await;
    stream.write_all(b"GET /id HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    soon(tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    wait_for(|| fixture.table.get(ConnectionId(1)).is_some_and(|one| one.requests() == 0)).await;
    stream.write_all(b"GET /id HTTP/1.1\r\n").await.unwrap();
    until_closed(&mut stream).await;
    fixture.closed(1).await;
    assert_eq!(fixture.table.statistics().too_slow, 1);
    fixture.finish().await;
}

#[tokio::test]
async fn idle_connections_are_closed_and_waiting_ones_are_not() {
    let settings = TransportSettings {
        http1_idle_timeout: SHORT,
        http2_idle_timeout: SHORT,
        ..TransportSettings::default()
    };
    let mut fixture = Fixture::with(settings);
    let mut long_poll = fixture.tcp().await;
    long_poll.write_all(b"GET /wait HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await.unwrap();
    fixture.waiting(1).await;
    let mut stream = fixture.http2().await;
    let waiting = stream.send_request(get_request("/wait"));
    let test = async {
        fixture.waiting(2).await;
        let mut first = fixture.http1().await;
        read(first.send_request(get_request("/id")).await.unwrap()).await;
        let mut second = fixture.http2().await;
        read(second.send_request(get_request("/id")).await.unwrap()).await;
        fixture.closed(2).await;
        assert!(soon(first.ready()).await.is_err());
        assert_eq!(fixture.table.statistics().idle, 2);
        fixture.gate.open.add_permits(2);
        assert!(until_closed(&mut long_poll).await.ends_with("done"));
    };
    let (answer, ()) = soon(async { tokio::join!(waiting, test) }).await;
    assert_eq!(read(answer.unwrap()).await.1, "done");
    fixture.finish().await;
}

#[tokio::test]
async fn a_body_that_stops_is_given_up_unless_it_is_grpc() {
    let settings = TransportSettings { body_stall_timeout: SHORT, ..TransportSettings::default() };
    let fixture = Fixture::with(settings);
    let mut client = fixture.http2().await;
    let quiet = || {
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"first"))]);
        Body::from_stream(first.chain(futures_util::stream::pending()))
    };
    let grpc = |path: &str| {
        let request = Request::post(format!("http://test{path}"));
        request.header("content-type", "application/grpc").body(quiet()).unwrap()
    };
    let mut stream = soon(client.send_request(grpc("/quiet"))).await.unwrap().into_body();
    let first = soon(http_body_util::BodyExt::frame(&mut stream)).await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "first");

    let request = Request::post("http://test/echo").body(quiet()).unwrap();
    let (status, body) = read(soon(client.send_request(request)).await.unwrap()).await;
    assert_eq!(status, http::StatusCode::BAD_REQUEST);
    assert!(body.contains("no byte of the request body came"), "{body}");
    let head = b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc";
    assert!(exchange(&mut fixture.tcp().await, head).await.starts_with("HTTP/1.1 400"));

    // A route of gRPC calls with one message may ask for it.
    let (_, body) = read(soon(client.send_request(grpc("/unary"))).await.unwrap()).await;
    assert!(body.contains("no byte of the request body came"), "{body}");

    // By now the gRPC body has been quiet for twice as long.
    assert_eq!(fixture.table.get(ConnectionId(1)).unwrap().requests(), 1);
    fixture.finish().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_aborted() {
    let settings = TransportSettings { write_stall_timeout: SHORT, ..TransportSettings::default() };
    let mut fixture = Fixture::with(settings);
    let mut stream = fixture.tcp().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    assert_eq!(fixture.closed(1).await, [(ConnectionId(1), 0)]);
    drop(stream);
    fixture.finish().await;
}

#[tokio::test]
async fn a_dead_http2_client_is_closed() {
    let settings = TransportSettings {
        http2_keepalive_interval: SHORT,
        http2_keepalive_timeout: SHORT,
        ..TransportSettings::default()
    };
    let mut fixture = Fixture::with(settings);
    // Says hello and then never answers a ping.
    let mut stream = fixture.tcp().await;
    stream.write_all(HTTP2_HELLO).await.unwrap();
    wait_for(|| fixture.table.all().iter().any(|one| one.protocol() == Protocol::Http2)).await;
    // One that does answer stays.
    let mut client = fixture.http2().await;
    read(client.send_request(get_request("/id")).await.unwrap()).await;
    assert_eq!(fixture.closed(1).await, [(ConnectionId(1), 0)]);
    assert_eq!(read(client.send_request(get_request("/id")).await.unwrap()).await.1, "2");
    fixture.finish().await;
}
