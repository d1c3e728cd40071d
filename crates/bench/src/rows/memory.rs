//! Memory of an instance, before and after its service was queried.

use crate::{
    bodies,
    figures::{Figures, Unit},
    server::Server,
    session,
    sizes::Sizes,
};
use anyhow::{Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

/// Instances a service; each comes from a connection of its own, so that each is a publication.
const INSTANCES: u32 = 10;
/// Registrations in flight on a connection.
const IN_FLIGHT: usize = 8;

/// Ten connections register one instance in every service; later each service is queried once.
pub(crate) async fn run(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let sessions = session::open_many(server.grpc(), "naming", INSTANCES as usize).await?;
    tokio::time::sleep(sizes.settle / 10).await;
    let empty = server.process().resident()?;
    let start = Instant::now();
    let mut cpu = server.process().cpu()?;
    for number in 0..INSTANCES {
        let channel = sessions[number as usize].channel();
        let calls = stream::iter(0..sizes.services).map(|service| {
            let mut channel = channel.clone();
            let instance = bodies::instance(service * INSTANCES + number, 8080, u64::from(service));
            let frame = bodies::register(&name(service), &instance);
            async move { channel.call_ok(frame).await }
        });
        calls.buffer_unordered(IN_FLIGHT).try_for_each(|_| std::future::ready(Ok(()))).await?;
    }
    let took = start.elapsed();
    cpu = server.process().cpu()?.saturating_sub(cpu);
    tokio::time::sleep(sizes.settle).await;
    let registered = server.process().resident()?;
    let mut channel = sessions[0].channel();
    for service in 0..sizes.services {
        let answer = channel.call_ok(bodies::query(&name(service))).await?;
        ensure!(answer.len() > 1000 || server.is_floor(), "{} has too few hosts", name(service));
    }
    tokio::time::sleep(sizes.settle).await;
    let queried = server.process().resident()?;
    let instances = f64::from(sizes.services * INSTANCES);
    let each = |now: u64| to_f64(now.saturating_sub(empty)) / instances;
    figures.put_bytes("before", each(registered), Unit::Bytes);
    figures.put_bytes("after", each(queried), Unit::Bytes);
    figures.put_bytes("rss empty", to_f64(empty), Unit::MiB);
    figures.put_bytes("rss before", to_f64(registered), Unit::MiB);
    figures.put_bytes("rss after", to_f64(queried), Unit::MiB);
    figures.put_time("registered in", took, Unit::Seconds);
    figures.put("cpu", cpu.as_secs_f64() * 1e6 / instances, Unit::Micros);
    Ok(())
}

fn name(service: u32) -> String {
    format!("bench-memory-service-{service:05}")
}

#[expect(clippy::cast_precision_loss, reason = "a size of memory")]
fn to_f64(bytes: u64) -> f64 {
    bytes as f64
}
