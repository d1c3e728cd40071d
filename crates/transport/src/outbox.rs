//! What a connection writes, gathered until it has nothing more to say.
//!
//! HTTP/2 writes each answer of some size with a system call of its own, and its trailers with another. With many
//! calls in flight that is most of what an answer costs. Here writes only fill a buffer; the connection's task
//! sends it once it has nothing to do, in one call.

use crate::Connection;
use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{io::AsyncWrite, net::tcp::OwnedWriteHalf, time::Sleep};

/// Bytes gathered before they are sent though more may come.
const GATHERED_MAX: usize = 64 << 10;
/// The first size of the buffer; it is given back when empty, so that an idle connection has none.
const GATHERED_START: usize = 8 << 10;

/// The writing half of a socket; clones share it. Only the connection's own task uses it, so its lock is free.
#[derive(Clone)]
pub(crate) struct Outbox {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    /// Some until it is dropped.
    stream: Option<OwnedWriteHalf>,
    gathered: BytesMut,
    connection: Arc<Connection>,
    write_stall_timeout: Duration,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Outbox {
    pub(crate) fn new(
        stream: OwnedWriteHalf,
        connection: Arc<Connection>,
        write_stall_timeout: Duration,
    ) -> Self {
        let gathered = BytesMut::new();
        let inner = Inner { stream: Some(stream), gathered, connection, write_stall_timeout, stalled: None };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Takes all bytes; sends first what is there when it would become too much.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut inner = self.inner.lock();
        let length: usize = bufs.iter().map(|buf| buf.len()).sum();
        if inner.gathered.len() + length > GATHERED_MAX {
            ready!(inner.poll_send(cx))?;
            if length > GATHERED_MAX {
                return inner.poll_write_through(cx, bufs);
            }
        }
        if inner.gathered.capacity() == 0 {
            inner.gathered.reserve(length.max(GATHERED_START));
        }
        for buf in bufs {
            inner.gathered.extend_from_slice(buf);
        }
        Poll::Ready(Ok(length))
    }

    /// Sends everything gathered.
    pub(crate) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.lock().poll_send(cx)
    }

    /// Sends everything gathered, then says that nothing more comes.
    pub(crate) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner.lock();
        ready!(inner.poll_send(cx))?;
        inner.stream().poll_shutdown(cx)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Alone it would end the stream in good order, which an abort must not.
        if let Some(stream) = self.stream.take() {
            stream.forget();
        }
    }
}

impl Inner {
    fn stream(&mut self) -> Pin<&mut OwnedWriteHalf> {
        Pin::new(self.stream.as_mut().expect("it is taken only when this is dropped"))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gathered.has_remaining() {
            let gathered = std::mem::take(&mut self.gathered);
            let written = self.stream().poll_write(cx, &gathered);
            self.gathered = gathered;
            match ready!(self.limit(cx, written))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.gathered.advance(written),
            }
        }
        self.gathered = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    fn poll_write_through(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write_vectored(cx, bufs);
        self.limit(cx, written)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionInfo, ListenerIndex, Surfaces};
    use muster_model::{ConnectionId, Monotonic, Now, Timestamp};
    use std::future::poll_fn;
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    async fn pair() -> (Outbox, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = listener.local_addr().unwrap();
        let client = TcpStream::connect(local).await.unwrap();
        let (stream, remote) = listener.accept().await.unwrap();
        let (listener, surfaces) = (ListenerIndex(0), Surfaces::ALL);
        let info = ConnectionInfo { id: ConnectionId(1), remote, local, listener, surfaces };
        let now = Now { wall: Timestamp(0), mono: Monotonic(0) };
        let connection = Arc::new(Connection::new(info, now));
        // The reading half is not needed, and its end is not the stream's.
        let (_, writing) = stream.into_split();
        (Outbox::new(writing, connection, Duration::from_millis(50)), client)
    }

    async fn take(outbox: &Outbox, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| outbox.poll_take(cx, &[IoSlice::new(bytes)])).await
    }

    #[tokio::test]
    async fn nothing_leaves_before_it_is_sent() {
        let (outbox, mut client) = pair().await;
        assert_eq!(take(&outbox, b"one ").await.unwrap(), 4);
        assert_eq!(take(&outbox, b"two").await.unwrap(), 3);
        let mut buffer = [0; 16];
        let early = client.try_read(&mut buffer).map_err(|error| error.kind());
        assert_eq!(early, Err(io::ErrorKind::WouldBlock));
        poll_fn(|cx| outbox.poll_send(cx)).await.unwrap();
        assert_eq!(outbox.inner.lock().gathered.capacity(), 0, "an idle connection holds no buffer");
        assert_eq!(client.read(&mut buffer).await.unwrap(), 7);
        assert_eq!(&buffer[..7], b"one two");
    }

    #[tokio::test]
    async fn order_is_kept_past_the_buffer() {
        let (outbox, mut client) = pair().await;
        let sent: Vec<u8> = (0..GATHERED_MAX * 3).map(|at| (at / 256) as u8).collect();
        let reader = async {
            let mut received = vec![0; sent.len()];
            client.read_exact(&mut received).await.unwrap();
            received
        };
        let writer = async {
            assert_eq!(take(&outbox, &sent[..10]).await.unwrap(), 10);
            let mut at = 10;
            while at < sent.len() {
                at += take(&outbox, &sent[at..]).await.unwrap();
            }
            poll_fn(|cx| outbox.poll_shutdown(cx)).await.unwrap();
        };
        let (received, ()) = tokio::join!(reader, writer);
        assert!(received == sent);
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_an_error() {
        let (outbox, client) = pair().await;
        let error = loop {
            if let Err(error) = take(&outbox, &[0; GATHERED_MAX]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }
}
