//! The batcher: collects operations into log entries.
//!
//! There is no task and no timer in it. Who proposes sends the entry itself while fewer than the allowed entries are
//! in flight; else the operation waits, and whoever settles an entry sends the next one with everything that came
//! meanwhile.

use crate::{
    ProposeError, Settings,
    entry::{encode_operations, encode_requests},
    requests::RequestId,
    status::Status,
    types::{Batch, TypeConfig},
    waiters::{Answer, Applied, Waiters},
};
use bytes::Bytes;
use futures_util::FutureExt;
use muster_model::Timestamp;
use muster_runtime::Clock;
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::{Notify, oneshot};

/// Room an operation takes in the queue beside its bytes.
pub(crate) const OP_OVERHEAD: usize = 128;

/// Takes entries to the engine.
pub(crate) trait Submit: Send + Sync + 'static {
    /// Hands an entry over without waiting. False: the engine has stopped.
    fn submit(&self, batch: Batch) -> bool;
}

impl Submit for openraft::Raft<TypeConfig> {
    fn submit(&self, batch: Batch) -> bool {
        // It only ever waits when the core has stopped, to learn why.
        matches!(self.client_write_ff(batch).now_or_never(), Some(Ok(_)))
    }
}

/// The queue of operations and what of it is in flight.
pub(crate) struct Pipeline {
    settings: Settings,
    clock: Arc<dyn Clock>,
    status: Arc<Status>,
    state: Mutex<State>,
    /// Signalled when nothing waits and nothing is in flight.
    idle: Notify,
}

/// An operation that waits to go into an entry.
struct Waiting {
    id: RequestId,
    op: Bytes,
    answer: Answer,
}

/// Where the result of a pushed operation comes.
pub(crate) type Pushed = oneshot::Receiver<Result<Applied, ProposeError>>;

struct State {
    waiting: VecDeque<Waiting>,
    /// Room taken by operations that wait or are in flight.
    bytes: usize,
    in_flight: usize,
    gate: Gate,
}

enum Gate {
    /// Nothing is taken, for this reason.
    Closed(&'static str),
    Open(Arc<dyn Submit>),
    /// What was taken is finished, nothing new is taken.
    Draining(Arc<dyn Submit>),
}

impl Pipeline {
    /// A closed pipeline.
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>, status: Arc<Status>) -> Arc<Self> {
        let state =
            State { waiting: VecDeque::new(), bytes: 0, in_flight: 0, gate: Gate::Closed("starting") };
        Arc::new(Self { settings, clock, status, state: Mutex::new(state), idle: Notify::new() })
    }

    /// From now on proposals are taken.
    pub(crate) fn open(&self, engine: Arc<dyn Submit>) {
        let mut state = self.state.lock();
        if matches!(state.gate, Gate::Closed("starting")) {
            state.gate = Gate::Open(engine);
        }
    }

    /// Takes no more proposals and waits until those taken are settled.
    pub(crate) async fn drain(&self) {
        {
            let mut state = self.state.lock();
            state.gate = match std::mem::replace(&mut state.gate, Gate::Closed("shutting down")) {
                Gate::Open(engine) | Gate::Draining(engine) => Gate::Draining(engine),
                closed @ Gate::Closed(_) => closed,
            };
        }
        loop {
            let idle = self.idle.notified();
            {
                let state = self.state.lock();
                if state.in_flight == 0 && state.waiting.is_empty() {
                    return;
                }
            }
            idle.await;
        }
    }

    /// Takes no more proposals and tells those that wait, but are not in flight, that nothing was written.
    pub(crate) fn close(&self, why: &'static str) {
        let waiting = {
            let mut state = self.state.lock();
            state.gate = Gate::Closed(why);
            let waiting = std::mem::take(&mut state.waiting);
            state.bytes -= waiting.iter().map(|waiting| room(&waiting.op)).sum::<usize>();
            waiting
        };
        for waiting in waiting {
            waiting.answer.send(Err(ProposeError::Unavailable(why))).ok();
        }
        self.idle.notify_waiters();
    }

