//! Clients of gRPC, whose connection is their lease: each registers an instance and watches them all; when its node
//! dies it goes to the next one, as the published clients do.

use crate::tally::Tally;
use muster_client::{Client, ClientError, InstanceBody, Options, Push, Text, connect};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc::Receiver,
    task::JoinSet,
    time::{Instant, interval, sleep},
};

/// The service that all of them register in.
pub(crate) const SERVICE: &str = "session";
const GROUP: &str = "DEFAULT_GROUP";

/// The clients.
#[derive(Debug)]
pub(crate) struct Sessions {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    nodes: Vec<SocketAddr>,
    hosts: BTreeSet<String>,
    /// How many are registered and watch.
    settled: AtomicUsize,
    stop: AtomicBool,
    tally: Tally,
}

impl Sessions {
    /// Starts so many clients and waits until all have registered.
    pub(crate) async fn settle(nodes: &[SocketAddr], count: usize, tally: &Tally) -> Self {
        let shared = Arc::new(Shared {
            nodes: nodes.to_vec(),
            hosts: (0..count).map(ip).collect(),
            settled: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            tally: tally.clone(),
        });
        let mut clients = JoinSet::new();
        for number in 0..count {
            clients.spawn(shared.clone().live(number));
        }
        let sessions = Self { shared, clients };
        sessions.wait_settled().await;
        sessions
    }

    /// Addresses of the instances.
    pub(crate) fn hosts(&self) -> &BTreeSet<String> {
        &self.shared.hosts
    }

    /// Waits until every client is at some node.
    pub(crate) async fn wait_settled(&self) {
        let begun = Instant::now();
        while self.shared.settled.load(Relaxed) < self.shared.hosts.len() {
            assert!(begun.elapsed() < Duration::from_secs(60), "clients of gRPC find no node");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends them.
    pub(crate) async fn leave(mut self) {
        self.shared.stop.store(true, Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
    }
}

fn ip(number: usize) -> String {
    format!("10.200.0.{number}")
}

impl Shared {
    async fn live(self: Arc<Self>, number: usize) {
        let mut at = number;
        let mut had_all = false;
        while !self.stop.load(Relaxed) {
            if let Err(error) = self.visit(number, at, &mut had_all).await {
                self.tally.count(&format!("gRPC connections that ended ({})", kind(&error)));
                if !matches!(error, ClientError::Connect { .. } | ClientError::Refused { .. }) {
                    self.tally.note(&format!(
                        "client {} of gRPC at node {}: {error}",
                        ip(number),
                        at % self.nodes.len()
                    ));
                }
                sleep(Duration::from_millis(200)).await;
            }
            at += 1;
        }
    }

    /// Stays at one node as long as it answers.
    async fn visit(&self, number: usize, at: usize, had_all: &mut bool) -> Result<(), ClientError> {
        let address = self.nodes[at % self.nodes.len()].to_string();
        let options = Options {
            timeout: Duration::from_secs(2),
            setup_timeout: Duration::from_secs(2),
            health_interval: Duration::from_secs(1),
            ..Options::default()
        };
        let (client, driver, pushes) = connect(&address, options).await?;
        let watch = self.watch(number, &address, client, pushes, had_all);
        tokio::select! { ended = driver.run() => ended, watched = watch => watched }
    }

    async fn watch(
        &self,
        number: usize,
        address: &str,
        client: Client,
        mut pushes: Receiver<Push>,
        had_all: &mut bool,
    ) -> Result<(), ClientError> {
        let ip = ip(number);
        let instance = InstanceBody {
            ip: Text::from(ip.as_str()),
            port: 8080,
            weight: Some(1.0),
            healthy: Some(true),
            enabled: Some(true),
            ephemeral: Some(true),
            cluster_name: Text::from("DEFAULT"),
            metadata: [("client", "session")].into_iter().collect(),
        };
        client.register(GROUP, SERVICE, instance).await?;
        self.tally.note(&format!("client {ip} of gRPC registered at {address}"));
        let told = client.subscribe(GROUP, SERVICE, "").await?;
        let _settled = Settled::new(&self.settled);
        self.check(address, told.hosts.iter().map(|host| host.ip.clone()), had_all);
        let mut ticks = interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                push = pushes.recv() => match push {
                    Some(Push::Service(told)) if told.name.ends_with(SERVICE) => {
                        self.tally.count("pushes");
                        self.check(address, told.hosts.iter().map(|host| host.ip.clone()), had_all);
                    }
                    Some(Push::Reset { .. }) | None => return Err(ClientError::Closed),
                    Some(_) => {}
                },
                _ = ticks.tick() => if self.stop.load(Relaxed) { return Ok(()) },
            }
        }
    }

    /// Once all were there, none may be lacking: each lives somewhere.
    fn check(&self, node: &str, told: impl Iterator<Item = String>, had_all: &mut bool) {
        let told: BTreeSet<String> = told.collect();
        if self.stop.load(Relaxed) {
            return;
        }
        *had_all |= self.hosts.is_subset(&told);
        if *had_all {
            self.tally.lacks(&format!("{node}, to a subscriber,"), SERVICE, &self.hosts, &told);
        }
    }
}

/// One more that is settled, until it is dropped.
struct Settled<'a>(&'a AtomicUsize);

impl<'a> Settled<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Settled<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

fn kind(error: &ClientError) -> &'static str {
    match error {
        ClientError::Connect { .. } => "no connection",
        ClientError::Timeout(_) => "no answer",
        ClientError::Refused { .. } => "refused",
        ClientError::Call(_) | ClientError::Closed => "closed",
        ClientError::Address(_) | ClientError::Unexpected { .. } => "unexpected",
    }
}
