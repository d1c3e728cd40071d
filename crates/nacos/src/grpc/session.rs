//! One Nacos connection: a TCP connection with its unary calls and its stream.

use super::moving::is_within;
use bytes::Bytes;
use muster_model::{Actor, Monotonic, Reason};
use muster_nacos_wire::grpc::{ConnectionSetupRequest, Payload};
use muster_node::config::ClientLabels;
use muster_node::{ServiceView, Watcher};
use muster_transport::ConnectionInfo;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, oneshot};
use tonic::Status;

/// Messages besides pushes (detections, resets) that may wait for one client. A client that leaves so many unread
/// is not there: further ones are dropped, and the detection closes it.
const CONTROL_MAX: usize = 64;

/// How long a unary request waits for a set-up that is under way: Java ≤ 2.2, Go and Rust send their first request
/// 0 to 100 ms after the set-up, and throw the server away on a 301 (nacos-grpc T4).
const SETUP_PATIENCE: Duration = Duration::from_secs(2);

/// How long a unary request waits for the stream that the set-up comes on. Both may be there and be taken up in
/// either order, because each is served by a task of its own.
const STREAM_PATIENCE: Duration = Duration::from_millis(100);

/// What a client said of itself when it set up.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Name and version.
    pub(crate) client_version: String,
    /// Whether naming operations that publish are allowed on it.
    pub(crate) is_naming: bool,
    /// The application, "" if it named none.
    pub(crate) app_name: String,
    /// What gray rules of configs select by.
    pub(crate) labels: ClientLabels,
}

impl Setup {
    /// Reads a set-up; `client_ip` is the address the client declares, for gray rules and display only.
    pub(crate) fn of(request: &ConnectionSetupRequest<'_>, client_ip: &str) -> Self {
        let others = request
            .labels
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("app_")?.to_owned(), value.to_owned())));
        Self {
            client_version: request.client_version.as_str().to_owned(),
            is_naming: matches!(request.module(), "naming" | "ai"),
            app_name: request.app_name().to_owned(),
            labels: ClientLabels {
                ip: client_ip.to_owned(),
                tag: request.config_tag().map(str::to_owned),
                others: others.collect(),
            },
        }
    }
}

/// A Nacos connection. The table of sessions holds it until the TCP connection closes.
pub(crate) struct Session {
    pub(crate) info: ConnectionInfo,
    /// `<ms>_<ip>_<port>`, as clients and administrators see it.
    pub(crate) name: String,
    pub(crate) actor: Actor,
    pub(crate) watcher: Watcher,
    setup: OnceLock<Setup>,
    /// Told when the stream opens or ends, and when the set-up is there.
    changed: Notify,
    has_stream: AtomicBool,
    /// When the stream ended, on the monotonic clock; 0 while it has not.
    ended_at: AtomicU64,
    /// What the stream ends with, if not well; taken by the stream.
    failure: Mutex<Option<Status>>,
    control: Mutex<VecDeque<Payload>>,
    /// Requests of ours whose answers somebody waits for, by request id.
    asked: Mutex<HashMap<u64, oneshot::Sender<Bytes>>>,
    /// When the unanswered detection was sent, 0 if none is out.
    detected_at: AtomicU64,
    /// When its client was last asked to move, 0 if it never was.
    asked_to_move_at: AtomicU64,
    /// Why the connection is being closed, where it was us.
    closing: OnceLock<Reason>,
    next_id: AtomicU64,
}

impl Session {
    pub(crate) fn new(info: ConnectionInfo, name: String, watcher: Watcher) -> Arc<Self> {
        let actor = Actor { connection: Some(info.id), address: Some(info.remote.ip()), user: None };
        Arc::new(Self {
            info,
            name,
            actor,
            watcher,
            setup: OnceLock::new(),
            changed: Notify::new(),
            has_stream: AtomicBool::new(false),
            ended_at: AtomicU64::new(0),
            failure: Mutex::default(),
            control: Mutex::default(),
            asked: Mutex::default(),
            detected_at: AtomicU64::new(0),
            asked_to_move_at: AtomicU64::new(0),
            closing: OnceLock::new(),
            next_id: AtomicU64::new(1),
        })
    }

    /// The address a service goes by that chooses for the one who asks: the one the client declares. Empty where the
    /// service shows everyone the same.
    pub(crate) fn consumer_of(&self, view: &ServiceView) -> String {
        if view.is_shared() {
            return String::new();
        }
        self.client_ip()
    }

    /// The address the client declares, else the one it comes from; for display and choice only.
    pub(crate) fn client_ip(&self) -> String {
        match self.setup() {
            Some(setup) if !setup.labels.ip.is_empty() => setup.labels.ip.clone(),
            Some(_) | None => self.info.remote.ip().to_string(),
        }
    }

    /// What the client said of itself, once it has set up.
    pub(crate) fn setup(&self) -> Option<&Setup> {
        self.setup.get()
    }