    /// Entries in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.state.lock().in_flight
    }

    /// Room taken by operations that wait or are in flight.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Queues an operation and sends it at once if few enough entries are in flight.
    pub(crate) fn push(self: &Arc<Self>, id: RequestId, op: Bytes) -> Result<Pushed, ProposeError> {
        let mut state = self.state.lock();
        let pushed = self.queue(&mut state, id, op);
        let sent = self.send(&mut state);
        drop(state);
        sent.finish();
        pushed
    }

    /// As [`Pipeline::push`] for each, so that they go into one entry if they fit.
    pub(crate) fn push_all(
        self: &Arc<Self>,
        ops: impl Iterator<Item = (RequestId, Bytes)>,
    ) -> Vec<Result<Pushed, ProposeError>> {
        let mut state = self.state.lock();
        let pushed = ops.map(|(id, op)| self.queue(&mut state, id, op)).collect();
        let sent = self.send(&mut state);
        drop(state);
        sent.finish();
        pushed
    }

    fn queue(&self, state: &mut State, id: RequestId, op: Bytes) -> Result<Pushed, ProposeError> {
        match state.gate {
            Gate::Closed(why) => return Err(ProposeError::Unavailable(why)),
            Gate::Draining(_) => return Err(ProposeError::Unavailable("shutting down")),
            Gate::Open(_) => {}
        }
        // An operation larger than the whole queue may still go alone.
        if state.bytes > 0 && state.bytes + room(&op) > self.settings.queue_bytes_max {
            return Err(ProposeError::Overloaded { queued_bytes: state.bytes });
        }
        let (answer, result) = oneshot::channel();
        state.bytes += room(&op);
        state.waiting.push_back(Waiting { id, op, answer });
        Ok(result)
    }

    /// An entry was answered or given up: its room is free and the next entry may go.
    pub(crate) fn settled(self: &Arc<Self>, bytes: usize) {
        let mut state = self.state.lock();
        state.in_flight -= 1;
        state.bytes -= bytes;
        let sent = self.send(&mut state);
        let is_idle = state.in_flight == 0 && state.waiting.is_empty();
        drop(state);
        sent.finish();
        if is_idle {
            self.idle.notify_waiters();
        }
    }

    /// Sends entries while there are operations and places. Sending under the lock keeps the order of proposals.
    fn send(self: &Arc<Self>, state: &mut State) -> Sent {
        let mut sent = Sent::default();
        while state.in_flight < self.settings.entries_in_flight_max && !state.waiting.is_empty() {
            let (Gate::Open(engine) | Gate::Draining(engine)) = &state.gate else { break };
            let count = self.entry_ops(&state.waiting);
            let waiting = state.waiting.range(..count);
            let payload = self.encode(waiting.clone());
            let bytes = waiting.map(|waiting| room(&waiting.op)).sum();
            let engine = engine.clone();
            let answers = state.waiting.drain(..count).map(|waiting| waiting.answer).collect();
            let waiters = Waiters::new(answers, bytes, self.clone());
            state.in_flight += 1;
            let is_taken = engine.submit(Batch::new(payload, Some(waiters.clone())));
            if !is_taken {
                state.gate = Gate::Closed("consensus has stopped");
            }
            sent.0.push((waiters, is_taken));
        }
        sent
    }

    /// Nobody but this node proposes to a group of one, and it does not outlive its own proposals: no ids are needed.
    fn encode<'a>(&self, waiting: impl ExactSizeIterator<Item = &'a Waiting> + Clone) -> Bytes {
        if self.status.level() >= 2 && self.status.has_peers() {
            encode_requests(self.now(), waiting.map(|waiting| (waiting.id, &waiting.op)))
        } else {
            encode_operations(self.now(), waiting.map(|waiting| &waiting.op))
        }
    }

    /// How many of the waiting operations make the next entry: at least one.
    fn entry_ops(&self, waiting: &VecDeque<Waiting>) -> usize {
        let mut bytes = 0;
        let fitting = waiting.iter().take(self.settings.entry_ops_max).take_while(|waiting| {
            bytes += waiting.op.len();
            bytes <= self.settings.entry_bytes_max
        });
        fitting.count().max(1)
    }

    fn now(&self) -> Timestamp {
        self.clock.now().wall
    }
}

fn room(op: &Bytes) -> usize {
    op.len() + OP_OVERHEAD
}

/// Who waits for the entries that were sent, and whether the engine took them. A handle of the waiters may be the last
/// one, since the engine may end at any time, and dropping that one takes the lock: so it is kept beyond it.
#[derive(Default)]
#[must_use = "finish it when the lock is released"]
struct Sent(Vec<(Arc<Waiters>, bool)>);

impl Sent {
    fn finish(self) {
        for (waiters, _) in self.0.iter().filter(|(_, is_taken)| !is_taken) {
            waiters.fail(&ProposeError::Unavailable("consensus has stopped"));
        }
    }
}

#[cfg(test)]
mod tests;
