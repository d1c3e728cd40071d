//! The status page: one plain HTML page, read only.

mod cluster;
mod eureka;

use crate::AdminState;
use axum::{
    extract::State,
    http::header,
    response::{Html, IntoResponse},
};
use muster_model::{GroupName, Namespace};
use muster_node::registry::Search;
use muster_transport::Protocol;
use std::fmt::Write as _;

/// Services of a namespace, and connections, listed on the page; the rest is counted.
const SHOWN: usize = 200;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>Muster</title><style>\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;background:#fff}\
h1{margin:0}table{border-collapse:collapse;width:100%;margin:1rem 0}\
th,td{text-align:left;overflow-wrap:anywhere;padding:.3rem .6rem;border-bottom:1px solid #ddd}th{font-weight:600}\
td.n,th.n{text-align:right}.ok{color:#16793c}.wait{color:#a15c00}small{color:#666}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}th,td{border-color:#444}small{color:#999}\
.ok{color:#5fd38d}.wait{color:#f0b060}a{color:#8ab4f8}}\
</style></head><body>";

/// `GET /`.
pub(crate) async fn page(State(state): State<AdminState>) -> impl IntoResponse {
    let node = &state.node;
    let counts = node.registry_counts();
    let (class, health) = if node.is_ready() { ("ok", "ready") } else { ("wait", "starting") };
    let mut html = String::from(HEAD);
    push(&mut html, format_args!("<h1>Muster</h1><p><small>version {}</small></p>", escape(state.version)));
    push(&mut html, format_args!("<p>This node is <strong class=\"{class}\">{health}</strong>.</p><table>"));
    let watch = node.watch_counts();
    for (what, number) in [
        ("services", counts.services),
        ("instances", counts.instances),
        ("configs", node.config_count()),
        ("connections", state.connections.count()),
        ("watched services", watch.services),
        ("configs listened to", watch.configs),
    ] {
        push(&mut html, format_args!("<tr><td>{what}</td><td class=\"n\">{number}</td></tr>"));
    }
    html.push_str("</table>");
    cluster::nodes(&mut html, node);
    brakes(&mut html, &state);
    for namespace in node.service_namespaces() {
        services(&mut html, &state, &namespace);
    }
    eureka::applications(&mut html, node);
    connections(&mut html, &state);
    html.push_str(
        "<p><small>Read only. Metrics: <a href=\"/metrics\">/metrics</a>.</small></p></body></html>\n",
    );
    // Nothing but its own style sheet: a name that slipped through the escapes could still do nothing.
    ([(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")], Html(html))
}

/// The leases, and where their expiry is held and how to let go.
fn brakes(html: &mut String, state: &AdminState) {
    let (now, brakes) = (state.node.now().wall, state.node.brakes());
    if brakes.is_empty() {
        return;
    }
    html.push_str(
        "<h2>Leases</h2><table><tr><th>namespace</th><th>kept by</th><th class=\"n\">leases</th><th class=\"n\">silent\
         </th><th class=\"n\">lost in the last minute</th><th>expiry</th></tr>",
    );
    for brake in &brakes {
        let (namespace, kind) = (escape(brake.namespace.as_str()), brake.kind.as_str());
        let expiry = match (brake.rule, brake.since) {
            (Some(rule), Some(since)) => format!(
                "<strong class=\"wait\">held</strong> for {} min: {}. Instances that fell silent are listed as before. \
                 <code>muster brakes --namespace {namespace} --release {kind}</code> lets them go.",
                now.0.saturating_sub(since.0) / 60_000,
                rule.as_str()
            ),
            _ => "<span class=\"ok\">as ever</span>".to_owned(),
        };
        let (leases, silent, lost) = (brake.leases, brake.silent, brake.lost_last_minute);
        push(
            html,
            format_args!(
                "<tr><td>{namespace}</td><td>{kind}</td><td class=\"n\">{leases}</td><td class=\"n\">{silent}</td>\
                 <td class=\"n\">{lost}</td><td>{expiry}</td></tr>"
            ),
        );
    }
    html.push_str("</table>");
}

fn services(html: &mut String, state: &AdminState, namespace: &Namespace) {
    let search = Search {
        namespace,
        group: None::<&GroupName>,
        group_contains: "",
        name_contains: "",
        with_instances: false,
        offset: 0,
        limit: SHOWN,
    };
    let found = state.node.search_services(search);
    if found.count == 0 {
        return;
    }
    push(html, format_args!("<h2>Services in {}</h2>", escape(namespace.as_str())));
    html.push_str("<table><tr><th>group</th><th>service</th><th class=\"n\">instances</th><th class=\"n\">healthy</th></tr>");
    for service in &found.items {
        let view = state.node.view(&service.key);
        let healthy = view.hosts.iter().filter(|host| host.healthy && host.enabled).count();
        let (group, name) = (escape(service.key.group().as_str()), escape(service.key.name().as_str()));
        push(
            html,
            format_args!(
                "<tr><td>{group}</td><td>{name}</td><td class=\"n\">{}</td><td class=\"n\">{healthy}</td></tr>",
                view.hosts.len()
            ),
        );
    }
    html.push_str("</table>");
    more(html, found.count, found.items.len());
}

/// Who is connected, those first that have been for longest.
fn connections(html: &mut String, state: &AdminState) {
    let mut open = state.connections.all();
    open.sort_by_key(|connection| connection.id());
    let now = state.node.now().wall;
    html.push_str("<h2>Connections</h2><table><tr><th>from</th><th>to</th><th>protocol</th><th class=\"n\">open for</th></tr>");
    for connection in open.iter().take(SHOWN) {
        let info = connection.info();
        let protocol = match connection.protocol() {
            Protocol::Http1 => "HTTP/1.1",
            Protocol::Http2 => "HTTP/2, gRPC",
            Protocol::Unknown => "",
        };
        let seconds = now.0.saturating_sub(connection.opened().0) / 1_000;
        let (from, to) = (info.remote, info.local);
        push(
            html,
            format_args!(
                "<tr><td>{from}</td><td>{to}</td><td>{protocol}</td><td class=\"n\">{seconds} s</td></tr>"
            ),
        );
    }
    html.push_str("</table>");
    more(html, open.len(), SHOWN);
}

/// What the list above left out.
fn more(html: &mut String, count: usize, shown: usize) {
    if count > shown {
        push(html, format_args!("<p>and {} more</p>", count - shown));
    }
}

fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("writing to a String does not fail");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_cannot_inject_markup() {
        assert_eq!(super::escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
