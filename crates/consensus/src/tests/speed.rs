//! Measurements: `cargo test --release -p muster-consensus -- --ignored --nocapture speed`.

use super::real::Real;
use crate::Settings;
use bytes::Bytes;
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

/// Median time of a 4 KiB write into preallocated space and its sync, as the log does it.
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn sync_time(dir: &Path) -> Duration {
    let file = File::create(dir.join("sync")).unwrap();
    file.write_all_at(&vec![0; 4 << 20], 0).unwrap();
    file.sync_all().unwrap();
    let once = |count: u64| {
        let start = Instant::now();
        file.write_all_at(&[1; 1_100], count * 1_100).unwrap();
        file.sync_data().unwrap();
        start.elapsed()
    };
    median((0..500).map(once).collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Processor time of this process so far.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

#[expect(clippy::disallowed_methods, reason = "it measures")]
async fn concurrent(real: &Real, in_flight: usize, each: usize) {
    let op = Bytes::from(vec![b'x'; 1_024]);
    let (start, processor) = (Instant::now(), processor_time());
    let client = || async {
        let mut times = Vec::new();
        for _ in 0..each {
            let start = Instant::now();
            real.consensus.propose(op.clone()).await.unwrap();
            times.push(start.elapsed());
        }
        times
    };
    let before = real.consensus.metrics();
    let times = futures_util::future::join_all((0..in_flight).map(|_| client())).await.concat();
    let after = real.consensus.metrics();
    let (elapsed, count) = (start.elapsed(), times.len() as f64);
    println!(
        "{in_flight:>4} in flight: {:>8.0} proposals/s, p50 {:>8.1?}, {:>6.1} µs CPU each, {:.1} ops an entry",
        count / elapsed.as_secs_f64(),
        median(times),
        (processor_time() - processor).as_secs_f64() * 1e6 / count,
        (after.ops - before.ops) as f64 / (after.entries - before.entries) as f64,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run it alone, in release mode"]
async fn speed() {
    let dir = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let sync = sync_time(dir.path());
    println!("write and sync of the same file system: p50 {sync:.1?}");
    let real = Real::start(&dir.path().join("data"), Settings::default()).await;
    concurrent(&real, 1, 300).await;
    concurrent(&real, 1, 3_000).await;
    concurrent(&real, 2, 2_000).await;
    concurrent(&real, 20, 500).await;
    concurrent(&real, 200, 500).await;
    concurrent(&real, 1_000, 100).await;
    real.shut_down().await;
}
