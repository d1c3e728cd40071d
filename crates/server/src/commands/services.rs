//! `muster register` and `muster list`.

use super::{
    connection::{Connection, Ended, keep, open},
    output,
};
use crate::{
    cli::{ListArgs, RegisterArgs},
    signals::Signals,
};
use anyhow::Context;
use muster_client::{ClientError, InstanceBody, Pairs, Push, Text, reply};
use serde_json::json;
use tokio::sync::mpsc::Receiver;

/// Names asked for at a time.
const PAGE: u32 = 500;

/// Registers an instance and keeps it registered until interrupted, also through restarts of the node.
pub(crate) async fn register(args: &RegisterArgs) -> anyhow::Result<()> {
    keep(&args.client, async |connection, signals| registered(args, connection, signals).await).await
}

async fn registered(
    args: &RegisterArgs,
    (client, driver, mut pushes): Connection,
    signals: &mut Signals,
) -> anyhow::Result<Ended> {
    let group = &args.client.group;
    match client.register(group, &args.service, instance(args)).await {
        Ok(()) => {}
        Err(error @ ClientError::Refused { .. }) => return Err(error).context("register"),
        Err(error) => return Ok(Ended::Lost(error.to_string())),
    }
    let (host, port) = &args.address;
    let address = address(host, *port);
    if args.client.json {
        output::json(
            &json!({ "registered": true, "service": args.service, "group": group, "address": address }),
        )?;
    } else {
        output::line(&format!("registered {address} at {}; Ctrl-C deregisters it", args.service))?;
    }
    tokio::select! {
        ended = driver.run() => return Ok(Ended::of(ended)),
        () = reset(&mut pushes) => return Ok(Ended::reset()),
        _ = signals.next() => {}
    }
    client.deregister(group, &args.service, instance(args)).await.context("deregister")?;
    if args.client.json {
        output::json(
            &json!({ "registered": false, "service": args.service, "group": group, "address": address }),
        )?;
    } else {
        output::line(&format!("deregistered {address}"))?;
    }
    Ok(Ended::Done)
}

/// Waits until the node asks its clients to leave.
async fn reset(pushes: &mut Receiver<Push>) {
    while let Some(push) = pushes.recv().await {
        if matches!(push, Push::Reset { .. }) {
            return;
        }
    }
    // The driver is gone, which is told elsewhere.
    std::future::pending().await
}

fn instance(args: &RegisterArgs) -> InstanceBody<'_> {
    let metadata = args.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    InstanceBody {
        ip: Text::from(args.address.0.as_str()),
        port: i64::from(args.address.1),
        weight: Some(args.weight),
        healthy: Some(true),
        enabled: Some(true),
        ephemeral: Some(true),
        cluster_name: Text::from(args.cluster.as_str()),
        metadata: metadata.collect::<Pairs<'_>>(),
    }
}

/// Lists services, or the instances of one.
pub(crate) async fn list(args: &ListArgs) -> anyhow::Result<()> {
    let (client, _driver, _pushes) = open(&args.client).await?;
    let group = &args.client.group;
    if let Some(service) = &args.service {
        let info = client.query_service(group, service, "", false).await.context("query the service")?;
        if args.client.json {
            return output::json(&hosts_json(service, &info));
        }
        if info.hosts.is_empty() {
            output::note(&format!("{service} has no instances in group {group}"));
            return Ok(());
        }
        return print_hosts(&info);
    }
    let mut names = Vec::new();
    for page in 1.. {
        let reply = client.list_services(group, page, PAGE).await.context("list services")?;
        let last = reply.service_names.len() < PAGE as usize;
        names.extend(reply.service_names);
        if last {
            break;
        }
    }
    if args.client.json {
        return output::json(&names);
    }
    if names.is_empty() {
        output::note(&format!("there are no services in group {group}"));
    }
    names.iter().try_for_each(|name| output::line(name))
}

/// The hosts as JSON. The name is the one asked for: some answers put the group before it.
pub(crate) fn hosts_json(service: &str, info: &reply::ServiceInfo) -> serde_json::Value {
    let hosts = info.hosts.iter().map(|host| {
        json!({
            "ip": host.ip, "port": host.port, "cluster": host.cluster_name, "weight": host.weight,
            "healthy": host.healthy, "enabled": host.enabled, "ephemeral": host.ephemeral,
            "metadata": host.metadata,
        })
    });
    json!({ "service": service, "group": info.group_name, "hosts": hosts.collect::<Vec<_>>() })
}

/// The hosts as a table.
pub(crate) fn print_hosts(info: &reply::ServiceInfo) -> anyhow::Result<()> {
    let rows = info.hosts.iter().map(|host| {
        let metadata: Vec<String> =
            host.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let state = match (host.enabled, host.healthy) {
            (false, _) => "disabled",
            (true, true) => "healthy",
            (true, false) => "unhealthy",
        };
        [
            address(&host.ip, host.port),
            host.cluster_name.clone(),
            host.weight.to_string(),
            state.to_owned(),
            metadata.join(" "),
        ]
    });
    output::table(["ADDRESS", "CLUSTER", "WEIGHT", "STATE", "METADATA"], rows)
}

/// Host and port, as they are typed: IPv6 in brackets.
fn address(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
