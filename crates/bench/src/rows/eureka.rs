//! Eureka's clients: heartbeats, full fetches, deltas; and how long a registration takes to those who read it.

mod delta;
mod repack;
mod visible;

pub(crate) use delta::delta;
pub(crate) use repack::repack;
pub(crate) use visible::{crossing, visible};

use super::http::{run, same_answer};
use crate::{
    figures::{Figures, Unit},
    http1::{Call, Client},
    server::Server,
    sizes::Sizes,
};
use anyhow::{Result, ensure};
use http::{
    Method,
    header::{ACCEPT, ACCEPT_ENCODING},
};
use serde_json::json;

/// Instances an application.
const INSTANCES: u32 = 10;

/// Renews leases: each connection its own.
pub(crate) async fn heartbeat(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    register_all(server, sizes).await?;
    let calls: Vec<Call> = (0..sizes.eureka_instances)
        .map(|n| {
            let query = "?status=UP&lastDirtyTimestamp=1700000000123";
            Call::new(Method::PUT, format!("/eureka/apps/{}/{}{query}", app(n), id(n)))
        })
        .collect();
    run(server, sizes, &calls, "", figures).await
}

/// Fetches everything, packed, while nothing changes.
pub(crate) async fn full(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    register_all(server, sizes).await?;
    let call = fetch("/eureka/apps");
    same_answer(server, &call, sizes).await?;
    run(server, sizes, std::slice::from_ref(&call), "", figures).await?;
    let answer = Client::open(server.http()).await?.send(&call).await?;
    put_size(figures, answer.bytes().len());
    Ok(())
}

/// A packed fetch.
fn fetch(path: &str) -> Call {
    Call::new(Method::GET, path).header(ACCEPT, "application/json").header(ACCEPT_ENCODING, "gzip")
}

#[expect(clippy::cast_precision_loss, reason = "a size of a body")]
fn put_size(figures: &mut Figures, bytes: usize) {
    figures.put_bytes("body", bytes as f64, Unit::KiB);
}

/// The application of instance number `n`.
fn app(n: u32) -> String {
    format!("BENCH-{}", n / INSTANCES)
}

/// The id of instance number `n`.
fn id(n: u32) -> String {
    format!("host-{n}.example:bench-{}:8080", n / INSTANCES)
}

/// Registers instance number `n`, or registers it anew with another mark; as a Spring client does.
fn register(n: u32, mark: u64) -> Call {
    let [_, a, b, c] = n.to_be_bytes();
    let (host, vip) = (format!("host-{n}.example"), format!("bench-{}", n / INSTANCES));
    let url = format!("http://{host}:8080");
    let body = json!({"instance": {
        "instanceId": id(n), "app": app(n), "hostName": host, "ipAddr": format!("10.{a}.{b}.{c}"),
        "status": "UP", "overriddenStatus": "UNKNOWN", "countryId": 1,
        "port": {"$": 8080, "@enabled": "true"}, "securePort": {"$": 443, "@enabled": "false"},
        "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
        "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 90},
        "metadata": {"management.port": "8080", "zone": "zone-a", "mark": mark.to_string()},
        "homePageUrl": format!("{url}/"), "statusPageUrl": format!("{url}/actuator/info"),
        "healthCheckUrl": format!("{url}/actuator/health"), "vipAddress": vip, "secureVipAddress": vip,
        "isCoordinatingDiscoveryServer": "false", "lastUpdatedTimestamp": "1700000000456",
        "lastDirtyTimestamp": (1_700_000_000_123 + mark).to_string()
    }});
    Call::new(Method::POST, format!("/eureka/apps/{}", app(n))).json(body.to_string())
}

async fn register_all(server: &Server, sizes: &Sizes) -> Result<()> {
    let mut client = Client::open(server.http()).await?;
    for n in 0..sizes.eureka_instances {
        let answer = client.send(&register(n, 0)).await?;
        ensure!(answer.status == 204, "registration {n} was answered {}: {}", answer.status, answer.text());
    }
    Ok(())
}
