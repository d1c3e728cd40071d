//! The end of a process.

use crate::fixture::{Fixture, HTTP2_HELLO, get_request, read, read_frame, soon, until_closed, wait_for};
use muster_transport::{Drained, Protocol};
use std::{io::ErrorKind, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const LONG: Duration = Duration::from_secs(15);
const PING: u8 = 6;
const GOAWAY: u8 = 7;

#[tokio::test]
async fn running_requests_finish() {
    let mut fixture = Fixture::start();
    let mut http1 = fixture.tcp().await;
    http1.write_all(b"GET /wait HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    let mut http2 = fixture.http2().await;
    let running = http2.send_request(get_request("/wait"));
    let mut idle = fixture.http1().await;
    read(idle.send_request(get_request("/id")).await.unwrap()).await;
    let test = async {
        fixture.waiting(2).await;
        let release = async {
            fixture.table.draining().cancelled().await;
            // The idle one goes at once, new ones are refused by the system.
            wait_for(|| fixture.table.count() == 2).await;
            let refused = TcpStream::connect(fixture.address).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            fixture.gate.open.add_permits(2);
        };
        tokio::join!(fixture.transport.drain(LONG), release).0
    };
    let (answer, drained) = soon(async { tokio::join!(running, test) }).await;
    assert_eq!(drained, Drained { open: 3, aborted: 0 });
    assert_eq!(read(answer.unwrap()).await.1, "done");
    assert!(until_closed(&mut http1).await.ends_with("done"));
    soon(http2.send_request(get_request("/id"))).await.unwrap_err();
    assert_eq!(fixture.closed(3).await.len(), 3);
    fixture.finish().await;
}

#[tokio::test]
async fn http2_clients_get_a_goaway() {
    let fixture = Fixture::start();
    let mut stream = fixture.tcp().await;
    stream.write_all(HTTP2_HELLO).await.unwrap();
    wait_for(|| fixture.table.all().iter().any(|one| one.protocol() == Protocol::Http2)).await;
    let (drained, streams) =
        soon(async { tokio::join!(fixture.transport.drain(LONG), goaways(&mut stream)) }).await;
    assert_eq!(drained, Drained { open: 1, aborted: 0 });
    // The first one only warns, it names the highest stream there can be; the last one says that none was cut.
    assert_eq!(streams, [0x7fff_ffff, 0]);
    fixture.finish().await;
}

/// Answers pings until the connection ends; the last stream of each GOAWAY.
async fn goaways(stream: &mut TcpStream) -> Vec<u32> {
    let mut streams = Vec::new();
    loop {
        match read_frame(stream).await {
            (PING, 0, payload) => {
                let pong = [&[0, 0, 8, PING, 1, 0, 0, 0, 0], payload.as_slice()].concat();
                stream.write_all(&pong).await.unwrap();
            }
            (GOAWAY, _, payload) => {
                assert_eq!(payload[4..8], [0; 4], "no error");
                streams.push(u32::from_be_bytes(payload[..4].try_into().unwrap()));
            }
            _ => {}
        }
        if streams.len() == 2 {
            return streams;
        }
    }
}

#[tokio::test]
async fn what_does_not_end_is_aborted() {
    let mut fixture = Fixture::start();
    let mut client = fixture.http2().await;
    let running = client.send_request(get_request("/wait"));
    let mut other = fixture.http1().await;
    let stuck = other.send_request(get_request("/wait"));
    let test = async {
        fixture.waiting(2).await;
        fixture.transport.drain(Duration::from_millis(100)).await
    };
    let (first, second, drained) = soon(async { tokio::join!(running, stuck, test) }).await;
    first.unwrap_err();
    second.unwrap_err();
    assert_eq!(drained, Drained { open: 2, aborted: 2 });
    assert!(fixture.closed(2).await.iter().all(|(_, waiting)| *waiting <= 1));
    fixture.finish().await;
}

#[tokio::test]
async fn stop_accepting_leaves_connections_alone() {
    let fixture = Fixture::start();
    let mut client = fixture.http2().await;
    read(client.send_request(get_request("/id")).await.unwrap()).await;
    soon(fixture.transport.stop_accepting()).await;
    for address in fixture.transport.addresses() {
        assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
    assert_eq!(read(client.send_request(get_request("/id")).await.unwrap()).await.1, "1");
    assert!(!fixture.table.draining().is_cancelled());
    fixture.finish().await;
}

#[tokio::test]
async fn a_stopping_process_retires_its_connections() {
    let mut fixture = Fixture::start();
    let mut client = fixture.http1().await;
    read(client.send_request(get_request("/id")).await.unwrap()).await;
    assert!(fixture.tasks.shutdown(LONG).await);
    assert_eq!(fixture.closed(1).await.len(), 1);
    fixture.finish().await;
}
