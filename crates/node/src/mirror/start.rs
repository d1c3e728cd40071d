//! What a starting node waits for: the log, then what its peers have, then its own checkpoint.

use crate::{Node, NodeError};
use muster_mirror::{Known, Standing};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// How often it is looked whether there is a leader to wait for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Node {
    /// Waits until everything durable that was acknowledged before the start is applied. A member that has heard no leader
    /// for `join_wait` goes on with what it has: registrations must work in every partition. As long as it hears none it
    /// is ready then, degraded.
    pub async fn catch_up(&self) -> Result<(), NodeError> {
        let mut ready = std::pin::pin!(self.consensus()?.wait_ready());
        loop {
            tokio::select! {
                biased;
                result = &mut ready => return Ok(result?),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if self.is_abandoned()? {
                tracing::warn!("no leader is heard, this node goes on with what it has");
                self.mirroring.is_degraded.store(true, Ordering::Release);
                return Ok(());
            }
        }
    }

    /// Whether there has been no leader for longer than a start may take, and this node was a member before.
    fn is_abandoned(&self) -> Result<bool, NodeError> {
        let consensus = self.consensus()?;
        let standing = consensus.standing();
        let join_wait = self.settings.mirror.join_wait.as_millis() as u64;
        let is_alone = standing.without_leader_ms.is_some_and(|without| without >= join_wait);
        let is_member = || consensus.members().borrow().addresses.contains_key(&self.id);
        Ok(is_alone && standing.applied >= standing.committed && is_member())
    }

    /// Puts back what was registered before the start: what the peers have, and what is in the checkpoint where they
    /// don't know better; and begins to write new checkpoints. Call it when the log is replayed: what is durable decides
    /// of which kind a service is. It ends within `join_wait` of [`Node::start_mirror`], and a moment more for the file.
    pub async fn restore_ephemeral(self: &Arc<Self>) {
        let mirror = self.mirroring.mirror.get();
        // Who joined knows no member before the log told it, and waits for none that it does not know.
        if let Ok(consensus) = self.consensus() {
            self.mirroring.tell(&consensus.members());
        }
        let known = match mirror {
            Some(mirror) => mirror.wait_for_peers().await,
            None => Known::ByNobody,
        };
        self.read_checkpoint(known).await;
        if let Some(mirror) = mirror {
            mirror.tell_again();
            mirror.set_standing(Standing::Restored);
            mirror.wait_for_restored().await;
            mirror.set_standing(Standing::Ready);
        }
        self.mirroring.is_waiting.store(false, Ordering::Release);
        self.write_checkpoints();
    }
}
