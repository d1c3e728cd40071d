//! From a registration to the push at every subscriber.

use super::change::Changes;
use crate::{
    bodies,
    figures::{Figures, Unit},
    process::Process,
    server::Server,
    session::{self, Session},
    sizes::Sizes,
};
use anyhow::{Context, Result};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

const SERVICE: &str = "bench-push";
/// Instances of the service beside the one that changes.
const OTHERS: u32 = 10;
/// When a push that has not come is a failure.
const PUSH_WAIT: Duration = Duration::from_secs(10);

/// One instance changes each `change_every`, while `busy_rate` registrations a second go to other services.
pub(crate) async fn run(server: &Server, sizes: &Sizes, busy_rate: u32, figures: &mut Figures) -> Result<()> {
    let ends = Ends { at: server, to: server, process: server.process() };
    across(&ends, sizes, busy_rate, figures).await
}

/// Where the change is made and where it is listened to.
pub(crate) struct Ends<'a> {
    /// Who is changed.
    pub(crate) at: &'a Server,
    /// Whose subscribers are told.
    pub(crate) to: &'a Server,
    /// All whose CPU time counts.
    pub(crate) process: Process,
}

/// The same from one node to another.
pub(crate) async fn across(
    ends: &Ends<'_>,
    sizes: &Sizes,
    busy_rate: u32,
    figures: &mut Figures,
) -> Result<()> {
    let server = ends.at;
    let changes = Changes::new(sizes.watchers);
    let provider = Session::open(server.grpc(), "naming").await?;
    let others: Vec<_> = (1..=OTHERS).map(|number| bodies::instance(number, 8080, 0)).collect();
    provider.channel().call_ok(bodies::register_batch(SERVICE, &others)).await?;
    let subscribers = subscribe(ends.to, sizes, &changes).await?;
    let mut busy = Busy::start(server, sizes, busy_rate).await?;
    let publisher = Session::open(server.grpc(), "naming").await?;
    let cpu_before = ends.process.cpu()?;
    let start = Instant::now();
    let mut ticks = interval(sizes.change_every);
    for mark in 1..=sizes.changes {
        ticks.tick().await;
        // The frame is made before the clock starts.
        let frame = bodies::register(SERVICE, &bodies::instance(0, 8080, mark));
        changes.send();
        publisher.channel().call_ok(frame).await?;
    }
    changes.all_seen(PUSH_WAIT).await?;
    let time = start.elapsed();
    let cpu = ends.process.cpu()?.saturating_sub(cpu_before);
    busy.stop().await?;
    figures.put_latencies(&changes.latencies(), Unit::Millis);
    #[expect(clippy::cast_precision_loss, reason = "counts of changes and registrations")]
    {
        figures.put("changes", sizes.changes as f64, Unit::Count);
        figures.put("cpu a change", cpu.as_secs_f64() * 1e6 / sizes.changes as f64, Unit::Micros);
        figures.put("beside", busy.done.load(Ordering::Relaxed) as f64 / time.as_secs_f64(), Unit::PerSecond);
    }
    drop(subscribers);
    Ok(())
}

async fn subscribe(server: &Server, sizes: &Sizes, changes: &Changes) -> Result<Vec<Session>> {
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
        session.channel().call_ok(bodies::subscribe(SERVICE)).await?;
        subscribers.push(session);
    }
    Ok(subscribers)
}

/// Registrations on other services at a set rate.
struct Busy {
    tasks: JoinSet<Result<()>>,
    done: Arc<AtomicU64>,
    sessions: Vec<Session>,
}

impl Busy {
    async fn start(server: &Server, sizes: &Sizes, rate: u32) -> Result<Self> {
        let (done, mut tasks) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
        let connections = if rate == 0 { 0 } else { sizes.connections };
        let sessions = session::open_many(server.grpc(), "naming", connections).await?;
        for (connection, session) in sessions.iter().enumerate() {
            let every = Duration::from_secs(1) * u32::try_from(connections).unwrap_or(u32::MAX) / rate;
            tasks.spawn(register_at(session.channel(), connection, every, Arc::clone(&done)));
        }
        Ok(Self { tasks, done, sessions })
    }

    /// Ends the registrations; an error one of them met comes out here.
    async fn stop(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.context("a registration panicked")??;
        }
        self.tasks.shutdown().await;
        self.sessions.clear();
        Ok(())
    }
}

async fn register_at(
    mut channel: crate::connection::Channel,
    connection: usize,
    every: Duration,
    done: Arc<AtomicU64>,
) -> Result<()> {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let number = u32::try_from(connection).unwrap_or(u32::MAX);
    let frames: Vec<_> = (0..64)
        .map(|turn: u16| {
            let instance = bodies::instance(number, 8080 + turn / 32, 0);
            bodies::register(&format!("bench-busy-{}", turn % 32), &instance)
        })
        .collect();
    for frame in frames.iter().cycle() {
        ticks.tick().await;
        channel.call_ok(frame.clone()).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
