//! When a link is given up.

use std::{io, time::Duration};
use tokio::sync::Notify;

/// Ends when nothing was noted for so long.
pub(crate) async fn silence(heard: &Notify, max: Duration) -> io::Error {
    while tokio::time::timeout(max, heard.notified()).await.is_ok() {}
    io::Error::new(io::ErrorKind::TimedOut, "nothing was heard for too long")
}

/// The other end closed the link.
pub(crate) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the other end closed the link")
}

/// The other end said something that makes no sense there.
pub(crate) fn unexpected(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
