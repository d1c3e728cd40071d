//! How late this machine is: clocks of a test are only as good as its turns on the processors, and so is what a node can
//! do in a time.

use parking_lot::Mutex;
use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

const TICK: Duration = Duration::from_millis(5);

/// The longest time that a timer of this process was late, and how long nodes waited for their turns.
#[derive(Debug)]
pub(crate) struct Lag {
    longest: Arc<Mutex<Duration>>,
    /// How long each thread of the nodes has waited in its life, by its name in `/proc`, when that was asked last.
    waited: Mutex<BTreeMap<String, Duration>>,
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
        Self { longest, waited: Mutex::default(), _watch: watch }
    }

    /// How late all was since this was asked last: the longest of this process, and the longest time for which one thread of
    /// these processes could run and had no processor. Threads that wait beside each other count once.
    pub(crate) fn take(&self, nodes: impl Iterator<Item = u32>) -> Duration {
        let now: BTreeMap<_, _> = nodes.flat_map(threads).collect();
        let before = std::mem::replace(&mut *self.waited.lock(), now.clone());
        let since = |(thread, waited): (&String, &Duration)| {
            waited.saturating_sub(before.get(thread).copied().unwrap_or_default())
        };
        let waited = now.iter().map(since).max().unwrap_or_default();
        std::mem::take(&mut *self.longest.lock()) + waited
    }
}

/// The threads of a process, and how long each has been runnable without running.
fn threads(process: u32) -> Vec<(String, Duration)> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let waited = |path: String| {
        let told = fs::read_to_string(format!("{path}/schedstat")).ok()?;
        let nanoseconds = told.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some((path, Duration::from_nanos(nanoseconds)))
    };
    threads.filter_map(|thread| waited(thread.ok()?.path().display().to_string())).collect()
}
