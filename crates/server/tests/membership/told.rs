//! Nodes that end by themselves, and what they say.

use crate::process::Process;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long it may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

impl Process {
    /// What its environment says.
    pub(crate) fn set_environment(&mut self, environment: &[(&str, &str)]) {
        self.environment =
            environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    }

    /// Waits until it ends by itself; gives its exit code and what it logged since it was started.
    pub(crate) async fn wait_end(&mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                self.child = None;
                return (status.code(), self.log_since_start());
            }
            assert!(begun.elapsed() < PATIENCE, "{} does not end: {}", self.http, self.log_tail());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until it logs this, and not before it was started last.
    pub(crate) async fn wait_logged(&self, text: &str) {
        let begun = Instant::now();
        while !self.log_since_start().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "{} never says {text:?}: {}", self.http, self.log_tail());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it logged since it was started last.
    pub(crate) fn log_since_start(&self) -> String {
        self.log().split_off(self.logged_before)
    }
}
