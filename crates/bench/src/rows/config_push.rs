//! From a publish to the notification at every listener.

use super::change::Changes;
use crate::{
    bodies,
    figures::{Figures, Unit},
    server::Server,
    session::Session,
    sizes::Sizes,
};
use anyhow::Result;
use std::time::Duration;
use tokio::time::interval;

const DATA_ID: &str = "bench-config-push";
/// When a notification that has not come is a failure.
const PUSH_WAIT: Duration = Duration::from_secs(10);

/// One config changes each `change_every`. A notification carries no content, so the next change waits until
/// all listeners have been told of the last one.
pub(crate) async fn run(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let changes = Changes::new(sizes.watchers);
    let publisher = Session::open(server.grpc(), "config").await?;
    publisher.channel().call_ok(bodies::publish(DATA_ID, &bodies::content(0))).await?;
    let listeners = listen(server, sizes, &changes).await?;
    let cpu_before = server.process().cpu()?;
    let mut ticks = interval(sizes.change_every);
    for mark in 1..=sizes.changes {
        ticks.tick().await;
        let frame = bodies::publish(DATA_ID, &bodies::content(mark));
        changes.send();
        publisher.channel().call_ok(frame).await?;
        changes.all_seen(PUSH_WAIT).await?;
    }
    let cpu = server.process().cpu()?.saturating_sub(cpu_before);
    figures.put_latencies(&changes.latencies(), Unit::Millis);
    #[expect(clippy::cast_precision_loss, reason = "a count of changes")]
    {
        figures.put("changes", sizes.changes as f64, Unit::Count);
        figures.put("cpu a change", cpu.as_secs_f64() * 1e6 / sizes.changes as f64, Unit::Micros);
    }
    drop(listeners);
    Ok(())
}

async fn listen(server: &Server, sizes: &Sizes, changes: &Changes) -> Result<Vec<Session>> {
    let mut listeners = Vec::with_capacity(sizes.watchers);
    for watcher in 0..sizes.watchers {
        let changes = changes.clone();
        let on_push = Box::new(move |kind: &str, _: &[u8]| {
            if kind == "ConfigChangeNotifyRequest" {
                changes.see_newest(watcher);
            }
        });
        let session = Session::open_with(server.grpc(), "config", on_push).await?;
        session.channel().call_ok(bodies::listen(DATA_ID)).await?;
        listeners.push(session);
    }
    Ok(listeners)
}
