//! Memory of a server that does nothing, and of connections that do nothing.

use crate::{
    figures::{Figures, Unit},
    server::Server,
    session,
    sizes::Sizes,
};
use anyhow::Result;

/// Waits, reads, opens the connections (half naming, half config, each with its stream), waits, reads again.
/// They answer the server's detections as clients do.
#[expect(clippy::cast_precision_loss, reason = "sizes of memory and counts of connections")]
pub(crate) async fn run(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    tokio::time::sleep(sizes.settle).await;
    let empty = server.process().resident()?;
    let half = sizes.idle_connections / 2;
    let naming = session::open_many(server.grpc(), "naming", half).await?;
    let config = session::open_many(server.grpc(), "config", sizes.idle_connections - half).await?;
    tokio::time::sleep(sizes.settle).await;
    let cpu_before = server.process().cpu()?;
    let full = server.process().resident()?;
    tokio::time::sleep(sizes.settle).await;
    let cpu = server.process().cpu()?.saturating_sub(cpu_before);
    figures.put_bytes("rss", empty as f64, Unit::MiB);
    figures.put("connections", (naming.len() + config.len()) as f64, Unit::Count);
    let each = full.saturating_sub(empty) as f64 / sizes.idle_connections as f64;
    figures.put_bytes("a connection", each, Unit::KiB);
    figures.put_time("cpu while idle", cpu, Unit::Millis);
    Ok(())
}
