//! How a kind of watcher is told.

/// What the ids of a watcher's pushes are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushIds {
    /// Of the revision that is pushed, so that one rendered push serves every watcher of the key. For keys whose
    /// revisions are unique over all keys (services). A push of revision 0 (nothing is known of the key) gets a
    /// number instead.
    Revision,
    /// A number that grows with each push of the watcher.
    Sequence,
}

/// How a watcher is told. The three constructors are the kinds that Nacos has; times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether the first watch of a key is followed by a push of the current state even without a change.
    pub push_on_watch: bool,
    /// Whether pushes are acknowledged. If not, a push counts as arrived when it is handed out.
    pub acknowledged: bool,
    /// How many pushes of one key may be unacknowledged (2); beyond that changes coalesce into the newest state.
    pub outstanding_max: usize,
    /// How long an acknowledgement is waited for.
    pub acknowledge_timeout_ms: u64,
    /// Wait before a redelivery, after the time-out.
    pub retry_pause_ms: u64,
    /// What the wait grows by with each try.
    pub retry_step_ms: u64,
    /// Tries of one state after which it is given up; the watch itself stays. 0 is without end.
    pub attempts_max: u32,
    /// Keys the watcher may watch.
    pub keys_max: usize,
    /// What push ids are made of.
    pub ids: PushIds,
}

impl Policy {
    /// A subscriber of services: acknowledged within 5 s, redelivered 1 s later as long as it is subscribed, one
    /// push after the first subscribe.
    pub fn naming(keys_max: usize) -> Self {
        Self {
            push_on_watch: true,
            acknowledged: true,
            outstanding_max: 2,
            acknowledge_timeout_ms: 5_000,
            retry_pause_ms: 1_000,
            retry_step_ms: 0,
            attempts_max: 0,
            keys_max,
            ids: PushIds::Revision,
        }
    }

    /// A listener of configs: acknowledged within 3 s, redelivered after 2 s × tries more, given up after 50
    /// tries. The answer to a listen says what differs, so no push follows it.
    pub fn config(keys_max: usize) -> Self {
        Self {
            push_on_watch: false,
            acknowledge_timeout_ms: 3_000,
            retry_pause_ms: 0,
            retry_step_ms: 2_000,
            attempts_max: 50,
            ids: PushIds::Sequence,
            ..Self::naming(keys_max)
        }
    }

    /// A held request: told of changes once, without acknowledgement. Whoever holds it compares what its client
    /// has, answers, and closes the watcher; or waits on if the change is not for this client.
    pub fn long_poll(keys_max: usize) -> Self {
        Self { push_on_watch: false, acknowledged: false, ids: PushIds::Sequence, ..Self::naming(keys_max) }
    }

    /// A UDP subscriber of services: one datagram unacknowledged, one retry.
    pub fn datagram(keys_max: usize) -> Self {
        Self { push_on_watch: false, outstanding_max: 1, attempts_max: 2, ..Self::naming(keys_max) }
    }

    /// The wait between the time-out of a try and the next one.
    pub(crate) fn retry_after(&self, attempt: u32) -> u64 {
        self.retry_pause_ms.saturating_add(self.retry_step_ms.saturating_mul(u64::from(attempt)))
    }
}
