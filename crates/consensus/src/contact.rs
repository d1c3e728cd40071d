//! Who was heard when: what leases, elections and the standing are told from.

use crate::types::Membership;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::Instant;

/// After so long without its leader a node may vote for another, and a leader that no majority answered for so long
/// does not count as one. What openraft itself takes for a leader's lease.
pub(crate) const LEASE: Duration = Duration::from_millis(1_500);

/// When which node was heard last.
pub(crate) struct Contacts {
    times: Mutex<Times>,
    /// Messages of a leader that are being worked on: while there are, it counts as heard.
    in_work: AtomicUsize,
    /// Whether this node stops speaking as a leader, so that another becomes one.
    is_resigning: AtomicBool,
}

/// The time that a message of a leader may take before it does not count as being heard.
const WORK_MAX: Duration = Duration::from_secs(10);

struct Times {
    /// When this node began to listen.
    begun: Instant,
    /// When the leader that this node follows was heard last.
    leader: Option<Instant>,
    /// For a leader: when what a follower acknowledged last was sent.
    followers: BTreeMap<u64, Answered>,
}

/// What a follower answered last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    /// When the message that it answered was sent.
    pub(crate) sent: Instant,
    /// Whether it has disk space for more entries.
    pub(crate) has_room: bool,
    /// The newest format level it knows.
    pub(crate) level: u32,
}

impl Contacts {
    pub(crate) fn new() -> Self {
        let times = Times { begun: Instant::now(), leader: None, followers: BTreeMap::new() };
        Self { times: Mutex::new(times), in_work: AtomicUsize::new(0), is_resigning: AtomicBool::new(false) }
    }

    /// The leader was heard.
    pub(crate) fn heard_leader(&self) {
        self.times.lock().leader = Some(Instant::now());
    }

    /// A message of the leader is worked on until the guard is dropped.
    pub(crate) fn works_for_leader(&self) -> impl Drop + '_ {
        self.heard_leader();
        self.in_work.fetch_add(1, Relaxed);
        Work(self)
    }

    /// For how long no leader was heard.
    pub(crate) fn since_leader(&self) -> Duration {
        let times = self.times.lock();
        let since = times.leader.unwrap_or(times.begun).elapsed();
        if self.in_work.load(Relaxed) > 0 && since < WORK_MAX { Duration::ZERO } else { since }
    }

    /// Whether a leader was heard within the lease.
    pub(crate) fn has_leader(&self) -> bool {
        let has_heard = self.times.lock().leader.is_some();
        has_heard && self.since_leader() < LEASE
    }

    /// Stops, or begins again, to speak as a leader.
    pub(crate) fn set_resigning(&self, is_resigning: bool) {
        self.is_resigning.store(is_resigning, Relaxed);
    }

    pub(crate) fn is_resigning(&self) -> bool {
        self.is_resigning.load(Relaxed)
    }

    /// A follower acknowledged a message.
    pub(crate) fn answered(&self, node: u64, answer: Answered) {
        self.times.lock().followers.insert(node, answer);
    }

    /// What a follower acknowledged last.
    pub(crate) fn follower(&self, node: u64) -> Option<Answered> {
        self.times.lock().followers.get(&node).copied()
    }

    /// For how long no majority has answered this node, which counts as answering now.
    pub(crate) fn since_majority(&self, own: u64, membership: &Membership) -> Duration {
        let times = self.times.lock();
        let age = |node: &u64| {
            if *node == own {
                return Duration::ZERO;
            }
            let never = || times.begun.elapsed().max(LEASE);
            times.followers.get(node).map_or_else(never, |answer| answer.sent.elapsed())
        };
        let ages = membership.get_joint_config().iter().map(|voters| {
            let mut ages: Vec<Duration> = voters.iter().map(age).collect();
            ages.sort_unstable();
            ages.get(voters.len() / 2).copied().unwrap_or_default()
        });
        ages.max().unwrap_or_default()
    }
}

struct Work<'a>(&'a Contacts);

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.in_work.fetch_sub(1, Relaxed);
        self.0.heard_leader();
    }
}
