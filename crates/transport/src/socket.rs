//! A TCP stream that notices what its connection is doing.

use crate::{Connection, Protocol, connection::Order};
use muster_runtime::Clock;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

/// What an HTTP/2 client sends first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection's socket. Learns the protocol from the first bytes, notes when the head of an HTTP/1 request
/// begins, fails when the client takes no byte for too long, and is reset rather than closed after an abort.
pub(crate) struct Socket {
    stream: TcpStream,
    connection: Arc<Connection>,
    clock: Arc<dyn Clock>,
    /// Bytes of the preface seen so far.
    preface: usize,
    write_stall_timeout: Duration,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(crate) fn new(
        stream: TcpStream,
        connection: Arc<Connection>,
        clock: Arc<dyn Clock>,
        write_stall_timeout: Duration,
    ) -> Self {
        Self { stream, connection, clock, preface: 0, write_stall_timeout, stalled: None }
    }

    fn received(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.connection.protocol() == Protocol::Unknown {
            self.learn(bytes);
        }
        if self.connection.protocol() == Protocol::Http1 {
            self.connection.received(|| self.clock.now().mono);
        }
    }

    fn learn(&mut self, bytes: &[u8]) {
        let expected = &PREFACE[self.preface..];
        let length = bytes.len().min(expected.len());
        if bytes[..length] != expected[..length] {
            self.connection.set_protocol(Protocol::Http1);
            return;
        }
        self.preface += length;
        if self.preface == PREFACE.len() {
            self.connection.set_protocol(Protocol::Http2);
        }
    }

    /// Passes the result of a write on, unless the client has taken nothing for too long.
    fn limit<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let limit = self.write_stall_timeout;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        self.connection.close();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.current_order() == Order::Abort {
            // Fails only if the other side has closed it already. Else a dead client's unsent data would stay
            // in the kernel until it gives up, after minutes.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.received(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.limit(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.limit(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
