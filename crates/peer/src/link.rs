//! Frames on a stream: a length (u32, little-endian), then as many bytes.

use crate::{KeyHash, Proof, Roster};
use bytes::{Bytes, BytesMut};
use muster_model::NodeId;
use muster_runtime::net::BoxStream;
use std::{io, sync::Arc};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufWriter, ReadHalf, WriteHalf};
use tokio::sync::watch;

/// The largest frame (16 MiB): the largest config and its envelope fit. A longer one ends the link.
pub const FRAME_BYTES_MAX: usize = 16 << 20;

/// Written together at most before the system is asked.
const WRITE_BYTES: usize = 64 << 10;

/// A connection to a peer that said who it is.
pub struct Link {
    peer: NodeId,
    version: u32,
    is_proven: bool,
    key: Option<KeyHash>,
    reader: LinkReader,
    writer: LinkWriter,
}

/// The half that receives.
pub struct LinkReader(ReadHalf<BoxStream>);

/// The half that sends.
pub struct LinkWriter {
    to: BufWriter<WriteHalf<BoxStream>>,
    /// What is sent is for members only, once the other end is known as one.
    member: Option<Member>,
}

/// A member as it was recognised when a link was made, and who is recognised now.
pub(crate) struct Member {
    pub(crate) node: NodeId,
    pub(crate) key: Option<KeyHash>,
    pub(crate) roster: watch::Receiver<Arc<Roster>>,
}

impl Link {
    pub(crate) fn new(stream: BoxStream) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let writer = BufWriter::with_capacity(WRITE_BYTES, writer);
        Self {
            peer: NodeId(0),
            version: 0,
            is_proven: false,
            key: None,
            reader: LinkReader(reader),
            writer: LinkWriter { to: writer, member: None },
        }
    }

    pub(crate) fn with(self, peer: NodeId, version: u32, proof: &dyn Proof) -> Self {
        Self { peer, version, is_proven: proof.is_proven(), key: proof.key(), ..self }
    }

    /// Sending fails once the roster does not know the other end any more.
    pub(crate) fn bound_to_roster(mut self, roster: watch::Receiver<Arc<Roster>>) -> Self {
        self.writer.member = Some(Member { node: self.peer, key: self.key, roster });
        self
    }

    /// The node at the other end; 0 if it has no id yet.
    pub fn peer(&self) -> NodeId {
        self.peer
    }

    /// Whether the other end is a member: it has an id, and proved to be that node.
    pub fn is_member(&self) -> bool {
        self.peer != NodeId(0)
    }

    /// Whether the other end proved to be known to whoever signs nodes here, even if it has no id yet.
    pub fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// The key that the other end proved to have.
    pub fn key(&self) -> Option<KeyHash> {
        self.key
    }

    /// The version that both ends speak.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Sends a frame, and whatever was not sent yet. Not cancellation-safe: if it is dropped, the link is useless.
    pub async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.writer.send(frame).await
    }

    /// The next frame; `None`: the other end closed the link between two frames. Not cancellation-safe.
    pub async fn receive(&mut self) -> io::Result<Option<Bytes>> {
        self.reader.receive().await
    }

    /// Both halves, for tasks of their own.
    pub fn split(self) -> (LinkReader, LinkWriter) {
        (self.reader, self.writer)
    }
}

impl LinkReader {
    /// As [`Link::receive`].
    pub async fn receive(&mut self) -> io::Result<Option<Bytes>> {
        let mut length = [0; 4];
        let begun = self.0.read(&mut length).await?;
        if begun == 0 {
            return Ok(None);
        }
        self.0.read_exact(&mut length[begun..]).await?;
        let length = u32::from_le_bytes(length) as usize;
        if length > FRAME_BYTES_MAX {
            let text = format!("a frame of {length} bytes, at most {FRAME_BYTES_MAX} are taken");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        // Grows with what really comes: a claimed length alone takes no memory.
        let mut frame = BytesMut::with_capacity(length.min(WRITE_BYTES));
        let mut rest = (&mut self.0).take(length as u64);
        while frame.len() < length {
            if rest.read_buf(&mut frame).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Some(frame.freeze()))
    }
}

impl LinkWriter {
    /// As [`Link::send`].
    pub async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.feed(frame).await?;
        self.flush().await
    }

    /// As [`LinkWriter::send`], but the frame may wait for [`LinkWriter::flush`].
    pub async fn feed(&mut self, frame: &[u8]) -> io::Result<()> {
        if let Some(Member { node, key, roster }) = &self.member
            && let Err(refusal) = roster.borrow().judge(*node, *key)
        {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal));
        }
        let length = u32::try_from(frame.len()).ok().filter(|length| *length as usize <= FRAME_BYTES_MAX);
        let Some(length) = length else {
            let text = format!("a frame of {} bytes, at most {FRAME_BYTES_MAX} are sent", frame.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        };
        self.to.write_all(&length.to_le_bytes()).await?;
        self.to.write_all(frame).await
    }

    /// Sends everything that was fed.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.to.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Link, Link) {
        let (here, there) = tokio::io::duplex(100);
        (Link::new(Box::new(here)), Link::new(Box::new(there)))
    }

    #[tokio::test]
    async fn frames_keep_their_bounds() {
        let (mut here, mut there) = pair();
        let large = vec![7; 200_000];
        let sent = async {
            here.send(b"").await.unwrap();
            here.send(b"one").await.unwrap();
            here.send(&large).await.unwrap();
            drop(here);
        };
        let received = async {
            let mut frames = Vec::new();
            while let Some(frame) = there.receive().await.unwrap() {
                frames.push(frame.len());
            }
            frames
        };
        assert_eq!(tokio::join!(sent, received).1, [0, 3, 200_000]);
    }

    #[tokio::test]
    async fn a_frame_that_ends_early_or_is_too_large_is_an_error() {
        let (mut here, there) = tokio::io::duplex(100);
        let mut link = Link::new(Box::new(there));
        here.write_all(&[9, 0, 0, 0, 1]).await.unwrap();
        drop(here);
        assert_eq!(link.receive().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (mut here, there) = tokio::io::duplex(100);
        let mut link = Link::new(Box::new(there));
        here.write_all(&u32::MAX.to_le_bytes()).await.unwrap();
        assert_eq!(link.receive().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
