//! One peer: what it has yet to be told, and the task that tells it.

use super::{
    PeerUrl,
    batch::{self, Follow, Item},
    client::{Fault, PeerClient},
    compare::{Step, differences},
    local::Local,
    pace::{Failure, Pace},
    queue::{Due, Key, Queue, Task},
};
use crate::wire::{BatchAction, BatchReply, Declared};
use muster_model::{Monotonic, Timestamp};
use muster_node::NodeError;
use parking_lot::Mutex;
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A peer that was away for longer is compared with us before anything else is sent: what waits may be out of date.
const AWAY_MS: u64 = 3_000;

/// A peer's list may be of so long ago: real servers keep it for 30 s.
const LIST_AGE_MS: u64 = 31_000;

/// When a peer that came back is looked at again, after that: clients may have registered anew there before it heard of
/// overrides. The last look is at a list of after it came back.
const LOOKS_MS: [u64; 3] = [8_000, 18_000, LIST_AGE_MS + 1_000];

/// How long before its list was asked for a peer may have been told of a cancellation, by another node of ours, that the
/// list does not show yet; clocks differ, too.
const TOLD_MS: u64 = 2_000;

/// For the last batch when we end.
const FAREWELL: Duration = Duration::from_secs(1);

/// How a peer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has not been reached since we started.
    Unreached,
    /// Its last answer was one.
    Up,
    /// It gives no usable answer since then.
    Down(Monotonic),
}

/// What is known of a peer, for people and metrics.
#[derive(Clone, Debug)]
pub struct PeerState {
    /// Where it answers, without the password.
    pub url: PeerUrl,
    /// Whether its last answer was one.
    pub is_up: bool,
    /// Changes and heartbeats that wait to be told.
    pub waiting: usize,
    /// Milliseconds since the oldest of them came.
    pub lag_ms: u64,
    /// Changes and heartbeats told since the start.
    pub told: u64,
    /// Tasks dropped because the queue was full; the registries were compared afterwards.
    pub dropped: u64,
}

/// Why a round with a peer did not end well.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Peer(#[from] Fault),
    #[error("read our own registry: {0}")]
    Own(#[from] NodeError),
}

/// What a round was.
enum Round {
    Sent,
    Compared,
    Looked,
}

/// Locks: `state` is held for a moment, never with another lock and never over an await.
pub(super) struct Link {
    client: PeerClient,
    local: Arc<Local>,
    state: Mutex<State>,
    wake: Notify,
}

struct State {
    queue: Queue,
    standing: Standing,
    told: u64,
    /// When to look again whether it lacks an override; soonest first.
    looks: VecDeque<Monotonic>,
    /// When it came back the last time. What was set since then it hears from whoever set it.
    back: Timestamp,
    /// While the peer's list is on its way: instances that changed meanwhile, of which it says nothing.
    settled: Option<HashSet<Key>>,
}

impl Link {
    pub(super) fn new(client: PeerClient, local: Arc<Local>, queue_max: usize) -> Self {
        let queue = Queue::new(queue_max);
        let (standing, looks, back) = (Standing::Unreached, VecDeque::new(), Timestamp(0));
        let state = State { queue, standing, told: 0, looks, back, settled: None };
        Self { client, local, state: Mutex::new(state), wake: Notify::new() }
    }

    /// Adds a task. `keep_ms`: it is not worth sending after that time.
    pub(super) fn tell(&self, key: &Key, action: BatchAction, keep_ms: u64) {
        let now = self.now();
        let is_urgent = {
            let mut state = self.state.lock();
            if let Some(settled) = &mut state.settled {
                settled.insert(key.clone());
            }
            let was_idle = state.queue.due() == Due::Never;
            state.queue.offer(key.clone(), action, now, keep_ms) || was_idle
        };
        if is_urgent {
            self.wake.notify_one();
        }
    }

    /// A peer changed an instance here.
    pub(super) fn heard(&self, key: &Key) {
        if let Some(settled) = &mut self.state.lock().settled {
            settled.insert(key.clone());
        }
    }

    /// How the peer is doing.
    pub(super) fn state(&self) -> PeerState {
        let now = self.now();
        let state = self.state.lock();
        let (waiting, since) = state.queue.backlog();
        PeerState {
            url: self.client.url().clone(),
            is_up: state.standing == Standing::Up,
            waiting,
            lag_ms: since.map_or(0, |since| now.0.saturating_sub(since.0)),
            told: state.told,
            dropped: state.queue.dropped(),
        }
    }

