//! What idle connections cost. Run alone, for its figure is of the whole process:
//! `cargo test --release -p muster-transport --test it idle_memory -- --ignored --nocapture`.

use crate::fixture::{Fixture, HTTP2_HELLO, read_frame};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const CONNECTIONS: usize = 1000;

/// A request without a body, as one HEADERS frame without compression.
pub(crate) fn headers_frame(stream: u8, path: &str) -> Vec<u8> {
    // GET, http, and literals for the path and the authority (RFC 7541, appendix A).
    let mut block = vec![0x82, 0x86, 0x04, path.len() as u8];
    block.extend(path.as_bytes());
    block.extend([0x01, 4]);
    block.extend(b"test");
    let mut frame = vec![0, 0, block.len() as u8, 1, 0x5, 0, 0, 0, stream];
    frame.extend(block);
    frame
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A connection with one answered request and one stream that stays open, like a Nacos client's.
async fn connect(fixture: &Fixture) -> TcpStream {
    let mut stream = fixture.tcp().await;
    stream.write_all(HTTP2_HELLO).await.unwrap();
    stream.write_all(&headers_frame(1, "/id")).await.unwrap();
    // Type 0 is the answer's DATA, flag 1 its end.
    loop {
        let (kind, flags, _) = read_frame(&mut stream).await;
        if kind == 0 && flags & 1 == 1 {
            break;
        }
    }
    stream.write_all(&headers_frame(3, "/wait")).await.unwrap();
    stream
}

#[tokio::test]
#[ignore = "a measurement"]
async fn idle_memory() {
    let fixture = Fixture::start();
    let warm: Vec<_> = futures_util::future::join_all((0..10).map(|_| connect(&fixture))).await;
    fixture.waiting(warm.len()).await;
    let before = resident_kib();
    let mut clients = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        clients.push(connect(&fixture).await);
    }
    fixture.waiting(warm.len() + CONNECTIONS).await;
    let kib = (resident_kib() - before) as f64 / CONNECTIONS as f64;
    println!(
        "{kib:.1} KiB resident for an idle HTTP/2 connection with one open stream (client socket included)"
    );
    assert!(kib <= 32.0, "more than the limit of 32 KiB: {kib:.1}");
}
