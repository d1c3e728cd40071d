//! The nodes, on the status page; nothing where there is one.

use super::{escape, push};
use crate::cluster::warnings;
use muster_node::{Node, PeerState};

/// Adds a table of the nodes.
pub(super) fn nodes(html: &mut String, node: &Node) {
    let Ok(status) = node.cluster_status() else { return };
    if status.members.len() < 2 {
        return;
    }
    html.push_str(
        "<h2>Nodes</h2><table><tr><th class=\"n\">node</th><th>role</th><th>state</th><th>clients at</th><th>version</th>\
         <th class=\"n\">applied</th><th class=\"n\">lag</th><th class=\"n\">clients</th></tr>",
    );
    for member in &status.members {
        let role = match (member.is_leader, member.is_voter) {
            (true, _) => "leader",
            (false, true) => "voter",
            (false, false) => "learner",
        };
        let class = if member.state == PeerState::Up { "ok" } else { "wait" };
        let (state, address) = (member.state.as_str(), escape(&member.client_address));
        let figures = member.figures.clone().unwrap_or_default();
        let lag = member.lag.map(|lag| lag.to_string()).unwrap_or_default();
        let (version, applied, clients) = (escape(&figures.version), figures.applied, figures.load.clients);
        let id = member.node.0;
        push(
            html,
            format_args!(
                "<tr><td class=\"n\">{id}</td><td>{role}</td><td class=\"{class}\">{state}</td><td>{address}</td>\
                 <td>{version}</td><td class=\"n\">{applied}</td><td class=\"n\">{lag}</td><td class=\"n\">{clients}</td></tr>"
            ),
        );
    }
    html.push_str("</table>");
    for warning in warnings(&status) {
        push(html, format_args!("<p class=\"wait\">{}</p>", escape(&warning)));
    }
}
