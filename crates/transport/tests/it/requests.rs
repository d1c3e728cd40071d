//! What a well-behaved client sees.

use crate::fixture::{Fixture, HTTP2_HELLO, get_request, read, read_frame, soon, wait_for};
use axum::body::Body;
use http::{Request, StatusCode};
use muster_model::{ConnectionId, Monotonic};
use muster_transport::Protocol;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn requests_of_one_connection_share_its_id() {
    let fixture = Fixture::start();
    let mut first = fixture.http1().await;
    let mut second = fixture.http2().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (status, id) = read(first.send_request(get_request("/id")).await.unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        let (_, other) = read(second.send_request(get_request("/id")).await.unwrap()).await;
        soon(first.ready()).await.unwrap();
        ids.push((id, other));
    }
    assert_eq!(ids, vec![("1".to_owned(), "2".to_owned()); 3]);
    assert_eq!(fixture.table.get(ConnectionId(1)).unwrap().protocol(), Protocol::Http1);
    assert_eq!(fixture.table.get(ConnectionId(2)).unwrap().protocol(), Protocol::Http2);
    fixture.finish().await;
}

#[tokio::test]
async fn ids_are_not_used_again() {
    let mut fixture = Fixture::start();
    for expected in 1..=5 {
        let mut client = fixture.http2().await;
        let (_, id) = read(client.send_request(get_request("/id")).await.unwrap()).await;
        assert_eq!(id, expected.to_string());
        drop(client);
        fixture.closed(expected).await;
    }
    fixture.finish().await;
}

#[tokio::test]
async fn streams_of_one_connection_run_side_by_side() {
    let fixture = Fixture::start();
    let mut client = fixture.http2().await;
    let waiting = client.send_request(get_request("/wait"));
    let mut other = client.clone();
    let waiting = async { read(waiting.await.unwrap()).await };
    let meanwhile = async {
        fixture.waiting(1).await;
        let answer = read(other.send_request(get_request("/id")).await.unwrap()).await;
        assert_eq!(fixture.table.get(ConnectionId(1)).unwrap().requests(), 1);
        fixture.gate.open.add_permits(1);
        answer
    };
    let (waited, answer) = soon(async { tokio::join!(waiting, meanwhile) }).await;
    assert_eq!((waited.1.as_str(), answer.1.as_str()), ("done", "1"));
    wait_for(|| fixture.table.get(ConnectionId(1)).unwrap().requests() == 0).await;
    fixture.finish().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_blocks_nobody() {
    let fixture = Fixture::start();
    let mut stuck = fixture.tcp().await;
    stuck.write_all(b"GET /endless HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    let mut client = fixture.http2().await;
    let unread = soon(client.send_request(get_request("/endless"))).await.unwrap();
    for _ in 0..20 {
        assert_eq!(
            soon(async { read(client.send_request(get_request("/id")).await.unwrap()).await }).await.1,
            "2"
        );
    }
    drop(unread);
    fixture.finish().await;
}

#[tokio::test]
async fn activity_moves_forward_only() {
    let fixture = Fixture::start();
    let mut client = fixture.http2().await;
    read(client.send_request(get_request("/id")).await.unwrap()).await;
    let connection = fixture.table.get(ConnectionId(1)).unwrap();
    assert!(connection.last_active() >= connection.opened_mono());
    let later = connection.last_active().plus(60_000);
    connection.touch(later);
    connection.touch(Monotonic(1));
    assert_eq!(connection.last_active(), later);
    fixture.finish().await;
}

#[tokio::test]
async fn a_panicking_handler_costs_one_stream() {
    let fixture = Fixture::start();
    let mut client = fixture.http2().await;
    soon(client.send_request(get_request("/panic"))).await.unwrap_err();
    let (status, id) = read(client.send_request(get_request("/id")).await.unwrap()).await;
    assert_eq!((status, id.as_str()), (StatusCode::OK, "1"));
    fixture.finish().await;
}

#[tokio::test]
async fn many_pings_are_answered() {
    let fixture = Fixture::start();
    let mut stream = fixture.tcp().await;
    stream.write_all(HTTP2_HELLO).await.unwrap();
    for count in 0..500_u64 {
        let mut ping = vec![0, 0, 8, 6, 0, 0, 0, 0, 0];
        ping.extend(count.to_be_bytes());
        stream.write_all(&ping).await.unwrap();
        loop {
            let (kind, flags, payload) = read_frame(&mut stream).await;
            assert_ne!(kind, 7, "GOAWAY for pings");
            if (kind, flags) == (6, 1) {
                assert_eq!(payload, count.to_be_bytes());
                break;
            }
        }
    }
    fixture.finish().await;
}

#[tokio::test]
async fn large_bodies_pass_the_windows() {
    let fixture = Fixture::start();
    let body = vec![b'x'; 12 << 20];
    let request =
        || Request::post("http://test/quiet").header("host", "test").body(Body::from(body.clone())).unwrap();
    let mut http1 = fixture.http1().await;
    let mut http2 = fixture.http2().await;
    assert_eq!(read(http1.send_request(request()).await.unwrap()).await.1.len(), body.len());
    assert_eq!(read(http2.send_request(request()).await.unwrap()).await.1.len(), body.len());
    fixture.finish().await;
}

#[tokio::test]
async fn a_body_nobody_reads_holds_up_no_other_stream() {
    let fixture = Fixture::start();
    let mut client = fixture.http2().await;
    // The handler never looks at it: the client fills the stream's window and waits.
    let unread = Request::post("http://test/hold").body(Body::from(vec![b'x'; 4 << 20])).unwrap();
    let unread = client.send_request(unread);
    let mut other = client.clone();
    let test = async {
        fixture.waiting(1).await;
        let body = vec![b'x'; 3 << 20];
        let request = Request::post("http://test/quiet").body(Body::from(body.clone())).unwrap();
        assert_eq!(read(soon(other.send_request(request)).await.unwrap()).await.1.len(), body.len());
        fixture.gate.open.add_permits(1);
    };
    let (answer, ()) = soon(async { tokio::join!(unread, test) }).await;
    assert_eq!(read(answer.unwrap()).await.1, "done");
    fixture.finish().await;
}
