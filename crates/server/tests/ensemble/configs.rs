//! The load on configs: clients that write, swap and read through every node and keep a history, which is checked for
//! linearizability; and a ledger of configs that are written once.

use crate::{
    calls::{self, Written},
    http::Caller,
    tally::Tally,
};
use muster_runtime::Rng;
use muster_simulation::{
    history::{Answer, Asked, Call, NOTHING, Value},
    linearizability,
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// Configs that are in use at one time.
const KEYS: u64 = 4;
/// A config is given up for the next one after this time, so that no history gets long.
const KEY_TIME: Duration = Duration::from_secs(3);
/// Between two calls of a client.
const PAUSE: Duration = Duration::from_millis(15);
/// How long a client waits for an answer: longer than an election and the node's own time limit.
const PATIENCE: Duration = Duration::from_secs(15);

/// What all clients share.
#[derive(Debug, Default)]
struct Shared {
    histories: Mutex<BTreeMap<String, Vec<Call>>>,
    /// Names whose writes were acknowledged; each holds its own name.
    ledger: Mutex<BTreeSet<String>>,
    moments: AtomicU64,
    values: AtomicU32,
    stop: AtomicBool,
}

/// The clients and what they saw.
#[derive(Debug)]
pub(crate) struct Configs {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
}

impl Configs {
    /// Starts so many clients that call all these nodes, and a keeper of the ledger a node.
    pub(crate) fn start(nodes: &[SocketAddr], clients: u32, rng: &mut Rng, tally: &Tally) -> Self {
        let shared = Arc::new(Shared::default());
        let mut running = JoinSet::new();
        for number in 0..clients {
            let client = Client {
                number,
                callers: nodes.iter().map(|node| Caller::new(*node, PATIENCE)).collect(),
                rng: Rng::seeded(rng.next_u64()),
                began: Instant::now(),
                believed: Vec::new(),
                shared: shared.clone(),
                tally: tally.clone(),
            };
            running.spawn(client.run());
        }
        for (number, node) in nodes.iter().enumerate() {
            let caller = Caller::new(*node, PATIENCE);
            running.spawn(Keeper { number, caller, shared: shared.clone(), tally: tally.clone() }.run());
        }
        Self { shared, clients: running }
    }

    /// Names of the ledger that were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> BTreeSet<String> {
        self.shared.ledger.lock().clone()
    }

    /// Lets all clients end, and checks what they saw. How many calls that was.
    pub(crate) async fn finish(mut self, tally: &Tally) -> usize {
        self.shared.stop.store(true, Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        let histories = std::mem::take(&mut *self.shared.histories.lock());
        for (config, calls) in &histories {
            if let Err(why) = linearizability::check(calls) {
                tally.breach(format!("{config} is not linearizable: {why}"));
            }
        }
        histories.values().map(Vec::len).sum()
    }
}

/// One client of the configs.
struct Client {
    number: u32,
    callers: Vec<Caller>,
    rng: Rng,
    began: Instant,
    /// What it believes that the latest configs hold, for swaps.
    believed: Vec<(String, Value)>,
    shared: Arc<Shared>,
    tally: Tally,
}

impl Client {
    async fn run(mut self) {
        while !self.shared.stop.load(Relaxed) {
            self.step().await;
            sleep(PAUSE).await;
        }
    }

    async fn step(&mut self) {
        let age = self.began.elapsed().as_millis() / KEY_TIME.as_millis();
        let config = format!("register-{age}-{}", self.rng.below(KEYS));
        #[expect(clippy::cast_possible_truncation, reason = "a handful of nodes")]
        let node = self.rng.below(self.callers.len() as u64) as usize;
        let asked = self.choose(&config);
        let began = self.shared.moments.fetch_add(1, SeqCst);
        let answer = ask(&mut self.callers[node], &config, asked).await;
        let ended = self.shared.moments.fetch_add(1, SeqCst);
        self.tally.count(match (asked, answer) {
            (_, None) => "config calls that reached nobody",
            (Asked::Read, Some(Answer::Unknown)) => "reads through the barrier without an answer",
            (Asked::Read, _) => "reads through the barrier",
            (_, Some(Answer::Unknown)) => "config writes without an answer",
            _ => "config writes",
        });
        let Some(answer) = answer else { return };
        self.remember(&config, asked, answer);
        let call = Call { client: self.number, asked, began, ended, answer };
        self.shared.histories.lock().entry(config).or_default().push(call);
    }

    fn choose(&mut self, config: &str) -> Asked {
        let new = 1 + self.shared.values.fetch_add(1, Relaxed);
        let believed = self.believed.iter().find(|(known, _)| known == config).map(|(_, value)| *value);
        match (self.rng.below(10), believed) {
            (0..4, _) => Asked::Read,
            (4..8, Some(expected)) => Asked::Swap { expected, new },
            _ => Asked::Publish(new),
        }
    }

    fn remember(&mut self, config: &str, asked: Asked, answer: Answer) {
        let now = match (asked, answer) {
            (Asked::Publish(new) | Asked::Swap { new, .. }, Answer::Published) => new,
            (_, Answer::Found(value)) => value,
            _ => return,
        };
        self.believed.retain(|(known, _)| known != config);
        if self.believed.len() > KEYS as usize {
            self.believed.remove(0);
        }
        if now != NOTHING {
            self.believed.push((config.to_owned(), now));
        }
    }
}

/// Makes a call. None: nobody was reached.
async fn ask(caller: &mut Caller, config: &str, asked: Asked) -> Option<Answer> {
    let written = match asked {
        Asked::Read => {
            return Some(match calls::read(caller, config, true).await {
                Ok(None) => Answer::Found(NOTHING),
                Ok(Some(content)) => Answer::Found(content.parse().expect("only numbers are published")),
                Err(_) => Answer::Unknown,
            });
        }
        Asked::Publish(new) => calls::publish(caller, config, &new.to_string(), None).await,
        Asked::Swap { expected, new } => {
            calls::publish(caller, config, &new.to_string(), Some(&expected.to_string())).await
        }
        Asked::Create(_) | Asked::Remove => unreachable!("no client here asks for that"),
    };
    match written {
        Written::Done => Some(Answer::Published),
        Written::Stale => Some(Answer::Refused),
        Written::Not => None,
        Written::Unknown(_) => Some(Answer::Unknown),
    }
}

/// Writes the ledger through one node.
struct Keeper {
    number: usize,
    caller: Caller,
    shared: Arc<Shared>,
    tally: Tally,
}

impl Keeper {
    async fn run(mut self) {
        let mut serial = 0;
        while !self.shared.stop.load(Relaxed) {
            serial += 1;
            let name = format!("ledger-{}-{serial}", self.number);
            match calls::publish(&mut self.caller, &name, &name, None).await {
                Written::Done => {
                    self.check_own(&name).await;
                    self.shared.ledger.lock().insert(name);
                    self.tally.count("ledger entries");
                }
                Written::Stale => self.tally.breach(format!("{name}: stale, though there was no condition")),
                Written::Not | Written::Unknown(_) => {
                    self.tally.count("ledger entries that were not acknowledged")
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// What a node acknowledged is read at that node at once.
    async fn check_own(&mut self, name: &str) {
        match calls::read(&mut self.caller, name, false).await {
            Ok(Some(content)) if content == name => {}
            Ok(seen) => {
                self.tally.breach(format!("{name} was acknowledged, and then read as {seen:?} at that node"));
            }
            // It was killed meanwhile.
            Err(_) => {}
        }
    }
}
