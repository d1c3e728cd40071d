//! Distributed locks: acquire and release.

use crate::{LockOp, Node, NodeError, locks::decode_result, node::unreadable, op::DurableOp};

impl Node {
    /// Acquires or releases a lock; true: it was free, or was held. It never waits for a holder.
    pub async fn lock(&self, op: LockOp) -> Result<bool, NodeError> {
        self.ready()?;
        let result = self.propose(DurableOp::Lock(op)).await?;
        decode_result(&result).ok_or_else(|| unreadable("its version is unknown"))
    }
}
