//! A TCP stream that notices what its connection is doing.

use crate::{Connection, Protocol, connection::Order, outbox::Outbox};
use muster_runtime::Clock;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::tcp::OwnedReadHalf,
};

/// What an HTTP/2 client sends first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection's socket. Learns the protocol from the first bytes, notes when the head of an HTTP/1 request
/// begins, writes into the [`Outbox`], and is reset rather than closed after an abort.
pub(crate) struct Socket {
    stream: OwnedReadHalf,
    outbox: Outbox,
    connection: Arc<Connection>,
    clock: Arc<dyn Clock>,
    /// Bytes of the preface seen so far.
    preface: usize,
}

impl Socket {
    pub(crate) fn new(
        stream: OwnedReadHalf,
        outbox: Outbox,
        connection: Arc<Connection>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { stream, outbox, connection, clock, preface: 0 }
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
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.current_order() == Order::Abort {
            // Fails only if the other side has closed it already. Else a dead client's unsent data would stay
            // in the kernel until it gives up, after minutes.
            drop(self.stream.as_ref().set_zero_linger());
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
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.outbox.poll_take(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.outbox.poll_take(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: the connection's task sends what was gathered when it has nothing more to do.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.poll_shutdown(cx)
    }
}
