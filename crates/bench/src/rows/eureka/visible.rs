//! From a registration over Eureka to those who ask, and to those who are told over Nacos's protocol.

use super::{INSTANCES, fetch, register};
use crate::{
    bodies,
    figures::{Figures, Unit},
    histogram::Histogram,
    http1::{Call, Client},
    rows::change::Changes,
    server::Server,
    session::Session,
    sizes::Sizes,
};
use anyhow::{Result, bail, ensure};
use http::{Method, header::ACCEPT};
use std::time::Duration;
use tokio::time::{Instant, interval};

/// When what has not come is a failure.
const WAIT: Duration = Duration::from_secs(60);

/// One registration after another, each polled for until the full list has it, then until the delta has it.
pub(crate) async fn visible(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let mut publisher = Client::open(server.http()).await?;
    let mut reader = Client::open(server.http()).await?;
    let mut times = Histogram::new();
    for change in 1..=sizes.eureka_changes {
        let call = register(0, change);
        let needle = format!("\"mark\":\"{change}\"");
        let sent = Instant::now();
        ensure!(publisher.send(&call).await?.status == 204, "the registration was refused");
        for path in ["/eureka/apps", "/eureka/apps/delta"] {
            let call = Call::new(Method::GET, path).header(ACCEPT, "application/json");
            while !reader.send(&call).await?.text().contains(&needle) {
                if sent.elapsed() > WAIT {
                    bail!("a registration is not in {path} after {WAIT:?}");
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        times.record(sent.elapsed());
    }
    figures.put_latencies(&times, Unit::Millis);
    // Once, so that the packed form was asked for, too.
    ensure!(reader.send(&fetch("/eureka/apps")).await?.status == 200, "the packed list was refused");
    Ok(())
}

/// Registrations over Eureka, each pushed to 50 subscribers over Nacos gRPC.
pub(crate) async fn crossing(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let changes = Changes::new(sizes.watchers);
    let mut publisher = Client::open(server.http()).await?;
    for n in 0..INSTANCES {
        ensure!(publisher.send(&register(n, 0)).await?.status == 204, "the registration was refused");
    }
    let mut subscribers = Vec::with_capacity(sizes.watchers);
    for watcher in 0..sizes.watchers {
        let changes = changes.clone();
        let on_push = Box::new(move |kind: &str, json: &[u8]| {
            if kind == "NotifySubscriberRequest"
                && let Some(mark) = bodies::largest_mark(json)
            {
                changes.see(watcher, mark);
            }
        });
        let session = Session::open_with(server.grpc(), "naming", on_push).await?;
        session.channel().call_ok(bodies::subscribe("bench-0")).await?;
        subscribers.push(session);
    }
    let mut ticks = interval(sizes.change_every);
    for change in 1..=sizes.eureka_changes {
        ticks.tick().await;
        let call = register(0, change);
        changes.send();
        ensure!(publisher.send(&call).await?.status == 204, "the registration was refused");
    }
    changes.all_seen(WAIT).await?;
    figures.put_latencies(&changes.latencies(), Unit::Millis);
    Ok(())
}
