//! `muster watch`.

use super::{
    connection::{Connection, Ended, keep},
    history::time,
    output,
    services::{hosts_json, print_hosts},
};
use crate::{cli::WatchArgs, signals::Signals};
use anyhow::Context;
use muster_client::{Client, ClientError, Push, reply::ServiceInfo};
use muster_runtime::{Clock, SystemClock};
use serde_json::json;
use tokio::sync::mpsc::Receiver;

/// Prints the state, then each change, until interrupted; also through restarts of the node.
pub(crate) async fn watch(args: &WatchArgs) -> anyhow::Result<()> {
    let mut shown = Shown::default();
    keep(&args.client, async |connection, signals| watching(args, connection, &mut shown, signals).await)
        .await
}

/// What was printed last, so that a new connection does not print it again.
#[derive(Default)]
struct Shown {
    service: Option<ServiceInfo>,
    config: Option<String>,
}

async fn watching(
    args: &WatchArgs,
    (client, driver, pushes): Connection,
    shown: &mut Shown,
    signals: &mut Signals,
) -> anyhow::Result<Ended> {
    let watched = async {
        if args.config {
            watch_config(args, &client, pushes, shown).await
        } else {
            watch_service(args, &client, pushes, shown).await
        }
    };
    tokio::select! {
        ended = driver.run() => Ok(Ended::of(ended)),
        watched = watched => match watched {
            Err(error) => match error.downcast::<ClientError>() {
                Ok(refused @ ClientError::Refused { .. }) => Err(refused.into()),
                Ok(lost) => Ok(Ended::of(Err(lost))),
                Err(error) => Err(error),
            },
            Ok(ended) => Ok(ended),
        },
        _ = signals.next() => Ok(Ended::Done),
    }
}

async fn watch_service(
    args: &WatchArgs,
    client: &Client,
    mut pushes: Receiver<Push>,
    shown: &mut Shown,
) -> anyhow::Result<Ended> {
    let mut info = client.subscribe(&args.client.group, &args.name, "").await.context("subscribe")?;
    loop {
        // The list that follows every subscription was printed already.
        if shown.service.as_ref().is_none_or(|shown| shown.hosts != info.hosts) {
            print_service(args, &info)?;
            shown.service = Some(info);
        }
        info = loop {
            match pushes.recv().await {
                Some(Push::Service(info)) => break info,
                Some(Push::Reset { .. }) => return Ok(Ended::reset()),
                Some(Push::Config(_) | Push::Other { .. }) => {}
                None => std::future::pending().await,
            }
        };
    }
}

async fn watch_config(
    args: &WatchArgs,
    client: &Client,
    mut pushes: Receiver<Push>,
    shown: &mut Shown,
) -> anyhow::Result<Ended> {
    let (group, data_id) = (args.client.group.as_str(), args.name.as_str());
    loop {
        // Listen with what is known, then read: a change in between is told.
        client
            .listen(&[(group, data_id, shown.config.as_deref().unwrap_or_default())])
            .await
            .context("listen")?;
        let found = client.get(group, data_id).await.context("read the config")?;
        let md5 = found.as_ref().map(|config| config.md5.clone()).unwrap_or_default();
        if shown.config.as_ref() != Some(&md5) {
            print_config(args, found.as_ref().map(|config| config.content.as_str()), &md5)?;
        }
        shown.config = Some(md5);
        loop {
            match pushes.recv().await {
                Some(Push::Config(_)) => break,
                Some(Push::Reset { .. }) => return Ok(Ended::reset()),
                Some(Push::Service(_) | Push::Other { .. }) => {}
                None => std::future::pending().await,
            }
        }
    }
}

/// A line over each state that is printed: when it was seen.
fn heading(what: &str) -> anyhow::Result<()> {
    output::line(&format!("# {}  {what}", time(SystemClock::new().now().wall.0)))
}

fn print_service(args: &WatchArgs, info: &ServiceInfo) -> anyhow::Result<()> {
    if args.client.json {
        return output::json(&hosts_json(&args.name, info));
    }
    let count = info.hosts.len();
    heading(&format!("{}: {count} instance{}", args.name, if count == 1 { "" } else { "s" }))?;
    if count == 0 { Ok(()) } else { print_hosts(info) }
}

fn print_config(args: &WatchArgs, content: Option<&str>, md5: &str) -> anyhow::Result<()> {
    let Some(content) = content else {
        if args.client.json {
            let group = &args.client.group;
            return output::json(
                &json!({ "dataId": args.name, "group": group, "content": null, "md5": null }),
            );
        }
        return heading(&format!("{} does not exist", args.name));
    };
    if args.client.json {
        let group = &args.client.group;
        return output::json(&json!({ "dataId": args.name, "group": group, "content": content, "md5": md5 }));
    }
    heading(&format!("{}, md5 {md5}", args.name))?;
    output::line(content)
}