    /// Tells the peer what it is to be told until `stop`, and then what is left.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut pace = Pace::default();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.due() => {}
            }
            let round = tokio::select! {
                () = stop.cancelled() => break,
                round = self.round() => round,
            };
            let trouble = match round {
                Ok(Round::Compared | Round::Looked) => continue,
                Ok(Round::Sent) => {
                    pace.reset();
                    continue;
                }
                Err(trouble) => trouble,
            };
            let pause = match trouble {
                Trouble::Peer(Fault::Network(_)) => pace.pause(Failure::Network),
                Trouble::Peer(Fault::Busy(_)) => pace.pause(Failure::Busy),
                Trouble::Peer(Fault::Refused(_)) | Trouble::Own(_) => pace.pause(Failure::Refused),
            };
            self.fell_out(&trouble);
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        let left = self.state.lock().queue.backlog().0;
        if left > 0 && !matches!(tokio::time::timeout(FAREWELL, self.send()).await, Ok(Ok(()))) {
            tracing::info!(peer = %self.client.url(), left, "an Eureka peer was not told everything");
        }
    }

    /// Compares the peer's registry with ours and makes them equal; what the peer lists.
    pub(super) async fn compare(&self) -> Result<HashSet<Key>, Trouble> {
        self.state.lock().settled = Some(HashSet::new());
        let compared = self.compare_settling().await;
        self.state.lock().settled = None;
        let listed = compared?;
        self.came_back();
        self.look_later();
        Ok(listed)
    }

    async fn compare_settling(&self) -> Result<HashSet<Key>, Trouble> {
        // From here on what goes is noted.
        self.local.node.eureka_snapshot(&self.local.base)?;
        let asked = self.local.node.now().wall;
        let theirs = self.client.fetch(asked.0 as i64).await?;
        let listed: HashSet<Key> = theirs.iter().map(|copy| Key::of(&copy.instance)).collect();
        let held = self.local.held(listed_since(asked))?;
        let mut settled = self.settled(&theirs);
        let gone = self.local.gone_since(Timestamp(asked.0.saturating_sub(TOLD_MS)))?;
        settled.extend(theirs.iter().filter_map(|copy| {
            let key = Key::of(&copy.instance);
            // Not a client that came back since.
            let is_gone = gone.get(&key).is_some_and(|gone| copy.instance.last_dirty <= gone.0 as i64);
            is_gone.then_some(key)
        }));
        let (mut taken, mut told) = (0, 0);
        for step in differences(&held, theirs, &settled) {
            match step {
                Step::TakeOver(copy) if self.is_settled(&Key::of(&copy.instance)) => {}
                Step::TakeOver(copy) => {
                    self.local.take_over(*copy).await?;
                    taken += 1;
                }
                Step::Tell(key, action) => {
                    self.state.lock().queue.offer(key, action, self.now(), u64::MAX);
                    told += 1;
                }
            }
        }
        let (peer, listed_count) = (self.client.url(), listed.len());
        tracing::info!(%peer, listed = listed_count, taken, told, "compared the registry with that of an Eureka peer");
        Ok(listed)
    }

    /// Tells a peer that came back the overrides it lost. Nothing is taken over: its list may be old.
    async fn look_again(&self) -> Result<(), Trouble> {
        let asked = self.local.node.now().wall;
        let theirs = self.client.fetch(asked.0 as i64).await?;
        let back = self.state.lock().back;
        let held = self.local.held(back.min(listed_since(asked)))?;
        let settled = self.settled(&theirs);
        for step in differences(&held, theirs, &settled) {
            if let Step::Tell(key, BatchAction::StatusUpdate) = step {
                self.state.lock().queue.offer(key, BatchAction::StatusUpdate, self.now(), u64::MAX);
            }
        }
        Ok(())
    }

    /// Instances of which the peer's list says nothing, because they changed since, or wait to be told of.
    fn settled(&self, theirs: &[Declared]) -> HashSet<Key> {
        let now = self.local.node.now();
        let mut state = self.state.lock();
        state.queue.set_complete();
        for copy in theirs {
            let key = Key::of(&copy.instance);
            // A client that came back, to the peer, after we were told that it goes.
            let is_back = |gone: Monotonic| {
                let gone_wall = now.wall.0.saturating_sub(now.mono.0.saturating_sub(gone.0));
                copy.instance.last_dirty > gone_wall as i64
            };
            if state.queue.cancelled(&key).is_some_and(is_back) {
                state.queue.withdraw(&key);
            }
        }
        let mut settled = state.settled.clone().unwrap_or_default();
        settled.extend(state.queue.keys().cloned());
        settled
    }

    fn is_settled(&self, key: &Key) -> bool {
        self.state.lock().settled.as_ref().is_some_and(|settled| settled.contains(key))
    }

    /// Waits until there is something to do.
    async fn due(&self) {
        loop {
            let due = {
                let state = self.state.lock();
                if state.standing == Standing::Up && !state.queue.is_incomplete() {
                    state.due(self.now())
                } else {
                    Due::Now
                }
            };
            match due {
                Due::Now => return,
                Due::Never => self.wake.notified().await,
                Due::At(moment) => {
                    let wait = Duration::from_millis(moment.0.saturating_sub(self.now().0));
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(wait) => return,
                    }
                }
            }
        }
    }

    /// The next exchange with the peer: usually a batch.
    async fn round(&self) -> Result<Round, Trouble> {
        let must_compare = {
            let state = self.state.lock();
            match state.standing {
                Standing::Unreached => true,
                Standing::Down(since) if self.now().0.saturating_sub(since.0) >= AWAY_MS => true,
                Standing::Up | Standing::Down(_) => state.queue.is_incomplete(),
            }
        };
        if !must_compare && self.state.lock().take_look(self.now()) {
            self.look_again().await.map(|()| Round::Looked)
        } else if must_compare {
            self.compare().await.map(|_| Round::Compared)
        } else {
            self.send().await.map(|()| Round::Sent)
        }
    }

    /// Sends one batch and does what its answers ask for.
    async fn send(&self) -> Result<(), Trouble> {
        let tasks = self.state.lock().queue.take(self.now());
        let items: Vec<Item> =
            tasks.into_iter().filter_map(|task| Item::new(task, |key| self.local.instance(key))).collect();
        if items.is_empty() {
            // Nothing to say: but whether a peer that was away is back, only an answer tells.
            return if self.state.lock().standing == Standing::Up {
                Ok(())
            } else {
                self.compare().await.map(drop)
            };
        }
        let body = batch::body(&items);
        let tasks: Vec<Task> = items.into_iter().map(|item| item.task).collect();
        let now = self.local.node.now().wall.0 as i64;
        let guard = PutBack { link: self, tasks };
        let replies = match self.client.send(body, now).await {
            Ok(replies) => replies,
            Err(fault) => {
                if let Fault::Refused(_) = fault {
                    // It would be refused again: the comparison that follows finds out what is missing.
                    drop(guard.delivered());
                }
                return Err(fault.into());
            }
        };
        self.came_back();
        self.settle(guard.delivered(), replies).await
    }

    /// The answers of a batch; there must be one for each item, in the same order.
    async fn settle(&self, tasks: Vec<Task>, replies: Vec<BatchReply>) -> Result<(), Trouble> {
        if tasks.len() != replies.len() {
            return Err(Fault::Refused(format!("{} answers to {} items", replies.len(), tasks.len())).into());
        }
        self.state.lock().told += tasks.len() as u64;
        for (task, reply) in tasks.into_iter().zip(replies) {
            match batch::follow(task.action, reply) {
                Follow::Nothing => {}
                Follow::Register if self.local.is_ours(&task.key) => {
                    self.tell(&task.key, BatchAction::Register, u64::MAX);
                }
                Follow::Register => {}
                Follow::TakeOver(copy) => self.local.take_over(*copy).await?,
                Follow::Failed(status) => {
                    let (peer, app, id) = (self.client.url(), &task.key.app, &task.key.id);
                    tracing::warn!(%peer, %app, %id, action = task.action.as_str(), status, "an Eureka peer refused a change");
                }
            }
        }
        Ok(())
    }

    fn came_back(&self) {
        let before = std::mem::replace(&mut self.state.lock().standing, Standing::Up);
        if before != Standing::Up {
            self.look_later();
            tracing::info!(peer = %self.client.url(), "an Eureka peer answers");
        }
    }

    /// From now on the peer is told what happens. What it lost before is found out by looking again.
    fn look_later(&self) {
        let now = self.local.node.now();
        let mut state = self.state.lock();
        state.back = now.wall;
        state.looks = LOOKS_MS.iter().map(|after| now.mono.plus(*after)).collect();
    }

    fn fell_out(&self, trouble: &Trouble) {
        let now = self.now();
        let was_up = {
            let mut state = self.state.lock();
            let was_up = state.standing == Standing::Up;
            if was_up {
                state.standing = Standing::Down(now);
            }
            was_up
        };
        if was_up {
            tracing::warn!(peer = %self.client.url(), error = %trouble, "an Eureka peer does not answer");
        } else {
            tracing::debug!(peer = %self.client.url(), error = %trouble, "an Eureka peer does not answer");
        }
    }

    fn now(&self) -> Monotonic {
        self.local.node.now().mono
    }
}

