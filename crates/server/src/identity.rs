//! Which node this process is.

use muster_model::{ClusterId, NodeId};
use muster_storage::data_dir::{DataDir, DataDirError, NodeIdentity};

/// The node that the data directory belongs to. One that belongs to none yet, or is of a version that did not note it,
/// becomes a node that stands alone.
pub(crate) fn settle(dir: &DataDir) -> Result<NodeIdentity, DataDirError> {
    if let Some(identity) = dir.identity()? {
        return Ok(identity);
    }
    let identity = NodeIdentity {
        cluster: new_cluster(),
        node: NodeId(1),
        is_member: false,
        has_begun: dir.holds_data()?,
    };
    dir.set_identity(identity)?;
    Ok(identity)
}

/// An id that no other cluster has.
pub(crate) fn new_cluster() -> ClusterId {
    muster_peer::new_cluster_id()
}
