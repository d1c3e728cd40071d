//! Changes numbered from 1, when each was sent, and how long it took to each watcher.

use crate::histogram::Histogram;
use anyhow::{Result, bail};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// The changes of one run; clones share them.
#[derive(Clone)]
pub(crate) struct Changes {
    inner: Arc<Inner>,
}

struct Inner {
    board: Mutex<Board>,
    /// Told when a watcher has seen something new.
    seen: Notify,
}

struct Board {
    sent: Vec<Instant>,
    /// The newest change each watcher has seen.
    watchers: Vec<u64>,
    latencies: Histogram,
}

impl Changes {
    /// None sent yet.
    pub(crate) fn new(watchers: usize) -> Self {
        let board = Board { sent: Vec::new(), watchers: vec![0; watchers], latencies: Histogram::new() };
        Self { inner: Arc::new(Inner { board: Mutex::new(board), seen: Notify::new() }) }
    }

    /// Notes that the next change is sent now; gives its number.
    pub(crate) fn send(&self) -> u64 {
        let mut board = self.inner.board.lock();
        board.sent.push(Instant::now());
        board.sent.len() as u64
    }

    /// Notes that a watcher has seen this change and with it all before, each of which took until now.
    pub(crate) fn see(&self, watcher: usize, change: u64) {
        let now = Instant::now();
        let mut guard = self.inner.board.lock();
        let board = &mut *guard;
        let change = change.min(board.sent.len() as u64);
        while board.watchers[watcher] < change {
            let sent = board.sent[usize::try_from(board.watchers[watcher]).unwrap_or(usize::MAX)];
            board.latencies.record(now.saturating_duration_since(sent));
            board.watchers[watcher] += 1;
        }
        drop(guard);
        self.inner.seen.notify_one();
    }

    /// Notes that a watcher has seen the newest change sent.
    pub(crate) fn see_newest(&self, watcher: usize) {
        self.see(watcher, u64::MAX);
    }

    /// Waits until every watcher has seen everything sent.
    pub(crate) async fn all_seen(&self, limit: Duration) -> Result<()> {
        let wait = async {
            while self.missing() > 0 {
                self.inner.seen.notified().await;
            }
        };
        if tokio::time::timeout(limit, wait).await.is_err() {
            bail!("{} watchers had not seen the newest change after {limit:?}", self.missing());
        }
        Ok(())
    }

    /// The times of all changes to all watchers.
    pub(crate) fn latencies(&self) -> Histogram {
        self.inner.board.lock().latencies.clone()
    }

    fn missing(&self) -> usize {
        let board = self.inner.board.lock();
        board.watchers.iter().filter(|seen| **seen < board.sent.len() as u64).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_skipped_change_counts_when_a_later_one_is_seen() {
        let changes = Changes::new(2);
        assert_eq!((changes.send(), changes.send()), (1, 2));
        changes.see(0, 2);
        assert_eq!(changes.latencies().count(), 2);
        changes.see(0, 1);
        assert_eq!(changes.latencies().count(), 2, "an old state is not news");
        assert!(changes.all_seen(Duration::from_millis(1)).await.is_err());
        changes.see_newest(1);
        changes.all_seen(Duration::from_millis(1)).await.unwrap();
        assert_eq!(changes.latencies().count(), 4);
    }
}
