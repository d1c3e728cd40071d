//! `muster register` and `muster list`.

use super::{connection::open, output};
use crate::{
    cli::{ListArgs, RegisterArgs},
    exit::{Exit, USAGE},
};
use anyhow::Context;
use muster_client::{InstanceBody, Pairs, Text, reply};
use serde_json::json;

/// Names asked for at a time.
const PAGE: u32 = 500;

/// Registers an instance and keeps it registered until interrupted.
pub(crate) async fn register(args: &RegisterArgs) -> anyhow::Result<()> {
    let wrong = |what: &str| Exit::new(USAGE, format!("{what}: expected IP:PORT"));
    let (ip, port) = args.address.rsplit_once(':').ok_or_else(|| wrong(&args.address))?;
    let port: u16 = port.parse().map_err(|_| wrong(&args.address))?;
    let mut metadata = Vec::new();
    for pair in &args.metadata {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Exit::new(USAGE, format!("--metadata {pair}: expected KEY=VALUE")))?;
        metadata.push((key, value));
    }
    let instance = InstanceBody {
        ip: Text::from(ip),
        port: i64::from(port),
        weight: Some(args.weight),
        healthy: Some(true),
        enabled: Some(true),
        ephemeral: Some(true),
        cluster_name: Text::from(args.cluster.as_str()),
        metadata: metadata.into_iter().collect::<Pairs<'_>>(),
    };
    let (client, driver, _pushes) = open(&args.client).await?;
    client.register(&args.client.group, &args.service, instance).await.context("register")?;
    if args.client.json {
        output::json(&json!({ "registered": true, "service": args.service, "address": args.address }))?;
    } else {
        output::line(&format!("registered {} at {}; Ctrl-C deregisters", args.address, args.service))?;
    }
    tokio::select! {
        ended = driver.run() => ended.context("the connection ended, and the registration with it"),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("wait for Ctrl-C"),
    }
}

/// Lists services, or the instances of one.
pub(crate) async fn list(args: &ListArgs) -> anyhow::Result<()> {
    let (client, _driver, _pushes) = open(&args.client).await?;
    let group = &args.client.group;
    let Some(service) = &args.service else {
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
        return names.iter().try_for_each(|name| output::line(name));
    };
    let info = client.query_service(group, service, "", false).await.context("query the service")?;
    if args.client.json { output::json(&hosts_json(&info)) } else { print_hosts(&info) }
}

/// The hosts as JSON.
pub(crate) fn hosts_json(info: &reply::ServiceInfo) -> serde_json::Value {
    let hosts = info.hosts.iter().map(|host| {
        json!({
            "ip": host.ip, "port": host.port, "cluster": host.cluster_name, "weight": host.weight,
            "healthy": host.healthy, "ephemeral": host.ephemeral, "metadata": host.metadata,
        })
    });
    json!({ "service": info.name, "group": info.group_name, "hosts": hosts.collect::<Vec<_>>() })
}

/// The hosts as a table.
pub(crate) fn print_hosts(info: &reply::ServiceInfo) -> anyhow::Result<()> {
    let rows = info.hosts.iter().map(|host| {
        let metadata: Vec<String> =
            host.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
        [
            format!("{}:{}", host.ip, host.port),
            host.cluster_name.clone(),
            host.weight.to_string(),
            if host.healthy { "healthy" } else { "unhealthy" }.to_owned(),
            metadata.join(" "),
        ]
    });
    output::table(["ADDRESS", "CLUSTER", "WEIGHT", "HEALTH", "METADATA"], rows)
}
