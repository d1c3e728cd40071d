//! The start: what the peers know that we do not, and the other way round.

use super::{Peers, link::Link, queue::Key};
use futures_util::future::join_all;
use muster_model::Timestamp;
use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How long the start waits for peers; those that answer later are compared with us then.
const JOIN_WAIT: Duration = Duration::from_secs(5);

impl Peers {
    /// Joins the peers and stays with them until [`Peers::leave`].
    pub(super) async fn run(&self) {
        let stop = self.tasks.stopping();
        tokio::select! {
            () = stop.cancelled() => return,
            () = self.join() => {}
        }
        // The peers are told of our own end, so they end after it.
        let last = CancellationToken::new();
        for link in &self.links {
            self.tasks.spawn("eureka peer", link.clone().run(last.clone()));
        }
        match &self.ourselves {
            Some(ourselves) => ourselves.stay_registered(self, &stop).await,
            None => stop.cancelled().await,
        }
        last.cancel();
    }

    /// Fetches the peers' registries. What was restored from disk and is listed by none of them was cancelled while we
    /// were away.
    async fn join(&self) {
        let restored: HashSet<Key> =
            self.local.held(Timestamp(0)).map(|held| held.into_keys().collect()).unwrap_or_default();
        let lists = join_all(self.links.iter().map(join_one)).await;
        let answered: Vec<HashSet<Key>> = lists.into_iter().flatten().collect();
        let listed = |key: &Key| answered.iter().any(|list| list.contains(key));
        let gone: Vec<&Key> = restored.iter().filter(|key| !listed(key)).collect();
        if is_believable(restored.len(), gone.len()) {
            let forgotten = gone.iter().filter(|key| self.forget(key)).count();
            tracing::info!(forgotten, peers = answered.len(), "joined the Eureka peers");
        } else {
            tracing::info!(
                kept = gone.len(),
                peers = answered.len(),
                "joined the Eureka peers, which lack much of what was restored"
            );
        }
        self.is_joining.store(false, Ordering::Release);
    }

    /// Removes an instance whose client has not come to us since the start.
    fn forget(&self, key: &Key) -> bool {
        // What another node of ours holds is its own business.
        self.local.is_here(key) && !self.local.is_ours(key) && self.local.forget(key).unwrap_or(false)
    }
}

/// Peers that know less than half of what was restored have lost it themselves: leases decide then.
fn is_believable(restored: usize, gone: usize) -> bool {
    gone * 2 <= restored
}

async fn join_one(link: &Arc<Link>) -> Option<HashSet<Key>> {
    match tokio::time::timeout(JOIN_WAIT, link.compare()).await {
        Ok(Ok(listed)) => Some(listed),
        Ok(Err(error)) => {
            tracing::warn!(peer = %link.state().url, %error, "an Eureka peer could not be joined");
            None
        }
        Err(_) => {
            tracing::warn!(peer = %link.state().url, within = ?JOIN_WAIT, "an Eureka peer did not answer in time");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_that_lost_their_registry_are_not_believed() {
        assert!(is_believable(0, 0) && is_believable(3, 1) && is_believable(2, 1));
        assert!(!is_believable(1, 1) && !is_believable(3, 2));
    }
}
