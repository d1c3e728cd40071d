//! HTTP/2 by hand, for what no client library would send.

use super::server::PATIENCE;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

pub(super) struct Frames(TcpStream);

impl Frames {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut frames = Self(socket);
        frames.send(SETTINGS, 0, 0, &[]).await;
        frames
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    /// The head of a unary call: `:method POST`, `:scheme http` from the static table, the rest as literals.
    pub(super) async fn begin_call(&mut self, stream: u32) {
        let mut head = vec![0x83, 0x86];
        let mut literal = |name: &[u8], value: &str| {
            head.extend(name);
            head.push(value.len() as u8);
            head.extend(value.as_bytes());
        };
        literal(&[0x04], "/Request/request");
        literal(&[0x01], "localhost");
        literal(&[0x0f, 0x10], "application/grpc");
        literal(b"\x00\x02te", "trailers");
        self.send(HEADERS, END_HEADERS, stream, &head).await;
    }

    pub(super) async fn send_data(&mut self, stream: u32, data: &[u8], is_last: bool) {
        self.send(DATA, if is_last { END_STREAM } else { 0 }, stream, data).await;
    }

    /// Reads until a stream is answered; true: with the head alone, which is how gRPC fails a call.
    pub(super) async fn answered_by_head_alone(&mut self, stream: u32) -> bool {
        let answered = async {
            loop {
                let mut head = [0; 9];
                self.0.read_exact(&mut head).await.unwrap();
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                let mut payload = vec![0; length];
                self.0.read_exact(&mut payload).await.unwrap();
                let of = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
                if head[3] == HEADERS && of == stream {
                    return head[4] & END_STREAM != 0;
                }
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.expect("no answer")
    }
}
