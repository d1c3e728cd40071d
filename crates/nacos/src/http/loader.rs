//! The connections of clients, and moving them to other nodes.

use super::{Http, call::Call, refuse, trouble::Trouble};
use crate::SessionSummary;
use muster_model::{ErrorCode, Timestamp};
use muster_nacos_wire::http::{ClientConnection, NodeLoad, NodeLoads};
use muster_node::{AskedNode, ClientLoad, ClientTarget};

/// How far from the mean a node may be before clients are moved, where a request does not say.
pub(crate) const FACTOR: &str = "0.1";

/// `host:port` of a redirect.
pub(crate) type Target<'a> = Option<(&'a str, u16)>;

/// Where clients should go instead, if the request says.
pub(crate) fn target(call: &Call) -> Result<Target<'_>, Trouble> {
    let Some(address) = call.parameters.first(&["redirectAddress"]) else { return Ok(None) };
    let parsed = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    parsed.map(Some).ok_or_else(|| {
        refuse(ErrorCode::InvalidParameter, format!("redirectAddress is no host:port: {address}"))
    })
}

impl Http {
    /// Writes the map from connection ids to connections.
    pub(crate) fn write_connections(&self, out: &mut Vec<u8>, is_v3: bool) {
        let now = self.node.now();
        let summaries = self.sessions.summaries();
        out.push(b'{');
        for (at, summary) in summaries.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            // A name is digits, an address and hyphens: nothing to escape.
            out.push(b'"');
            out.extend_from_slice(summary.name.as_bytes());
            out.extend_from_slice(b"\":");
            let active = Timestamp(now.wall.0.saturating_sub(now.mono.since(summary.active)));
            shown(summary, active).write(out, is_v3);
        }
        out.push(b'}');
    }

    /// How busy the nodes are.
    pub(crate) async fn loads(&self, call: &Call) -> NodeLoads {
        let loads = self.node.ask_nodes().await;
        let address = |node| self.node_address(call, node);
        let of = |node: &AskedNode| {
            let ClientLoad { clients, connections, load, cpu } = node.figures.as_ref()?.load;
            Some(NodeLoad { address: address(node.node), clients, connections, load, cpu })
        };
        NodeLoads { nodes: loads.iter().filter_map(of).collect(), member_count: loads.len() }
    }

    /// Keeps the oldest so many clients and asks the others to move, some each second.
    pub(crate) async fn keep_clients(&self, count: u64, target: Target<'_>) {
        let target = target.map(|(host, port)| ClientTarget { host: host.to_owned(), port });
        self.node.keep_clients(self.node.id(), count, target).await;
    }

    /// Moves clients from nodes that have many to nodes that have few, with the `loaderFactor` given, some each second;
    /// false if a node that should let some go does not answer.
    pub(crate) async fn rebalance(&self, factor: f32) -> bool {
        self.node.rebalance_clients(f64::from(factor)).await
    }
}

fn shown(summary: &SessionSummary, active: Timestamp) -> ClientConnection<'_> {
    let labels = &summary.labels;
    ClientConnection {
        id: &summary.name,
        client_ip: &labels.ip,
        remote: summary.remote,
        local_port: summary.local_port,
        version: &summary.client_version,
        app_name: &summary.app_name,
        module: if summary.is_naming { "naming" } else { "config" },
        tag: labels.tag.as_deref(),
        app_labels: labels.others.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
        created: summary.opened,
        active,
    }
}
