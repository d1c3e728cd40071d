//! Three nodes: what a write, a registration and doing nothing cost them together, and one node that joins late.

use super::{
    push::{self, Ends},
    sequential, throughput,
};
use crate::{
    bodies,
    cluster::Cluster,
    etcd::{self, Etcd},
    figures::{Figures, Unit},
    load,
    server::Server,
    session::{self, Session},
    sizes::Sizes,
};
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use tokio::time::Instant;

/// Nodes of the cluster.
const NODES: usize = 3;
/// Clients of the publish row, one request in flight each.
const PUBLISHERS: usize = 64;
/// Instances that one connection registers, in batches of one service each.
const BATCH: u32 = 50;
/// How long a mirror may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Publishes through a follower; then the same of etcd, where it is installed.
pub(crate) async fn publish(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let cluster = Cluster::start(server.places()?, NODES).await?;
    let sizes = Sizes { connections: PUBLISHERS.min(sizes.connections * 2), in_flight: 1, ..sizes.clone() };
    let follower = cluster.follower().await?;
    let sessions = session::open_many(follower.grpc(), "config", sizes.connections).await?;
    let slots = throughput::publish_slots(&sessions, &sizes);
    load::closed_loop(slots, cluster.process(), &sizes).await?.put(figures);
    drop((sessions, cluster));
    if !Etcd::is_installed().await {
        return Ok(());
    }
    let etcd = Etcd::start(server.places()?).await?;
    let connections = etcd::connect(etcd.follower().await?, sizes.connections).await?;
    let measured = load::closed_loop(etcd::put_slots(&connections), etcd.process(), &sizes).await?;
    figures.put("etcd cpu", measured.cpu_micros(), Unit::Micros);
    figures.put("etcd rate", measured.rate(), Unit::PerSecond);
    Ok(())
}

/// Publishes through a follower, one after another, between probes of the disk.
pub(crate) async fn sequential(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let cluster = Cluster::start(server.places()?, NODES).await?;
    sequential::run(cluster.follower().await?, sizes, figures).await?;
    let p50 = figures.get("p50").context("p50 is measured")?;
    let fdatasync = figures.get("fdatasync p50").context("the disk is probed")?;
    figures.put("above 3 × fdatasync", p50 - 3.0 * fdatasync, Unit::Millis);
    Ok(())
}

/// The push row, from one node to subscribers at another.
pub(crate) async fn push(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let cluster = Cluster::start(server.places()?, NODES).await?;
    let ends = Ends { at: &cluster.nodes()[0], to: &cluster.nodes()[1], process: cluster.process() };
    push::across(&ends, sizes, 0, figures).await
}

/// The register row, spread over all nodes, and the same at one by itself.
pub(crate) async fn register(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let mut alone = Figures::new("register", "muster");
    throughput::register(server, sizes, &mut alone).await?;
    let cluster = Cluster::start(server.places()?, NODES).await?;
    let mut sessions = Vec::with_capacity(sizes.connections);
    for node in cluster.nodes().iter().cycle().take(sizes.connections) {
        sessions.push(Session::open(node.grpc(), "naming").await?);
    }
    let slots = throughput::register_slots(&sessions, sizes);
    load::closed_loop(slots, cluster.process(), sizes).await?.put(figures);
    let alone = alone.get("cpu").context("CPU time is measured")?;
    let cpu = figures.get("cpu").context("CPU time is measured")?;
    figures.put("alone", alone, Unit::Micros);
    figures.put("above 1.25 × alone", cpu - 1.25 * alone, Unit::Micros);
    Ok(())
}

