//! Backups as a stream.

use crate::AdminState;
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::io::{self, Write};
use tokio::sync::mpsc;

/// Chunks waiting for a slow reader; beyond it the writer waits.
const CHUNKS: usize = 4;

/// `GET /muster/v1/backup`: all durable data as one verified stream. A failure cuts the stream, which its checksum
/// then tells.
pub(crate) async fn backup(State(state): State<AdminState>) -> Response {
    if !state.node.is_ready() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the node is starting\n").into_response();
    }
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(CHUNKS);
    tokio::task::spawn_blocking(move || {
        let mut writer = ChunkWriter { sender: sender.clone() };
        if let Err(error) = state.node.backup(&mut writer) {
            tracing::error!(%error, "write a backup");
            // A reader that went away needs no error.
            drop(sender.blocking_send(Err(io::Error::other(error.to_string()))));
        }
    });
    let chunks = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    ([(header::CONTENT_TYPE, "application/octet-stream")], Body::from_stream(chunks)).into_response()
}

struct ChunkWriter {
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sender
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
