//! How late this machine is: clocks of a test are only as good as its turns on the processors.

use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

const TICK: Duration = Duration::from_millis(5);

/// The longest time that a timer of this process was late.
#[derive(Debug)]
pub(crate) struct Lag {
    longest: Arc<Mutex<Duration>>,
    _watch: JoinSet<()>,
}

impl Lag {
    /// Begins to measure.
    pub(crate) fn start() -> Self {
        let longest = Arc::new(Mutex::new(Duration::ZERO));
        let mut watch = JoinSet::new();
        let noted = longest.clone();
        watch.spawn(async move {
            loop {
                let began = Instant::now();
                sleep(TICK).await;
                let late = began.elapsed().saturating_sub(TICK);
                let mut longest = noted.lock();
                *longest = late.max(*longest);
            }
        });
        Self { longest, _watch: watch }
    }

    /// The longest since this was asked last.
    pub(crate) fn take(&self) -> Duration {
        std::mem::take(&mut self.longest.lock())
    }
}
