//! Held long polls of 1.x clients: what one costs, and how long a change takes to those whom it concerns.

use super::change::Changes;
use crate::{
    bodies,
    figures::{Figures, Unit},
    http1::{Call, Client},
    server::Server,
    session::Session,
    sizes::Sizes,
};
use anyhow::{Context, Result, ensure};
use http::{HeaderName, Method};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// When an answer that has not come is a failure.
const WAIT: Duration = Duration::from_secs(20);

/// All wait, each on a connection of its own; a change of one config wakes those that listen to it, and nobody else.
pub(crate) async fn run(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let publisher = Session::open(server.grpc(), "config").await?;
    for name in ["bench-polled", "bench-quiet"] {
        publisher.channel().call_ok(bodies::publish(name, &bodies::content(0))).await?;
    }
    let woken = usize::try_from(sizes.woken).context("count the woken")?;
    let md5 = md5_of(server, "bench-quiet").await?;
    let changes = Changes::new(woken);
    let strangers = Arc::new(AtomicUsize::new(0));
    tokio::time::sleep(sizes.settle).await;
    let empty = server.process().resident()?;
    let mut polls = JoinSet::new();
    for number in 0..sizes.long_polls {
        let mut client = Client::open(server.http()).await?;
        let watcher = usize::try_from(number).context("count the polls")?;
        let call = poll(if watcher < woken { "bench-polled" } else { "bench-quiet" }, &md5);
        let (changes, strangers) = (changes.clone(), Arc::clone(&strangers));
        polls.spawn(async move {
            let answer = client.send(&call).await?;
            ensure!(answer.status == 200, "a poll was answered {}", answer.status);
            if watcher < woken {
                changes.see_newest(watcher);
            } else if !answer.text().is_empty() {
                strangers.fetch_add(1, Ordering::Relaxed);
            }
            // The connection stays open as long as its poll.
            Ok(client)
        });
    }
    tokio::time::sleep(sizes.settle).await;
    let full = server.process().resident()?;
    changes.send();
    publisher.channel().call_ok(bodies::publish("bench-polled", &bodies::content(1))).await?;
    changes.all_seen(WAIT).await?;
    ensure!(strangers.load(Ordering::Relaxed) == 0, "a change woke polls that it does not concern");
    #[expect(clippy::cast_precision_loss, reason = "a size of memory")]
    let grown = full.saturating_sub(empty) as f64;
    figures.put_bytes("a poll", grown / f64::from(sizes.long_polls), Unit::KiB);
    figures.put_latencies(&changes.latencies(), Unit::Millis);
    polls.shutdown().await;
    Ok(())
}

/// The md5 of a config, which both have.
async fn md5_of(server: &Server, data_id: &str) -> Result<String> {
    let path = format!("/nacos/v1/cs/configs?dataId={data_id}&group={}&show=all", bodies::GROUP);
    let answer = Client::open(server.http()).await?.call(&Method::GET, &path).await?;
    let body: serde_json::Value = serde_json::from_slice(&answer.bytes()).context("read the config")?;
    Ok(body["md5"].as_str().context("find the md5")?.to_owned())
}

fn poll(data_id: &str, md5: &str) -> Call {
    let listening = format!("Listening-Configs={data_id}%02{}%02{md5}%01", bodies::GROUP);
    Call::new(Method::POST, "/nacos/v1/cs/configs/listener")
        .form(listening)
        .header(HeaderName::from_static("long-pulling-timeout"), "120000")
}