    /// The set-up, waited for a little while it may be on its way.
    pub(crate) async fn await_setup(&self) -> Option<&Setup> {
        if self.setup.get().is_none() {
            self.wait(STREAM_PATIENCE, || self.has_stream.load(Ordering::Acquire)).await;
            if self.has_stream.load(Ordering::Acquire) {
                self.wait(SETUP_PATIENCE, || self.setup.get().is_some() || self.is_ended()).await;
            }
        }
        self.setup.get()
    }

    async fn wait(&self, limit: Duration, done: impl Fn() -> bool) {
        let waiting = async {
            loop {
                // Counts from its making, so what happens during the look is not missed.
                let changed = self.changed.notified();
                if done() {
                    return;
                }
                changed.await;
            }
        };
        // Elapsed or done: the caller looks once more.
        drop(tokio::time::timeout(limit, waiting).await);
    }

    /// Takes the set-up; false if there was one, which stays.
    pub(crate) fn set_up(&self, setup: Setup) -> bool {
        let first = self.setup.set(setup).is_ok();
        self.changed.notify_waiters();
        first
    }

    /// The one stream of the connection is open; false if there is one already.
    pub(crate) fn open_stream(&self) -> bool {
        let first = !self.has_stream.swap(true, Ordering::AcqRel);
        self.changed.notify_waiters();
        first
    }

    /// The stream is over, well or with a failure that the client is told: nothing can be pushed any more. The first
    /// end counts.
    pub(crate) fn end(&self, now: Monotonic, failure: Option<Status>) {
        let mut told = self.failure.lock();
        if self.ended_at.compare_exchange(0, now.0.max(1), Ordering::AcqRel, Ordering::Acquire).is_ok() {
            *told = failure;
        }
        drop(told);
        self.changed.notify_waiters();
        self.watcher.wake();
    }

    /// Since when the stream is over.
    pub(crate) fn ended_since(&self) -> Option<Monotonic> {
        Some(self.ended_at.load(Ordering::Acquire)).filter(|since| *since > 0).map(Monotonic)
    }

    /// Whether the stream is over.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended_since().is_some()
    }

    /// What an ended stream ends with; given once.
    pub(crate) fn take_failure(&self) -> Option<Status> {
        self.failure.lock().take()
    }

    /// Queues a message that is no push of a watch; false if the client reads nothing.
    pub(crate) fn send(&self, payload: Payload) -> bool {
        let mut control = self.control.lock();
        if control.len() >= CONTROL_MAX {
            return false;
        }
        control.push_back(payload);
        drop(control);
        self.watcher.wake();
        true
    }

    /// The next such message.
    pub(crate) fn take_control(&self) -> Option<Payload> {
        self.control.lock().pop_front()
    }

    /// A request id for a message that is no push of a watch.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits for the answer to a request of ours under an id.
    pub(crate) fn expect_answer(&self, id: u64) -> oneshot::Receiver<Bytes> {
        let (sender, receiver) = oneshot::channel();
        let mut asked = self.asked.lock();
        asked.retain(|_, waiting| !waiting.is_closed());
        asked.insert(id, sender);
        receiver
    }

    /// Hands an answer to whoever waits for it.
    pub(crate) fn answered(&self, id: u64, body: Bytes) {
        if let Some(waiting) = self.asked.lock().remove(&id) {
            // Nobody waits any more: the answer came too late.
            drop(waiting.send(body));
        }
    }

    /// Notes that a detection is out; gives since when, if one was out already.
    pub(crate) fn detect(&self, now: Monotonic) -> Option<Monotonic> {
        match self.detected_at.compare_exchange(0, now.0, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => None,
            Err(since) => Some(Monotonic(since)),
        }
    }

    /// The client gave a sign of life.
    pub(crate) fn is_alive(&self) {
        self.detected_at.store(0, Ordering::Release);
    }

    /// Its client is being asked to move to another node.
    pub(super) fn asked_to_move(&self, now: Monotonic) {
        self.asked_to_move_at.store(now.0.max(1), Ordering::Release);
    }

    /// Whether its client was asked to move, within a time before now.
    pub(super) fn was_asked(&self, now: Monotonic, within: Duration) -> bool {
        let asked = self.asked_to_move_at.load(Ordering::Acquire);
        asked > 0 && is_within(within, Monotonic(asked), now).is_some()
    }

    /// Whether it ends without our doing.
    pub(super) fn is_leaving_by_itself(&self) -> bool {
        self.closing.get().is_none()
    }

    /// Says why the connection is about to be closed by us.
    pub(crate) fn closing(&self, reason: Reason) {
        // The first reason stays.
        self.closing.get_or_init(|| reason);
    }

    /// Why it closed, for the flight recorder.
    pub(crate) fn close_reason(&self) -> Reason {
        self.closing.get().copied().unwrap_or(Reason::ConnectionLost)
    }
}
