//! One connection, as the rest of the server sees it.

use crate::Surfaces;
use futures_util::task::AtomicWaker;
use muster_model::{ConnectionId, Monotonic, Now, Timestamp};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
    task::{Context, Poll},
};

/// Which listener a connection came in on: its place in the list given to
/// [`Transport::start`](crate::Transport::start).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerIndex(pub usize);

/// What is known of a connection from the moment it is accepted. Every request carries it in its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The connection: the same for all its requests, never used again for another.
    pub id: ConnectionId,
    /// The other side's address. An IPv4 address that came in on an IPv6 socket is shown as IPv4.
    pub remote: SocketAddr,
    /// The address it reached us at.
    pub local: SocketAddr,
    /// The listener it came in on.
    pub listener: ListenerIndex,
    /// What that listener shows; other routes are not found there.
    pub surfaces: Surfaces,
}

/// What a connection turned out to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Not known yet: too few bytes have come.
    Unknown,
    /// HTTP/1.
    Http1,
    /// HTTP/2, so perhaps gRPC.
    Http2,
}

/// What a connection's task is told to do; a higher one replaces a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    Serve = 0,
    /// Take no new request, finish the running ones, close.
    Retire = 1,
    /// Close now.
    Abort = 2,
}

/// An open connection in the [`ConnectionTable`](crate::ConnectionTable). To hold one does not keep it open.
#[derive(Debug)]
pub struct Connection {
    info: ConnectionInfo,
    opened: Now,
    /// Monotonic milliseconds; written by the requests and by [`Connection::touch`].
    active: AtomicU64,
    /// Requests without a finished answer.
    requests: AtomicU32,
    /// When the first byte after the last request came, 0 if none has; only kept for HTTP/1.
    head: AtomicU64,
    protocol: AtomicU8,
    order: AtomicU8,
    ordered: AtomicWaker,
}

impl Connection {
    pub(crate) fn new(info: ConnectionInfo, now: Now) -> Self {
        Self {
            info,
            opened: now,
            active: AtomicU64::new(now.mono.0),
            requests: AtomicU32::new(0),
            head: AtomicU64::new(0),
            protocol: AtomicU8::new(Protocol::Unknown as u8),
            order: AtomicU8::new(Order::Serve as u8),
            ordered: AtomicWaker::new(),
        }
    }

    /// Its id and addresses.
    pub fn info(&self) -> ConnectionInfo {
        self.info
    }

    /// Its id.
    pub fn id(&self) -> ConnectionId {
        self.info.id
    }

    /// When it was accepted.
    pub fn opened(&self) -> Timestamp {
        self.opened.wall
    }

    /// When it was accepted, on the monotonic clock.
    pub fn opened_mono(&self) -> Monotonic {
        self.opened.mono
    }

    /// When it was last seen active: a request began or ended, or [`Connection::touch`] was called. Answers to
    /// keepalive pings do not count.
    pub fn last_active(&self) -> Monotonic {
        Monotonic(self.active.load(Ordering::Relaxed))
    }

    /// Marks it active, for example when a message came on a stream. Never goes back in time.
    pub fn touch(&self, now: Monotonic) {
        self.active.fetch_max(now.0, Ordering::Relaxed);
    }

    /// Requests whose answer is not finished; a gRPC stream counts as long as it is open.
    pub fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    /// What it speaks.
    pub fn protocol(&self) -> Protocol {
        match self.protocol.load(Ordering::Relaxed) {
            value if value == Protocol::Http1 as u8 => Protocol::Http1,
            value if value == Protocol::Http2 as u8 => Protocol::Http2,
            _ => Protocol::Unknown,
        }
    }

    /// Closes the TCP connection at once, with a reset: what was not sent yet is lost, running requests are
    /// dropped. For connections that are dead or must go. Does nothing to a closed one.
    pub fn close(&self) {
        self.order(Order::Abort);
    }

    /// Lets the connection end by itself: HTTP/2 gets a GOAWAY, HTTP/1 is closed after the running request.
    /// A request that never ends keeps it open, until [`Connection::close`].
    pub fn retire(&self) {
        self.order(Order::Retire);
    }

    pub(crate) fn set_protocol(&self, protocol: Protocol) {
        self.protocol.store(protocol as u8, Ordering::Relaxed);
    }

    /// Bytes came. `now` is only asked for where they begin the head of a request.
    pub(crate) fn received(&self, now: impl FnOnce() -> Monotonic) {
        if self.requests() == 0 && self.head.load(Ordering::Relaxed) == 0 {
            self.head.store(now().0, Ordering::Relaxed);
        }
    }

    /// When the head of the request that is being read began.
    pub(crate) fn head_since(&self) -> Option<Monotonic> {
        Some(self.head.load(Ordering::Relaxed)).filter(|since| *since > 0).map(Monotonic)
    }

    pub(crate) fn request_began(&self, now: Monotonic) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.head.store(0, Ordering::Relaxed);
        self.touch(now);
    }

    pub(crate) fn request_ended(&self, now: Monotonic) {
        self.touch(now);
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn order(&self, order: Order) {
        if self.order.fetch_max(order as u8, Ordering::AcqRel) < order as u8 {
            self.ordered.wake();
        }
    }

    pub(crate) fn current_order(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::Serve,
            1 => Order::Retire,
            _ => Order::Abort,
        }
    }

    /// Ready once there is an order beyond `known`. For the connection's own task only: one waker is kept.
    pub(crate) fn poll_order(&self, known: Order, cx: &Context<'_>) -> Poll<Order> {
        self.ordered.register(cx.waker());
        let order = self.current_order();
        if order > known { Poll::Ready(order) } else { Poll::Pending }
    }
}
