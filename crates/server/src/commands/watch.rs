//! `muster watch`.

use super::{
    connection::open,
    output,
    services::{hosts_json, print_hosts},
};
use crate::cli::WatchArgs;
use anyhow::{Context, bail};
use muster_client::{Client, Push, reply::ServiceInfo};
use serde_json::json;
use tokio::sync::mpsc::Receiver;

/// Prints the state, then each change, until interrupted.
pub(crate) async fn watch(args: &WatchArgs) -> anyhow::Result<()> {
    let (client, driver, pushes) = open(&args.client).await?;
    let watching = async {
        if args.config {
            watch_config(args, &client, pushes).await
        } else {
            watch_service(args, &client, pushes).await
        }
    };
    tokio::select! {
        ended = driver.run() => ended.context("the connection ended"),
        watched = watching => watched,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("wait for Ctrl-C"),
    }
}

async fn watch_service(args: &WatchArgs, client: &Client, mut pushes: Receiver<Push>) -> anyhow::Result<()> {
    let info = client.subscribe(&args.client.group, &args.name, "").await.context("subscribe")?;
    let print = |info: &ServiceInfo| {
        if args.client.json { output::json(&hosts_json(info)) } else { print_hosts(info) }
    };
    print(&info)?;
    let mut shown = info.last_ref_time;
    while let Some(push) = pushes.recv().await {
        match push {
            // The list that follows every subscription was printed already.
            Push::Service(info) if info.last_ref_time > shown => {
                shown = info.last_ref_time;
                print(&info)?;
            }
            Push::Reset => bail!("the node asks its clients to go elsewhere"),
            Push::Service(_) | Push::Config(_) | Push::Other { .. } => {}
        }
    }
    Ok(())
}

async fn watch_config(args: &WatchArgs, client: &Client, mut pushes: Receiver<Push>) -> anyhow::Result<()> {
    let (group, data_id) = (args.client.group.as_str(), args.name.as_str());
    let mut md5 = None;
    loop {
        // Listen with what is known, then read: a change in between is told.
        client.listen(&[(group, data_id, md5.as_deref().unwrap_or_default())]).await.context("listen")?;
        let found = client.get(group, data_id).await.context("read the config")?;
        let found_md5 = found.as_ref().map(|config| config.md5.clone()).unwrap_or_default();
        if md5.as_ref() != Some(&found_md5) {
            print_config(args, found.as_ref().map(|config| config.content.as_str()), &found_md5)?;
        }
        md5 = Some(found_md5);
        loop {
            match pushes.recv().await {
                Some(Push::Config(_)) => break,
                Some(Push::Reset) => bail!("the node asks its clients to go elsewhere"),
                Some(Push::Service(_) | Push::Other { .. }) => {}
                None => return Ok(()),
            }
        }
    }
}

fn print_config(args: &WatchArgs, content: Option<&str>, md5: &str) -> anyhow::Result<()> {
    if args.client.json {
        return output::json(&json!({ "dataId": args.name, "content": content, "md5": md5 }));
    }
    match content {
        Some(content) => output::line(content),
        None => output::line(&format!("({} does not exist)", args.name)),
    }
}
