//! Beats that reach any node of a cluster: they keep instances alive, and move nothing.

use crate::{
    cluster::Cluster,
    figures::{Figures, Unit},
    histogram::Histogram,
    http1::Client,
    server::Server,
    sizes::Sizes,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// Nodes of the cluster. Each beat of an instance goes to another one than its last.
const NODES: usize = 3;
/// Callers, each with a connection to every node and its part of the instances.
const CALLERS: u32 = 48;
/// Instances of one service.
const A_SERVICE: u32 = 100;
/// How often a caller looks how many beats it owes.
const TICK: Duration = Duration::from_millis(20);

const BEAT: u8 = 0;
const COUNT: u8 = 1;
const PAUSE: u8 = 2;
const STOP: u8 = 3;

/// What nodes count about one another, added up over all.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    moves: u64,
    changes: u64,
    op_bytes: u64,
    beat_bytes: u64,
    beats_passed_on: u64,
}

/// Registers instances that live by beats at all nodes and sends their beats round about; then none for a while.
pub(super) async fn run(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let cluster = Cluster::start(server.places()?, NODES).await?;
    let nodes: Vec<_> = cluster.nodes().iter().map(Server::http).collect();
    let phase = Arc::new(AtomicU8::new(BEAT));
    let each = sizes.beaten / CALLERS;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mut clients = Vec::with_capacity(NODES);
        for node in &nodes {
            clients.push(Client::open(*node).await?);
        }
        let rate = f64::from(sizes.beats) / f64::from(CALLERS);
        let caller = Caller { first: caller * each, count: each, clients, rate, phase: Arc::clone(&phase) };
        callers.spawn(caller.run());
    }
    let instances = each * CALLERS;
    wait_for(&cluster, instances, &mut callers).await?;
    // Registering takes some of them longer than a lease; their first beats have made them healthy again.
    tokio::time::sleep(sizes.beat_window).await;

    let (before, cpu) = (counters(&cluster).await?, cluster.process().cpu()?);
    let start = Instant::now();
    phase.store(COUNT, Ordering::Relaxed);
    tokio::time::sleep(sizes.beat_window).await;
    phase.store(BEAT, Ordering::Relaxed);
    let (time, cpu) = (start.elapsed(), cluster.process().cpu()?.saturating_sub(cpu));
    let beaten = counters(&cluster).await?.since(before);
    let unhealthy = unhealthy(&cluster, instances).await?;
    phase.store(PAUSE, Ordering::Relaxed);
    // Together with the time since the last beat it is shorter than a lease: nothing is missed yet.
    let before = counters(&cluster).await?;
    tokio::time::sleep(sizes.beat_pause).await;
    let idle = counters(&cluster).await?.since(before);
    phase.store(STOP, Ordering::Relaxed);

    let mut latencies = Histogram::new();
    while let Some(caller) = callers.join_next().await {
        latencies.merge(&caller.context("a caller panicked")??);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of beats")]
    let beats = latencies.count() as f64;
    figures.put("instances", f64::from(instances), Unit::Count);
    figures.put("beats", beats / time.as_secs_f64(), Unit::PerSecond);
    figures.put("cpu a beat", cpu.as_secs_f64() * 1e6 / beats, Unit::Micros);
    figures.put_latencies(&latencies, Unit::Millis);
    figures.put("unhealthy", count(unhealthy), Unit::Count);
    figures.put("moves", count(beaten.moves), Unit::Count);
    figures.put("changes", count(beaten.changes), Unit::Count);
    figures.put_bytes("operations", count(beaten.op_bytes), Unit::KiB);
    figures.put_bytes("operations without beats", count(idle.op_bytes), Unit::KiB);
    figures.put("beats passed on", count(beaten.beats_passed_on), Unit::Count);
    figures.put_bytes("bytes of them", count(beaten.beat_bytes), Unit::KiB);
    Ok(())
}

struct Caller {
    first: u32,
    count: u32,
    clients: Vec<Client>,
    /// Beats a second.
    rate: f64,
    phase: Arc<AtomicU8>,
}

impl Caller {
    async fn run(mut self) -> Result<Histogram> {
        for number in 0..self.count {
            let path = format!("/nacos/v1/ns/instance?{}&ephemeral=true", instance(self.first + number));
            let client = &mut self.clients[number as usize % NODES];
            let answer = client.call(&Method::POST, &path).await?;
            ensure!(answer.status.is_success(), "a registration was refused: {}", answer.text());
        }
        let mut latencies = Histogram::new();
        let mut pace = Pace::new(self.rate);
        for round in 0.. {
            for number in 0..self.count {
                let Some(counts) = self.turn(&mut pace).await else { return Ok(latencies) };
                let path = format!("/nacos/v1/ns/instance/beat?{}", instance(self.first + number));
                let client = &mut self.clients[(number as usize + round) % NODES];
                let asked = Instant::now();
                let answer = client.call(&Method::PUT, &path).await?;
                // One that is not known is a success too, with code 20404.
                ensure!(answer.text().contains("\"code\":10200"), "a beat was answered: {}", answer.text());
                if counts {
                    latencies.record(asked.elapsed());
                }
            }
        }
        Ok(latencies)
    }

