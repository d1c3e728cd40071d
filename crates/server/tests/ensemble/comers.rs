//! Instances that come and go at every node, the whole time, and who is pushed that elsewhere. A node that runs takes
//! registrations whatever happened to the others, and lists them at once.

use crate::{
    calls::{self, Instance, Renewed},
    http::Caller,
    tally::Tally,
};
use muster_client::{Options, Push, connect};
use parking_lot::Mutex;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// Between two registrations at a node.
const PAUSE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(3);

/// Who registers, and who is told.
#[derive(Debug)]
pub(crate) struct Comers {
    nodes: Vec<Arc<Place>>,
    stop: Arc<AtomicBool>,
    registering: JoinSet<()>,
    subscribing: JoinSet<()>,
}

/// One node, as its clients are allowed to see it.
#[derive(Debug)]
struct Place {
    index: usize,
    address: SocketAddr,
    /// How often it was said that it may not answer. Odd: it may not answer now.
    outages: AtomicU64,
    /// What came last from each node, and when, as subscribers here were told.
    told: Mutex<Vec<Option<Instant>>>,
    /// The longest time between two pushes about each node's comers.
    gaps: Mutex<Vec<Duration>>,
}

fn service(index: usize) -> String {
    format!("comer-{index}")
}

impl Comers {
    /// Starts a client that registers and one that subscribes at each node.
    pub(crate) fn start(nodes: &[SocketAddr], tally: &Tally) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let place = |(index, address): (usize, &SocketAddr)| {
            Arc::new(Place {
                index,
                address: *address,
                outages: AtomicU64::new(0),
                told: Mutex::new(vec![None; nodes.len()]),
                gaps: Mutex::new(vec![Duration::ZERO; nodes.len()]),
            })
        };
        let places: Vec<_> = nodes.iter().enumerate().map(place).collect();
        let (mut registering, mut subscribing) = (JoinSet::new(), JoinSet::new());
        for place in &places {
            registering.spawn(register(place.clone(), stop.clone(), tally.clone()));
            subscribing.spawn(subscribe(place.clone()));
        }
        Self { nodes: places, stop, registering, subscribing }
    }

    /// Says that a node may not answer from now on.
    pub(crate) fn excuse(&self, node: usize) {
        let before = self.nodes[node].outages.fetch_add(1, Relaxed);
        assert!(before.is_multiple_of(2), "it is excused already");
    }

    /// Says that a node must answer again.
    pub(crate) fn expect(&self, node: usize) {
        let before = self.nodes[node].outages.fetch_add(1, Relaxed);
        assert!(!before.is_multiple_of(2), "it is expected already");
    }

    /// Begins to measure the longest silence between pushes anew.
    pub(crate) fn forget_gaps(&self) {
        for place in &self.nodes {
            place.told.lock().fill(None);
            place.gaps.lock().fill(Duration::ZERO);
        }
    }

    /// The longest time, since that was forgotten, for which subscribers at these nodes heard nothing of what came
    /// at these nodes.
    pub(crate) fn longest_gap(&self, among: &[usize]) -> Duration {
        let now = Instant::now();
        let gap = |at: usize, of: usize| {
            let since = self.nodes[at].told.lock()[of].map_or(Duration::ZERO, |told| now - told);
            since.max(self.nodes[at].gaps.lock()[of])
        };
        among.iter().flat_map(|at| among.iter().map(move |of| gap(*at, *of))).max().unwrap_or_default()
    }

    /// Ends them.
    pub(crate) async fn finish(mut self) {
        self.stop.store(true, Relaxed);
        while let Some(task) = self.registering.join_next().await {
            task.unwrap();
        }
        self.subscribing.shutdown().await;
    }
}

async fn register(place: Arc<Place>, stop: Arc<AtomicBool>, tally: Tally) {
    let mut caller = Caller::new(place.address, PATIENCE);
    let mut last: Option<Instance> = None;
    // A base a node, so that no address is used twice.
    #[expect(clippy::cast_possible_truncation, reason = "a handful of nodes")]
    let base = (place.index as u32 + 1) << 20;
    for number in 0.. {
        if stop.load(Relaxed) {
            return;
        }
        let instance = Instance { service: service(place.index), number: base + number };
        let before = place.outages.load(Relaxed);
        let began = Instant::now();
        let outcome = come(&mut caller, &instance, last.as_ref()).await;
        let after = place.outages.load(Relaxed);
        match outcome {
            Ok(()) => {
                tally.count("comers");
                tally.took("a registration, its listing and a deregistration", began.elapsed());
                last = Some(instance);
            }
            Err(why) if before == after && before.is_multiple_of(2) => {
                tally.breach(format!("{}, which runs: {why}", place.address));
            }
            Err(_) => tally.count("registrations that a dead or stopped node did not take"),
        }
        sleep(PAUSE).await;
    }
}

/// Registers one, sees it listed, and lets the one before go.
async fn come(caller: &mut Caller, instance: &Instance, last: Option<&Instance>) -> Result<(), String> {
    let well = |what: &str, renewed: Renewed| match renewed {
        Renewed::Yes => Ok(()),
        Renewed::Unheard | Renewed::Failed(_) => Err(format!("{what}: {renewed:?}")),
    };
    well("registration", calls::register(caller, instance).await)?;
    let listed = calls::list(caller, &instance.service).await.map_err(|why| format!("list: {why}"))?;
    if !listed.contains(&instance.ip()) {
        return Err(format!("registered {} and does not list it", instance.ip()));
    }
    let Some(last) = last else { return Ok(()) };
    well("deregistration", calls::deregister(caller, last).await)
}

/// Notes when pushes arrive; connects again as long as it must.
async fn subscribe(place: Arc<Place>) {
    loop {
        // It is dead; the gap tells.
        drop(listen(&place).await);
        sleep(Duration::from_millis(100)).await;
    }
}

async fn listen(place: &Place) -> Result<(), muster_client::ClientError> {
    let options = Options {
        timeout: Duration::from_secs(2),
        setup_timeout: Duration::from_secs(2),
        health_interval: Duration::from_secs(1),
        ..Options::default()
    };
    let (client, driver, mut pushes) = connect(&place.address.to_string(), options).await?;
    let watch = async {
        let count = place.told.lock().len();
        for of in 0..count {
            client.subscribe("DEFAULT_GROUP", &service(of), "").await?;
        }
        while let Some(push) = pushes.recv().await {
            let Push::Service(told) = push else { continue };
            let Some(of) = (0..count).find(|of| told.name.ends_with(&service(*of))) else { continue };
            let now = Instant::now();
            if let Some(before) = place.told.lock()[of].replace(now) {
                let mut gaps = place.gaps.lock();
                gaps[of] = gaps[of].max(now - before);
            }
        }
        Ok(())
    };
    tokio::select! { ended = driver.run() => ended, watched = watch => watched }
}
