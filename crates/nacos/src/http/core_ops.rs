//! Operating the node: its Raft group, its ids.

use super::{Http, trouble::Trouble};
use serde::Deserialize;

/// What ids are given out for. All of them follow the log, so each has the same last one.
pub(crate) const ID_RESOURCES: [&str; 2] = ["config-info-id", "config-history-id"];
/// A command for the Raft group: `{"command":"doSnapshot","value":"","groupId":""}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RaftCommand {
    /// `doSnapshot`; the others of the original need other nodes.
    command: Option<String>,
}

/// How a command went.
pub(crate) enum RaftOutcome {
    /// Nothing was asked for.
    NoCommand,
    Done,
    /// It is none that this node can do, for a reason in words.
    Refused(String),
}

impl Http {
    /// Does what a command says. There is one group, so the `groupId` of the original selects nothing.
    pub(crate) async fn raft(&self, command: &RaftCommand) -> Result<RaftOutcome, Trouble> {
        let Some(command) = command.command.as_deref() else { return Ok(RaftOutcome::NoCommand) };
        Ok(match command {
            "doSnapshot" => {
                self.node.make_snapshot().await?;
                RaftOutcome::Done
            }
            "transferLeader" | "resetRaftCluster" | "removePeer" | "removePeers" | "changePeers" => {
                RaftOutcome::Refused(format!(
                    "{command}: nodes are changed by `muster cluster`, and nobody chooses the leader"
                ))
            }
            other => RaftOutcome::Refused(format!("Not support command : {other}")),
        })
    }

    /// The number of this node among those that give out ids.
    pub(crate) fn worker(&self) -> u64 {
        self.node.id().0
    }

    /// The last id that was given out.
    pub(crate) fn last_id(&self) -> u64 {
        self.node.consensus().map_or(0, |consensus| consensus.applied())
    }
}
