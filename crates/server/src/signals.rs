//! The signals that end the process.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, from when it is made.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to watch; from now on neither ends the process by itself.
    pub(crate) fn watch() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("watch for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("watch for SIGINT")?,
        })
    }

    /// The name of the next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Does something that belongs to the start; `None`: it was given up because the process is to end.
    pub(crate) async fn unless_told<T>(&mut self, start: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = start => Some(done),
            name = self.next() => {
                tracing::info!(signal = name, "stopped while starting");
                None
            }
        }
    }
}