/// What was set before this is in a list that was asked for at that moment.
fn listed_since(asked: Timestamp) -> Timestamp {
    Timestamp(asked.0.saturating_sub(LIST_AGE_MS))
}

impl State {
    /// When there is something to do with a peer that answers.
    fn due(&self, now: Monotonic) -> Due {
        match (self.looks.front().copied(), self.queue.due()) {
            (Some(look), _) if look <= now => Due::Now,
            (Some(look), Due::At(moment)) => Due::At(look.min(moment)),
            (Some(look), Due::Never) => Due::At(look),
            (_, due) => due,
        }
    }

    /// Whether it is time to look again; then it is not, until the next time.
    fn take_look(&mut self, now: Monotonic) -> bool {
        let is_due = self.looks.front().is_some_and(|look| *look <= now);
        if is_due {
            self.looks.pop_front();
        }
        is_due
    }
}

/// Gives the tasks of a batch back to the queue, unless they were delivered: also when the sending is given up.
struct PutBack<'a> {
    link: &'a Link,
    tasks: Vec<Task>,
}

impl PutBack<'_> {
    fn delivered(mut self) -> Vec<Task> {
        std::mem::take(&mut self.tasks)
    }
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        let tasks = std::mem::take(&mut self.tasks);
        if !tasks.is_empty() {
            self.link.state.lock().queue.put_back(tasks);
        }
    }
}
