//! Everything registers at once, then one large service keeps changing while another is queried.

use crate::{
    bodies,
    connection::Channel,
    figures::{Figures, Unit},
    histogram::Histogram,
    server::Server,
    session::{self, Session},
    sizes::Sizes,
};
use anyhow::{Context, Result, ensure};
use std::{net::SocketAddr, thread, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

/// The time from one change of the churning service to the next.
const CHURN_EVERY: Duration = Duration::from_millis(20);
/// The time from one unrelated query to the next.
const QUERY_EVERY: Duration = Duration::from_millis(1);
const UNRELATED: &str = "bench-storm-unrelated";

/// All connections share the services, so that each service ends with connections × batch instances. The churn is
/// measured twice: while nobody reads the service that churns, and with a subscriber, who wants each state of it.
pub(crate) async fn run(server: &Server, sizes: &Sizes, figures: &mut Figures) -> Result<()> {
    let provider = Session::open(server.grpc(), "naming").await?;
    let hosts: Vec<_> = (0..10).map(|number| bodies::instance(number, 8080, 0)).collect();
    provider.channel().call_ok(bodies::register_batch(UNRELATED, &hosts)).await?;
    let connections = sizes.storm_connections as usize;
    let sessions = session::open_many(server.grpc(), "naming", connections).await?;
    let took = register_all(&sessions, sizes).await?;
    let instances = f64::from(sizes.storm_connections * sizes.storm_services * sizes.storm_batch);
    figures.put("instances", instances, Unit::Count);
    figures.put_time("registered in", took, Unit::Seconds);
    let unread = best_of(server, &sessions[0], sizes).await?;
    let subscriber = Session::open(server.grpc(), "naming").await?;
    subscriber.channel().call_ok(bodies::subscribe(&name(0))).await?;
    let watched = best_of(server, &sessions[0], sizes).await?;
    figures.put_time("quiet p99", unread.quiet, Unit::Millis);
    figures.put_time("churn p99", unread.churning, Unit::Millis);
    figures.put("ratio", unread.ratio(), Unit::Times);
    figures.put_time("watched quiet p99", watched.quiet, Unit::Millis);
    figures.put_time("watched churn p99", watched.churning, Unit::Millis);
    figures.put("watched ratio", watched.ratio(), Unit::Times);
    #[expect(clippy::cast_precision_loss, reason = "a size of memory")]
    figures.put_bytes("rss", server.process().resident()? as f64, Unit::MiB);
    Ok(())
}

/// The p99 of an unrelated query, before and during the churn.
struct Pair {
    quiet: Duration,
    churning: Duration,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.churning.as_secs_f64() / self.quiet.as_secs_f64()
    }
}

/// The least of several runs on either side: what disturbs a run from outside only ever makes it slower, and the
/// run with the best ratio might be one whose quiet part was disturbed.
async fn best_of(server: &Server, churner: &Session, sizes: &Sizes) -> Result<Pair> {
    let mut best: Option<Pair> = None;
    for _ in 0..sizes.storm_runs {
        tokio::time::sleep(sizes.measure / 4).await;
        let quiet = probe(server.grpc(), sizes.measure)?.finish().await?.quantile(0.99);
        let mut churn_task = JoinSet::new();
        churn_task.spawn(churn(churner.channel(), sizes.storm_batch));
        let churning = probe(server.grpc(), sizes.measure)?.finish().await?.quantile(0.99);
        if let Some(ended) = churn_task.try_join_next() {
            ended.context("the churn panicked")??;
        }
        churn_task.shutdown().await;
        best = Some(match best {
            Some(least) => Pair { quiet: least.quiet.min(quiet), churning: least.churning.min(churning) },
            None => Pair { quiet, churning },
        });
    }
    best.context("no run was asked for")
}

/// Every connection registers its batch in every service, all connections side by side.
async fn register_all(sessions: &[Session], sizes: &Sizes) -> Result<Duration> {
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for (connection, session) in (0..).zip(sessions) {
        let (mut channel, services, size) = (session.channel(), sizes.storm_services, sizes.storm_batch);
        workers.spawn(async move {
            for service in 0..services {
                channel.call_ok(batch(connection, service, size, 0)).await?;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.context("a registration panicked")??;
    }
    Ok(start.elapsed())
}

fn batch(connection: u32, service: u32, size: u32, mark: u64) -> bytes::Bytes {
    let instances: Vec<_> =
        (0..size).map(|number| bodies::instance(connection * size + number, 8080, mark)).collect();
    bodies::register_batch(&name(service), &instances)
}

fn name(service: u32) -> String {
    format!("bench-storm-{service}")
}

async fn churn(mut channel: Channel, size: u32) -> Result<()> {
    let frames: Vec<_> = (1..=8).map(|mark| batch(0, 0, size, mark)).collect();
    let mut ticks = interval(CHURN_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for frame in frames.iter().cycle() {
        ticks.tick().await;
        channel.call_ok(frame.clone()).await?;
    }
    Ok(())
}

/// The unrelated query runs in a thread of its own, so that the churn's own client does not delay it.
struct Probe {
    thread: thread::JoinHandle<Result<Histogram>>,
}

fn probe(address: SocketAddr, time: Duration) -> Result<Probe> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("start a runtime")?;
    let thread = thread::spawn(move || runtime.block_on(query_for(address, time)));
    Ok(Probe { thread })
}

impl Probe {
    async fn finish(self) -> Result<Histogram> {
        let joined =
            tokio::task::spawn_blocking(|| self.thread.join()).await.context("wait for the probe")?;
        joined.map_err(|_| anyhow::anyhow!("the probe panicked"))?
    }
}

async fn query_for(address: SocketAddr, time: Duration) -> Result<Histogram> {
    let session = Session::open(address, "naming").await?;
    let (mut channel, frame) = (session.channel(), bodies::query(UNRELATED));
    let mut latencies = Histogram::new();
    let mut ticks = interval(QUERY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = Instant::now() + time;
    while Instant::now() < end {
        ticks.tick().await;
        let sent = Instant::now();
        channel.call_ok(frame.clone()).await?;
        latencies.record(sent.elapsed());
    }
    ensure!(latencies.count() > 0, "no query was answered");
    Ok(latencies)
}
