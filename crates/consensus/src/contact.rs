//! Who was heard when: what leases, elections and the standing are told from.

use crate::types::Membership;
use parking_lot::Mutex;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// After so long without its leader a node may vote for another, and a leader that no majority answered for so long
/// does not count as one. What openraft itself takes for a leader's lease.
pub(crate) const LEASE: Duration = Duration::from_millis(1_000);

/// When which node was heard last.
pub(crate) struct Contacts {
    times: Mutex<Times>,
}

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
        Self { times: Mutex::new(times) }
    }

    /// The leader was heard.
    pub(crate) fn heard_leader(&self) {
        self.times.lock().leader = Some(Instant::now());
    }

    /// For how long no leader was heard.
    pub(crate) fn since_leader(&self) -> Duration {
        let times = self.times.lock();
        times.leader.unwrap_or(times.begun).elapsed()
    }

    /// Whether a leader was heard within the lease.
    pub(crate) fn has_leader(&self) -> bool {
        self.times.lock().leader.is_some_and(|heard| heard.elapsed() < LEASE)
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
            times.followers.get(node).map_or_else(|| times.begun.elapsed(), |answer| answer.sent.elapsed())
        };
        let ages = membership.get_joint_config().iter().map(|voters| {
            let mut ages: Vec<Duration> = voters.iter().map(age).collect();
            ages.sort_unstable();
            ages.get(voters.len() / 2).copied().unwrap_or_default()
        });
        ages.max().unwrap_or_default()
    }
}
