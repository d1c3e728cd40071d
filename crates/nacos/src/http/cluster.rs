//! The nodes, as administrators and clients see them.

use super::{Http, call::Call, namespaces::form_missing, route::Handled, trouble::Trouble};
use muster_model::{ErrorCode, NodeId};
use muster_nacos_wire::http::{Answer, Member, RaftGroup, Refusal, ResultCode, write_list};
use muster_node::{MemberStatus, PeerState};
use serde::de::IgnoredAny;
use std::{net::SocketAddr, sync::Arc};

/// Why nobody changes the list of nodes.
pub(crate) const MEMBERSHIP: &str = "this server takes no list of nodes from a request: join tokens and `muster cluster` decide who belongs to the cluster";

/// The states that Nacos knows.
const STATES: [&str; 5] = ["UP", "STARTING", "SUSPICIOUS", "DOWN", "ISOLATION"];

impl Http {
    /// The state of this node.
    pub(crate) fn state(&self) -> &'static str {
        if self.node.is_ready() { STATES[0] } else { STATES[1] }
    }

    /// `host:port` of this node.
    pub(crate) fn address(&self, call: &Call) -> String {
        self.member(call).address()
    }

    /// `host:port` of a node, as clients are given it; blank if that is not known.
    pub(crate) fn node_address(&self, call: &Call, node: NodeId) -> String {
        let members = self.all_members(call);
        members.iter().find(|(id, _)| *id == node).map(|(_, member)| member.address()).unwrap_or_default()
    }

    /// All nodes, this one first. Others are `SUSPICIOUS` when they did not answer this one's last question, and `DOWN` when they
    /// have not for a while.
    fn all_members(&self, call: &Call) -> Vec<(NodeId, Member)> {
        let (own, port) = (self.node.id(), self.settings.main_port);
        let reached = || SocketAddr::new(call.info.local.ip(), port).to_string();
        let Ok(status) = self.node.cluster_status() else {
            return vec![(own, self.own(&reached(), Arc::default()))];
        };
        let address = |member: &MemberStatus| {
            let is_known = !member.client_address.is_empty();
            if is_known {
                member.client_address.clone()
            } else if member.node == own {
                reached()
            } else {
                member.address.clone()
            }
        };
        let raft = Arc::new(RaftGroup {
            leader: status.members.iter().find(|member| member.is_leader).map(address),
            raft_group_member: status.members.iter().filter(|member| member.is_voter).map(address).collect(),
            term: status.term,
        });
        let member = |member: &MemberStatus| {
            let (address, raft) = (address(member), raft.clone());
            let shown = if member.node == own {
                self.own(&address, raft)
            } else {
                let raft_port = split(&member.address).1.unwrap_or_default();
                let (state, version) = (state_name(member.state), member.version.clone());
                Member { state, version, raft_port, ..self.own(&address, raft) }
            };
            (member.node, shown)
        };
        let mut members: Vec<_> = status.members.iter().map(member).collect();
        members.sort_by_key(|(node, _)| (*node != own, *node));
        if members.first().is_none_or(|(node, _)| *node != own) {
            // It was removed, or is not a member yet.
            members.insert(0, (own, self.own(&reached(), raft)));
        }
        members
    }

    /// This node, at an address.
    fn own(&self, address: &str, raft: Arc<RaftGroup>) -> Member {
        let (host, port) = split(address);
        let port = port.unwrap_or(self.settings.main_port);
        Member {
            host: host.to_owned(),
            port,
            state: self.state(),
            version: self.settings.version.clone(),
            refreshed: self.node.now().wall,
            raft,
            raft_port: port,
        }
    }

    /// The addresses of the nodes that answer clients, as an address server gives them: a line each, ended as NODE's client
    /// splits them (nacos-http 5.4).
    pub(crate) fn server_list(&self, call: &Call) -> Handled {
        let up = self.all_members(call).into_iter().filter(|(_, member)| member.state == STATES[0]);
        let lines: Vec<_> = up.map(|(_, member)| member.address()).collect();
        Ok(Answer::text(200, lines.join("\r\n")).into())
    }

    /// `{"servers":[…]}`, as 1.x lists nodes; with `healthy=true` those that answer.
    pub(crate) fn v1_servers(&self, call: &Call) -> Handled {
        let only_up = call.parameters.flag(&["healthy"], false);
        let mut members = self.members(call, "");
        members.retain(|member| !only_up || member.state == STATES[0]);
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"{\"servers\":");
        write_list(&mut out, &members, |out, member| member.write(out));
        out.push(b'}');
        Ok(Answer::json(out).into())
    }

    /// Whether there are other nodes.
    pub(crate) fn is_cluster(&self) -> bool {
        self.node.cluster_status().is_ok_and(|status| status.members.len() > 1)
    }

    /// This node.
    pub(crate) fn member(&self, call: &Call) -> Member {
        self.all_members(call).swap_remove(0).1
    }

    /// The nodes whose address begins with what the parameter `by` says.
    pub(crate) fn members(&self, call: &Call, by: &str) -> Vec<Member> {
        let start = call.parameters.first(&[by]).unwrap_or_default();
        let members = self.all_members(call).into_iter().map(|(_, member)| member);
        members.filter(|member| member.address().starts_with(start)).collect()
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
            Ok(_) => Trouble::Lacking(MEMBERSHIP),
            Err(refusal) => refusal.into(),
        }
    }

    /// Refuses to look for nodes elsewhere, after the checks of the original.
    pub(crate) fn refuse_lookup(&self, call: &Call) -> Trouble {
        match call.parameters.get("type") {
            None => form_missing("type"),
            Some("file" | "address-server") => Trouble::Lacking(MEMBERSHIP),
            Some(other) => Trouble::Refused(Refusal::failed(
                ErrorCode::InvalidParameter,
                format!("The addressing mode exists : {other}, just support : [[file, address-server]]"),
            )),
        }
    }
}

fn state_name(state: PeerState) -> &'static str {
    match state {
        PeerState::Up => STATES[0],
        PeerState::Starting => STATES[1],
        PeerState::Suspicious => STATES[2],
        PeerState::Down => STATES[3],
    }
}

/// Host, without brackets, and port of an address.
fn split(address: &str) -> (&str, Option<u16>) {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    (host.trim_matches(['[', ']']), port.parse().ok())
}
