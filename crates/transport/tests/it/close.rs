//! Every way a connection ends is reported once.

use crate::fixture::{Fixture, exchange, get_request, read, soon, until_closed};
use muster_model::ConnectionId;
use tokio::io::AsyncWriteExt;

/// A reported connection, no handler of which was left.
const FIRST: (ConnectionId, usize) = (ConnectionId(1), 0);

#[tokio::test]
async fn by_the_client() {
    let mut fixture = Fixture::start();
    let mut client = fixture.http2().await;
    read(client.send_request(get_request("/id")).await.unwrap()).await;
    drop(client);
    assert_eq!(fixture.closed(1).await, [FIRST]);
    assert!(fixture.table.get(ConnectionId(1)).is_none());
    fixture.finish().await;
}

#[tokio::test]
async fn by_the_client_before_the_first_byte() {
    let mut fixture = Fixture::start();
    drop(fixture.tcp().await);
    assert_eq!(fixture.closed(1).await, [FIRST]);
    fixture.finish().await;
}

#[tokio::test]
async fn by_a_reset_while_requests_run() {
    for protocol in ["http1", "http2"] {
        let mut fixture = Fixture::start();
        let mut stream = fixture.tcp().await;
        if protocol == "http1" {
            stream.write_all(b"GET /wait HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
        } else {
            stream.write_all(crate::fixture::HTTP2_HELLO).await.unwrap();
            stream.write_all(&crate::memory::headers_frame(1, "/wait")).await.unwrap();
        }
        fixture.waiting(1).await;
        stream.set_zero_linger().unwrap();
        drop(stream);
        assert_eq!(fixture.closed(1).await, [FIRST], "{protocol}");
        fixture.finish().await;
    }
}

#[tokio::test]
async fn by_the_client_while_a_long_poll_waits() {
    let mut fixture = Fixture::start();
    let mut stream = fixture.tcp().await;
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    fixture.waiting(1).await;
    drop(stream);
    assert_eq!(fixture.closed(1).await, [FIRST]);
    fixture.finish().await;
}

#[tokio::test]
async fn by_the_server_while_requests_run() {
    let mut fixture = Fixture::start();
    let mut client = fixture.http2().await;
    let first = client.send_request(get_request("/wait"));
    let second = client.send_request(get_request("/hang"));
    let endless = soon(client.send_request(get_request("/endless"))).await.unwrap();
    let work = async { tokio::join!(first, second) };
    let close = async {
        fixture.waiting(1).await;
        assert!(fixture.table.close(ConnectionId(1)));
    };
    let ((first, second), ()) = soon(async { tokio::join!(work, close) }).await;
    first.unwrap_err();
    second.unwrap_err();
    drop(endless);
    assert_eq!(fixture.closed(1).await, [FIRST]);
    assert!(!fixture.table.close(ConnectionId(1)));
    fixture.finish().await;
}

#[tokio::test]
async fn an_abort_resets() {
    let mut fixture = Fixture::start();
    let mut stream = fixture.tcp().await;
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    fixture.waiting(1).await;
    fixture.table.get(ConnectionId(1)).unwrap().close();
    let mut byte = [0];
    let error = soon(tokio::io::AsyncReadExt::read(&mut stream, &mut byte)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    fixture.closed(1).await;
    fixture.finish().await;
}

#[tokio::test]
async fn a_retired_connection_finishes_its_request() {
    let mut fixture = Fixture::start();
    let mut stream = fixture.tcp().await;
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    fixture.waiting(1).await;
    assert!(fixture.table.retire(ConnectionId(1)));
    fixture.gate.open.add_permits(1);
    assert!(until_closed(&mut stream).await.ends_with("done"));
    assert_eq!(fixture.closed(1).await, [FIRST]);
    fixture.finish().await;
}

#[tokio::test]
async fn by_a_panic_of_its_task() {
    let mut fixture = Fixture::start();
    // Over HTTP/1 the handler runs in the connection's own task.
    let mut stream = fixture.tcp().await;
    assert_eq!(exchange(&mut stream, b"GET /panic HTTP/1.1\r\nHost: test\r\n\r\n").await, "");
    assert_eq!(fixture.closed(1).await, [FIRST]);
    fixture.finish().await;
}

#[tokio::test]
async fn by_bytes_that_are_no_http() {
    let mut fixture = Fixture::start();
    let answer =
        exchange(&mut fixture.tcp().await, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(fixture.closed(1).await, [FIRST]);
    fixture.finish().await;
}
