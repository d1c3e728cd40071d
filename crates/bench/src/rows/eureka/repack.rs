//! One change and one packed full fetch, in turn: what it costs to render and pack again.

use super::{fetch, put_size, register, register_all};
use crate::{
    figures::{Figures, Unit},
    histogram::Histogram,
    http1::Client,
    server::Server,
    sizes::Sizes,
};
use anyhow::{Result, ensure};
use tokio::time::Instant;

/// CPU time a pair; the time of the fetch alone beside it.
pub(crate) async fn repack(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    register_all(server, sizes).await?;
    let mut client = Client::open(server.http()).await?;
    let fetch = fetch("/eureka/apps");
    let (mut times, mut size, mut pairs) = (Histogram::new(), 0, 0_u32);
    let (start, cpu) = (Instant::now(), server.process().cpu()?);
    while start.elapsed() < sizes.measure {
        // A prime step, so that the changes come from everywhere.
        let n = (pairs * 7919) % sizes.eureka_instances;
        let answer = client.send(&register(n, u64::from(pairs) + 1)).await?;
        ensure!(answer.status == 204, "the change was answered {}", answer.status);
        let sent = Instant::now();
        let answer = client.send(&fetch).await?;
        times.record(sent.elapsed());
        ensure!(answer.status == 200, "the fetch was answered {}", answer.status);
        size = answer.bytes().len();
        pairs += 1;
    }
    let cpu = server.process().cpu()?.saturating_sub(cpu);
    figures.put("cpu", cpu.as_secs_f64() * 1e6 / f64::from(pairs), Unit::Micros);
    figures.put_latencies(&times, Unit::Millis);
    put_size(figures, size);
    Ok(())
}
