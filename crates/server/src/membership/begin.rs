//! Beginning a cluster with this node: `--cluster-init`. A node that stood alone keeps everything it has.

use super::{Entered, Ground, Prover, form};
use muster_model::NodeId;
use muster_peer::new_cluster_id;
use muster_storage::data_dir::NodeIdentity;
use std::sync::Arc;

pub(super) async fn begin(ground: &Ground<'_>, identity: Option<NodeIdentity>) -> anyhow::Result<Entered> {
    let cluster = identity.map_or_else(new_cluster_id, |identity| identity.cluster);
    let node = identity.map_or(NodeId(1), |identity| identity.node);
    let prover = Arc::new(Prover::of_founder(ground, cluster, node)?);
    // Whether the address is free is found out before anything is decided.
    let links = ground.open(&prover).await?;
    form::note_founders(ground.dir, &[(node, ground.candidate(&prover))])?;
    let identity = NodeIdentity { cluster, node, is_member: true, has_begun: ground.has_data };
    ground.dir.set_identity(identity)?;
    tracing::info!(%cluster, "this node begins a cluster");
    Ok(Entered { is_alone: true, ..ground.entered(identity, links, prover)? })
}
