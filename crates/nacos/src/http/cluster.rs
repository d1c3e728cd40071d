//! The nodes, as administrators see them: there is one.

use super::{Http, call::Call, namespaces::form_missing, trouble::Trouble};
use muster_model::{ErrorCode, NodeId};
use muster_nacos_wire::http::{Member, RaftGroup, Refusal, ResultCode};
use serde::de::IgnoredAny;
use std::sync::Arc;

/// Why nobody changes the list of nodes.
pub(crate) const ONE_NODE: &str =
    "this server is one node: there is no list of nodes that a request could change";

/// The states that Nacos knows; ours is the first or the second.
const STATES: [&str; 5] = ["UP", "STARTING", "SUSPICIOUS", "DOWN", "ISOLATION"];

impl Http {
    /// The state of this node.
    pub(crate) fn state(&self) -> &'static str {
        if self.node.is_ready() { STATES[0] } else { STATES[1] }
    }

    /// Where a client has reached this node; a node that listens on all addresses has no better one.
    fn reached(&self, call: &Call) -> (String, u16) {
        (call.info.local.ip().to_string(), self.settings.main_port)
    }

    /// `host:port` of this node.
    pub(crate) fn address(&self, call: &Call) -> String {
        self.member(call).address()
    }

    /// `host:port` of a node.
    pub(crate) fn node_address(&self, call: &Call, _node: NodeId) -> String {
        self.address(call)
    }

    /// All nodes, this one first.
    pub(crate) fn all_members(&self, call: &Call) -> Vec<Member> {
        let (host, port) = self.reached(call);
        let address = format!("{host}:{port}");
        let raft = RaftGroup {
            leader: Some(address.clone()),
            raft_group_member: vec![address],
            term: self.node.consensus().map_or(0, |consensus| consensus.metrics().term),
        };
        vec![Member {
            host,
            port,
            state: self.state(),
            version: self.settings.version.clone(),
            refreshed: self.node.now().wall,
            raft: Arc::new(raft),
            raft_port: port,
        }]
    }

    /// This node.
    pub(crate) fn member(&self, call: &Call) -> Member {
        self.all_members(call).swap_remove(0)
    }

    /// The nodes whose address begins with what the parameter `by` says.
    pub(crate) fn members(&self, call: &Call, by: &str) -> Vec<Member> {
        let start = call.parameters.first(&[by]).unwrap_or_default();
        let mut members = self.all_members(call);
        members.retain(|member| member.address().starts_with(start));
        members
    }

    /// The same, of those in the state that the parameter `state` says.
    pub(crate) fn members_in_state(&self, call: &Call) -> Result<Vec<Member>, Trouble> {
        let mut members = self.members(call, "address");
        if let Some(state) = call.parameters.first(&["state"]) {
            if !STATES.iter().any(|known| known.eq_ignore_ascii_case(state)) {
                return Err(Trouble::Refused(Refusal::Failed {
                    error: ErrorCode::InvalidParameter,
                    code: ResultCode::IllegalState,
                    detail: format!("Illegal state: {state}"),
                }));
            }
            members.retain(|member| member.state.eq_ignore_ascii_case(state));
        }
        Ok(members)
    }

    /// Refuses to change the list of nodes, after the checks of the original.
    pub(crate) fn refuse_nodes(&self, call: &Call) -> Trouble {
        match call.json::<Vec<IgnoredAny>>() {
            Ok(nodes) if nodes.is_empty() => form_missing("nodes"),
            Ok(_) => Trouble::Lacking(ONE_NODE),
            Err(refusal) => refusal.into(),
        }
    }

    /// Refuses to look for nodes elsewhere, after the checks of the original.
    pub(crate) fn refuse_lookup(&self, call: &Call) -> Trouble {
        match call.parameters.get("type") {
            None => form_missing("type"),
            Some("file" | "address-server") => Trouble::Lacking(ONE_NODE),
            Some(other) => Trouble::Refused(Refusal::failed(
                ErrorCode::InvalidParameter,
                format!("The addressing mode exists : {other}, just support : [[file, address-server]]"),
            )),
        }
    }
}
