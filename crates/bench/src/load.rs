//! Load in a closed loop: each slot sends its next request when the last one was answered.

use crate::{
    connection::Channel,
    figures::{Figures, Unit},
    histogram::Histogram,
    process::Process,
    sizes::Sizes,
};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

const WARM_UP: u8 = 0;
const MEASURE: u8 = 1;
const STOP: u8 = 2;

/// One request at a time over a connection, going round through its frames.
pub(crate) struct Slot {
    /// Where to.
    pub(crate) channel: Channel,
    /// What; never empty.
    pub(crate) frames: Vec<Bytes>,
    /// Whether an answer, still framed, is a success.
    pub(crate) is_success: fn(&[u8]) -> bool,
}

/// What the counted part of a load did.
pub(crate) struct Measured {
    operations: u64,
    time: Duration,
    cpu: Duration,
    resident: u64,
    latencies: Histogram,
}

/// Runs all slots side by side and measures the server meanwhile. Any answer but a success ends it.
pub(crate) async fn closed_loop(slots: Vec<Slot>, process: Process, sizes: &Sizes) -> Result<Measured> {
    let phase = Arc::new(AtomicU8::new(WARM_UP));
    let mut workers = JoinSet::new();
    for slot in slots {
        workers.spawn(run(slot, Arc::clone(&phase)));
    }
    tokio::time::sleep(sizes.warm_up).await;
    let cpu_before = process.cpu()?;
    let start = Instant::now();
    phase.store(MEASURE, Ordering::Relaxed);
    tokio::time::sleep(sizes.measure).await;
    phase.store(STOP, Ordering::Relaxed);
    let time = start.elapsed();
    let cpu = process.cpu()?.saturating_sub(cpu_before);
    let mut latencies = Histogram::new();
    while let Some(worker) = workers.join_next().await {
        latencies.merge(&worker.context("a slot panicked")??);
    }
    ensure!(latencies.count() > 0, "nothing was answered in {:?}", sizes.measure);
    Ok(Measured { operations: latencies.count(), time, cpu, resident: process.resident()?, latencies })
}

async fn run(mut slot: Slot, phase: Arc<AtomicU8>) -> Result<Histogram> {
    let mut latencies = Histogram::new();
    for frame in slot.frames.iter().cycle() {
        let sent = Instant::now();
        let answer = slot.channel.call(frame.clone()).await?;
        if !(slot.is_success)(&answer) {
            anyhow::bail!("the server refused: {}", String::from_utf8_lossy(&answer));
        }
        match phase.load(Ordering::Relaxed) {
            MEASURE => latencies.record(sent.elapsed()),
            STOP => break,
            _ => {}
        }
    }
    Ok(latencies)
}

impl Measured {
    /// Server CPU time an operation, in microseconds.
    pub(crate) fn cpu_micros(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let operations = self.operations as f64;
        self.cpu.as_secs_f64() * 1e6 / operations
    }

    /// Operations a second.
    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let operations = self.operations as f64;
        operations / self.time.as_secs_f64()
    }

    /// Adds what was measured to the figures.
    pub(crate) fn put(&self, figures: &mut Figures) {
        figures.put("cpu", self.cpu_micros(), Unit::Micros);
        figures.put("rate", self.rate(), Unit::PerSecond);
        figures.put_latencies(&self.latencies, Unit::Millis);
        #[expect(clippy::cast_precision_loss, reason = "a size of memory")]
        figures.put_bytes("rss", self.resident as f64, Unit::MiB);
    }
}
