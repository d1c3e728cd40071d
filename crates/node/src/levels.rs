//! From which format level on every node reads an operation.
//!
//! While a level is in force nothing is proposed that a node of that level could not read, so that each node can go back to
//! the version before. A new kind of operation has to be entered here: the matches have no default. What is new *within* an
//! operation belongs here, too, unless an older program may pass it over.

use crate::{Node, NodeError, doctor::marks::Mark, ensemble::EnsembleOp, op::DurableOp};
use muster_model::Row;
use muster_registry::{Op, OverrideChange};

/// One node, alone: services, configs, locks, switches.
const ALONE: u32 = 1;
/// Ensembles: members, marks, and what is taken over from other servers.
const ENSEMBLES: u32 = 2;

impl DurableOp {
    /// The level it needs.
    pub(crate) fn level(&self) -> u32 {
        match self {
            Self::Registry(op) => of_registry(op),
            Self::Config(op) => of_config(op),
            Self::Lock(_) | Self::ExpireLocks(_) | Self::Switch { .. } => ALONE,
            Self::Ensemble(
                EnsembleOp::Found { .. }
                | EnsembleOp::Recover { .. }
                | EnsembleOp::CreateToken { .. }
                | EnsembleOp::RevokeToken { .. }
                | EnsembleOp::Admit { .. }
                | EnsembleOp::Announce { .. }
                | EnsembleOp::Leave { .. }
                | EnsembleOp::Remove { .. },
            ) => ENSEMBLES,
            Self::Account(Row { .. }) => ENSEMBLES,
            Self::Mark(Mark { .. }) => ENSEMBLES,
        }
    }
}

fn of_registry(op: &Op) -> u32 {
    match op {
        Op::Register(_)
        | Op::Deregister(_)
        | Op::CreateService { .. }
        | Op::UpdateService { .. }
        | Op::UpdateCluster { .. }
        | Op::RemoveService { .. }
        | Op::CreateNamespace { .. }
        | Op::UpdateNamespace { .. }
        | Op::RemoveNamespace { .. } => ALONE,
        Op::Override { change, .. } => match change {
            OverrideChange::Replace(_)
            | OverrideChange::Merge(_)
            | OverrideChange::Patch { .. }
            | OverrideChange::RemoveKeys(_)
            | OverrideChange::Status(_)
            | OverrideChange::Clear => ALONE,
        },
        // Never in the log.
        Op::Beat(_)
        | Op::Close(_)
        | Op::SetHealth(_)
        | Op::ReleaseBrake { .. }
        | Op::EurekaRegister(_)
        | Op::EurekaRenew(_)
        | Op::EurekaStatus(_)
        | Op::EurekaCancel(_)
        | Op::EurekaMetadata(_) => ALONE,
    }
}

fn of_config(op: &muster_config::Op) -> u32 {
    match op {
        muster_config::Op::Publish(_)
        | muster_config::Op::Remove(_)
        | muster_config::Op::ExpireHistory(_)
        | muster_config::Op::Describe(_)
        | muster_config::Op::SetCapacity(..) => ALONE,
        muster_config::Op::TakeOver(_) => ENSEMBLES,
    }
}

/// From which level on history and accounts of another server can be taken over.
pub(crate) const TAKE_OVER: u32 = ENSEMBLES;
/// From which level on members are in the log.
pub(crate) const MEMBERS: u32 = ENSEMBLES;

impl Node {
    /// Refuses what needs a level that is not in force yet.
    pub(crate) fn needs_level(&self, needed: u32) -> Result<(), NodeError> {
        let in_force = self.consensus()?.level();
        if in_force < needed { Err(NodeError::NeedsLevel { needed, in_force }) } else { Ok(()) }
    }
}
