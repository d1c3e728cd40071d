//! What a starting node asks of its peers, and when its own checkpoint counts.

use crate::Node;
use muster_mirror::{Known, Standing};
use std::sync::{Arc, atomic::Ordering};

impl Node {
    /// Puts back what was registered before the start: what the peers have, and what is in the checkpoint where they
    /// don't know better; and begins to write new checkpoints. Call it when the log is replayed: what is durable decides
    /// of which kind a service is. It ends within `join_wait` of [`Node::start_mirror`], and a moment more for the file.
    pub async fn restore_ephemeral(self: &Arc<Self>) {
        let mirror = self.mirroring.mirror.get();
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
