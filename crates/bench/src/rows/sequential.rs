//! Publishes one after another, between probes of what the disk under the server can do.

use crate::{
    bodies,
    figures::{Figures, Unit},
    histogram::Histogram,
    server::Server,
    session::Session,
    sizes::Sizes,
};
use anyhow::{Context, Result};
use std::{fs::File, io::Write, os::unix::fs::FileExt, path::Path, time::Duration};
use tokio::time::Instant;

/// Publishes in a row before the disk is probed again.
const TURN: usize = 10;
const BLOCK: usize = 4096;
/// The preallocated file of the faster probe.
const BLOCKS: u64 = 256;

/// Alternates publishes with two probes: append 1 KiB and fsync, as a simple program would; and write 4 KiB
/// into a file that has its size already and fdatasync, the least a log can do.
pub(crate) async fn run(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let session = Session::open(server.grpc(), "config").await?;
    let mut probe = Probe::open(server.directory())?;
    let mut publishes = Histogram::new();
    let cpu_before = server.process().cpu()?;
    for number in 0..sizes.sequential {
        let frame = bodies::publish("bench-sequential", &bodies::content(number as u64));
        let sent = Instant::now();
        session.channel().call_ok(frame).await?;
        publishes.record(sent.elapsed());
        if number % TURN == TURN - 1 || number + 1 == sizes.sequential {
            // Blocks this thread: nothing else runs in it, and the server is idle.
            probe.turn(TURN)?;
        }
    }
    let cpu = server.process().cpu()?.saturating_sub(cpu_before);
    figures.put_latencies(&publishes, Unit::Millis);
    let fsync = probe.appended.quantile(0.5);
    figures.put_time("fsync p50", fsync, Unit::Millis);
    figures.put_time("fdatasync p50", probe.overwritten.quantile(0.5), Unit::Millis);
    let ratio = publishes.quantile(0.5).as_secs_f64();
    figures.put("to fsync", ratio / fsync.as_secs_f64(), Unit::Times);
    figures.put("to fdatasync", ratio / probe.overwritten.quantile(0.5).as_secs_f64(), Unit::Times);
    #[expect(clippy::cast_precision_loss, reason = "a count of publishes")]
    figures.put("cpu", cpu.as_secs_f64() * 1e6 / sizes.sequential as f64, Unit::Micros);
    Ok(())
}

struct Probe {
    append: File,
    overwrite: File,
    next: u64,
    appended: Histogram,
    overwritten: Histogram,
}

impl Probe {
    fn open(directory: &Path) -> Result<Self> {
        let append = File::create(directory.join("probe-append")).context("create a probe file")?;
        let overwrite = File::create(directory.join("probe-overwrite")).context("create a probe file")?;
        for block in 0..BLOCKS {
            overwrite.write_all_at(&[1; BLOCK], block * BLOCK as u64).context("fill a probe file")?;
        }
        overwrite.sync_all().context("sync a probe file")?;
        Ok(Self { append, overwrite, next: 0, appended: Histogram::new(), overwritten: Histogram::new() })
    }

    fn turn(&mut self, times: usize) -> Result<()> {
        for _ in 0..times {
            let took = timed(|| {
                self.append.write_all(&[2; 1024])?;
                self.append.sync_all()
            })?;
            self.appended.record(took);
            let at = self.next % BLOCKS * BLOCK as u64;
            let took = timed(|| {
                self.overwrite.write_all_at(&[3; BLOCK], at)?;
                self.overwrite.sync_data()
            })?;
            self.overwritten.record(took);
            self.next += 1;
        }
        Ok(())
    }
}

fn timed(work: impl FnOnce() -> std::io::Result<()>) -> Result<Duration> {
    let start = Instant::now();
    work().context("probe the disk")?;
    Ok(start.elapsed())
}
