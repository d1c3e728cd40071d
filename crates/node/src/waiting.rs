//! Who waits for the result of which proposed operation.

use muster_model::HashMap;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names one proposal of this process. It travels with the operation, so that the apply loop can hand the
/// result to whoever proposed it; an operation that nobody here waits for (a replay) has no taker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ticket(pub(crate) u64);

/// Results on their way from the apply loop to proposers. Bounded by the proposals in flight: a ticket lives
/// from [`Waiting::open`] to [`Waiting::close`].
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    next: AtomicU64,
    open: Mutex<HashMap<Ticket, Option<T>>>,
}

impl<T> Waiting<T> {
    /// Tickets start at a random number, so that those of an earlier life of the process, met again in the
    /// log at start, belong to nobody.
    pub(crate) fn starting_at(first: u64) -> Self {
        Self { next: AtomicU64::new(first), open: Mutex::default() }
    }

    /// A new ticket, whose result will be kept.
    pub(crate) fn open(&self) -> Ticket {
        let ticket = Ticket(self.next.fetch_add(1, Ordering::Relaxed));
        self.open.lock().insert(ticket, None);
        ticket
    }

    /// Hands over the result of an applied operation.
    pub(crate) fn settle(&self, ticket: Ticket, result: T) {
        if let Some(place) = self.open.lock().get_mut(&ticket) {
            *place = Some(result);
        }
    }

    /// Ends the wait and takes the result, if the operation was applied.
    pub(crate) fn close(&self, ticket: Ticket) -> Option<T> {
        self.open.lock().remove(&ticket).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_reaches_only_its_own_ticket() {
        let waiting = Waiting::starting_at(7);
        let (a, b) = (waiting.open(), waiting.open());
        waiting.settle(b, "b");
        waiting.settle(Ticket(99), "nobody's");
        assert_eq!(waiting.close(a), None);
        assert_eq!(waiting.close(b), Some("b"));
        assert_eq!(waiting.close(b), None);
    }
}