    /// Waits until a beat is due; whether it counts. None: no more.
    async fn turn(&self, pace: &mut Pace) -> Option<bool> {
        loop {
            let phase = self.phase.load(Ordering::Relaxed);
            match phase {
                STOP => return None,
                PAUSE => {
                    tokio::time::sleep(TICK).await;
                    *pace = Pace::new(self.rate);
                }
                _ if pace.is_due() => return Some(phase == COUNT),
                _ => tokio::time::sleep(TICK).await,
            }
        }
    }
}

/// How many were due since it began.
struct Pace {
    rate: f64,
    since: Instant,
    sent: f64,
}

impl Pace {
    fn new(rate: f64) -> Self {
        Self { rate, since: Instant::now(), sent: 0.0 }
    }

    /// Whether one more is due, which then counts as sent.
    fn is_due(&mut self) -> bool {
        let due = self.since.elapsed().as_secs_f64() * self.rate > self.sent;
        if due {
            self.sent += 1.0;
        }
        due
    }
}

/// How an instance is named in a query.
fn instance(number: u32) -> String {
    let [_, a, b, c] = number.to_be_bytes();
    let service = number / A_SERVICE;
    format!("serviceName=DEFAULT_GROUP%40%40bench-beat-{service}&ip=10.{a}.{b}.{c}&port=8080")
}

/// Waits until every node has them all.
async fn wait_for(cluster: &Cluster, instances: u32, callers: &mut JoinSet<Result<Histogram>>) -> Result<()> {
    for node in cluster.nodes() {
        while figure(&metrics(node).await?, "muster_instances")? < u64::from(instances) {
            if let Some(ended) = callers.try_join_next() {
                ended.context("a caller panicked")??;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// How many are not healthy, added up over the nodes.
async fn unhealthy(cluster: &Cluster, instances: u32) -> Result<u64> {
    let mut healthy = 0;
    for node in cluster.nodes() {
        let mut client = Client::open(node.http()).await?;
        for service in 0..instances.div_ceil(A_SERVICE) {
            let path = format!(
                "/nacos/v1/ns/instance/list?serviceName=DEFAULT_GROUP%40%40bench-beat-{service}&healthyOnly=true"
            );
            let answer = client.call(&Method::GET, &path).await?;
            healthy += answer.text().matches("\"ip\":\"").count() as u64;
        }
    }
    (u64::from(instances) * NODES as u64)
        .checked_sub(healthy)
        .context("more are healthy than were registered")
}

async fn counters(cluster: &Cluster) -> Result<Counters> {
    let mut all = Counters::default();
    for node in cluster.nodes() {
        let text = metrics(node).await?;
        all.moves +=
            figure(&text, "muster_mirror_adopted_total")? + figure(&text, "muster_mirror_yielded_total")?;
        all.changes += figure(&text, "muster_mirror_sent_total")?;
        all.op_bytes += figure(&text, "muster_mirror_op_bytes_sent_total")?;
        all.beat_bytes += figure(&text, "muster_mirror_beat_bytes_sent_total")?;
        all.beats_passed_on += figure(&text, "muster_mirror_beats_passed_on_total")?;
    }
    Ok(all)
}

impl Counters {
    fn since(self, before: Self) -> Self {
        Self {
            moves: self.moves - before.moves,
            changes: self.changes - before.changes,
            op_bytes: self.op_bytes - before.op_bytes,
            beat_bytes: self.beat_bytes - before.beat_bytes,
            beats_passed_on: self.beats_passed_on - before.beats_passed_on,
        }
    }
}

async fn metrics(node: &Server) -> Result<String> {
    let answer = Client::open(node.http()).await?.call(&Method::GET, "/metrics").await?;
    ensure!(answer.status.is_success(), "/metrics answers {}", answer.status);
    Ok(answer.text().into_owned())
}

/// A figure without labels.
fn figure(metrics: &str, name: &str) -> Result<u64> {
    let value =
        metrics.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')));
    value.and_then(|value| value.trim().parse().ok()).with_context(|| format!("no {name} in /metrics"))
}

fn count(number: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
    let number = number as f64;
    number
}
