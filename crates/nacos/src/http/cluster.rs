//! The nodes, as administrators see them: there is one.

use super::{Http, call::Call, namespaces::form_missing, trouble::Trouble};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Member, Refusal, ResultCode};
use serde::de::IgnoredAny;
use std::net::SocketAddr;

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
    pub(crate) fn address(&self, call: &Call) -> SocketAddr {
        SocketAddr::new(call.info.local.ip(), self.settings.main_port)
    }

    /// This node.
    pub(crate) fn member(&self, call: &Call) -> Member<'_> {
        Member {
            address: self.address(call),
            state: self.state(),
            version: &self.settings.version,
            refreshed: self.node.now().wall,
            term: self.node.consensus().map_or(0, |consensus| consensus.metrics().term),
        }
    }

    /// The nodes whose address begins with what the parameter `by` says.
    pub(crate) fn members(&self, call: &Call, by: &str) -> Vec<Member<'_>> {
        let start = call.parameters.first(&[by]).unwrap_or_default();
        let member = self.member(call);
        Some(member).filter(|member| member.address.to_string().starts_with(start)).into_iter().collect()
    }

    /// The same, of those in the state that the parameter `state` says.
    pub(crate) fn members_in_state(&self, call: &Call) -> Result<Vec<Member<'_>>, Trouble> {
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