/// What nodes that hold instances cost when nothing happens; how much more memory than one by itself.
pub(crate) async fn idle(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let cluster = Cluster::start(server.places()?, NODES).await?;
    let connections = sizes.storm_connections;
    let (mut alone, mut spread) = (Vec::new(), Vec::new());
    for number in 0..connections {
        let node = &cluster.nodes()[number as usize % NODES];
        alone.push(hold(server, number, 1).await?);
        spread.push(hold(node, number, 1).await?);
    }
    tokio::time::sleep(sizes.settle).await;
    let before = cluster.process().cpu()?;
    tokio::time::sleep(sizes.settle).await;
    let cpu = cluster.process().cpu()?.saturating_sub(before);
    let nodes = f64::from(u32::try_from(NODES)?);
    let percent = 100.0 * cpu.as_secs_f64() / sizes.settle.as_secs_f64() / nodes;
    figures.put("instances", f64::from(connections * BATCH), Unit::Count);
    figures.put("cpu a node", percent, Unit::Percent);
    let (mut most, one) = (0, server.process().resident()?);
    for node in cluster.nodes() {
        most = node.process().resident()?.max(most);
    }
    put_mib(figures, "rss of the largest", most);
    put_mib(figures, "rss alone", one);
    put_mib(figures, "more than alone", most.saturating_sub(one));
    Ok(())
}

/// Two nodes hold everything, and a third joins.
pub(crate) async fn mirror(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let mut cluster = Cluster::start(server.places()?, NODES - 1).await?;
    let mut sessions = Vec::new();
    for number in 0..sizes.storm_connections {
        let node = &cluster.nodes()[number as usize % (NODES - 1)];
        sessions.push(hold(node, number, sizes.storm_services).await?);
    }
    let instances = sizes.storm_connections * sizes.storm_services * BATCH;
    figures.put("instances", f64::from(instances), Unit::Count);
    // What they have to tell one another is told, and the checkpoint of so many is written.
    tokio::time::sleep(sizes.settle / 2).await;
    let before: Vec<Duration> = cpus(&cluster)?;
    let start = Instant::now();
    cluster.join().await?;
    // It is ready when it has everything; that is looked at when the counting is over.
    let after = cpus(&cluster)?;
    figures.put_time("ready in", start.elapsed(), Unit::Seconds);
    wait_complete(cluster.nodes().last().context("there are nodes")?, sizes).await?;
    let served = after.iter().zip(&before).map(|(after, before)| after.saturating_sub(*before)).max();
    figures.put_time("cpu of who joins", after[NODES - 1], Unit::Seconds);
    figures.put_time("cpu of who serves", served.context("two serve")?, Unit::Seconds);
    Ok(())
}

fn cpus(cluster: &Cluster) -> Result<Vec<Duration>> {
    cluster.nodes().iter().map(|node| node.process().cpu()).collect()
}

/// Waits until the last service that was registered is whole.
async fn wait_complete(node: &Server, sizes: &Sizes) -> Result<()> {
    let session = Session::open(node.grpc(), "naming").await?;
    let mut channel = session.channel();
    let begun = Instant::now();
    for service in 0..sizes.storm_services {
        let frame = bodies::query(&name(service));
        loop {
            let answer = channel.call_ok(frame.clone()).await?;
            let hosts = answer.windows(6).filter(|window| window == b"\"ip\":\"").count();
            if hosts == (sizes.storm_connections * BATCH) as usize {
                break;
            }
            ensure!(begun.elapsed() < PATIENCE, "{} has {hosts} hosts", name(service));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

/// A connection that registers a batch in each of so many services.
async fn hold(node: &Server, number: u32, services: u32) -> Result<Session> {
    let session = Session::open(node.grpc(), "naming").await?;
    for service in 0..services {
        let instances: Vec<_> =
            (0..BATCH).map(|instance| bodies::instance(number * BATCH + instance, 8080, 0)).collect();
        session.channel().call_ok(bodies::register_batch(&name(service), &instances)).await?;
    }
    Ok(session)
}

fn name(service: u32) -> String {
    format!("bench-cluster-{service}")
}

fn put_mib(figures: &mut Figures, name: &'static str, bytes: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a size of memory")]
    figures.put_bytes(name, bytes as f64, Unit::MiB);
}
