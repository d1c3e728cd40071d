//! Packed deltas under changes: 100 changes and 50 fetches a second.

use super::{fetch, put_size, register, register_all};
use crate::{
    figures::{Figures, Unit},
    histogram::Histogram,
    http1::Client,
    server::Server,
    sizes::Sizes,
};
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use tokio::{
    task::JoinSet,
    time::{Instant, interval},
};

/// The time from one change to the next.
const CHANGE_EVERY: Duration = Duration::from_millis(10);
/// The time from one fetch to the next.
const FETCH_EVERY: Duration = Duration::from_millis(20);

/// CPU time a fetch: what changes and fetches cost together, less what the same changes cost without fetches. The
/// window of a delta is three minutes: the longer the load, the more is in it.
pub(crate) async fn delta(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    register_all(server, sizes).await?;
    let load = sizes.measure * 5;
    let alone = changes(server, sizes, load).await?;
    let mut fetches = JoinSet::new();
    fetches.spawn(fetch_deltas(server.http(), load));
    let together = changes(server, sizes, load).await?;
    let (times, size) =
        fetches.join_next().await.context("fetches were begun")?.context("fetch deltas")??;
    #[expect(clippy::cast_precision_loss, reason = "a count of fetches")]
    let count = times.count() as f64;
    let cpu = together.saturating_sub(alone).as_secs_f64() * 1e6 / count;
    figures.put("cpu", cpu, Unit::Micros);
    figures.put_latencies(&times, Unit::Millis);
    put_size(figures, size);
    Ok(())
}

/// Changes for a while; the server's CPU time in it.
async fn changes(server: &Server, sizes: &Sizes, load: Duration) -> Result<Duration> {
    let mut client = Client::open(server.http()).await?;
    let (start, cpu) = (Instant::now(), server.process().cpu()?);
    let (mut ticks, mut done) = (interval(CHANGE_EVERY), 0_u32);
    while start.elapsed() < load {
        ticks.tick().await;
        let n = (done * 7919) % sizes.eureka_instances;
        let answer = client.send(&register(n, u64::from(done) + 1)).await?;
        ensure!(answer.status == 204, "the change was answered {}", answer.status);
        done += 1;
    }
    Ok(server.process().cpu()?.saturating_sub(cpu))
}

async fn fetch_deltas(address: std::net::SocketAddr, load: Duration) -> Result<(Histogram, usize)> {
    let mut client = Client::open(address).await?;
    let call = fetch("/eureka/apps/delta");
    let (mut times, mut size, start) = (Histogram::new(), 0, Instant::now());
    let mut ticks = interval(FETCH_EVERY);
    while start.elapsed() < load {
        ticks.tick().await;
        let sent = Instant::now();
        let answer = client.send(&call).await?;
        times.record(sent.elapsed());
        ensure!(answer.status == 200, "the delta was answered {}", answer.status);
        size = answer.bytes().len();
    }
    Ok((times, size))
}
