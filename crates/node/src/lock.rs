//! Distributed locks: acquire and release.

use crate::{LockOp, Node, NodeError, machine::Applied, op::DurableOp};

impl Node {
    /// Acquires or releases a lock; true: it was free, or was held. It never waits for a holder.
    pub async fn lock(&self, op: LockOp) -> Result<bool, NodeError> {
        self.ready()?;
        match self.propose(DurableOp::Lock(op)).await? {
            Applied::Lock(result) => Ok(result),
            Applied::Registry(_) | Applied::Config(_) | Applied::Switch | Applied::Ensemble(_) => {
                Err(NodeError::Defect("a lock operation left another result"))
            }
        }
    }
}
