//! The status page: one plain HTML page, read only.

use crate::AdminState;
use axum::{extract::State, response::Html};
use muster_model::{GroupName, Namespace};
use muster_node::registry::Search;
use std::fmt::Write as _;

/// Services listed on the page; the rest is counted.
const SERVICES_SHOWN: usize = 200;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Muster</title><style>\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;background:#fff}\
h1{margin:0}table{border-collapse:collapse;width:100%;margin:1rem 0}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}th{font-weight:600}\
td.n,th.n{text-align:right}.ok{color:#16793c}.wait{color:#a15c00}small{color:#666}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}th,td{border-color:#444}small{color:#999}}\
</style></head><body>";

/// `GET /`.
pub(crate) async fn page(State(state): State<AdminState>) -> Html<String> {
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
    for namespace in namespaces(&state) {
        services(&mut html, &state, &namespace);
    }
    html.push_str(
        "<p><small>Read only. Metrics: <a href=\"/metrics\">/metrics</a>.</small></p></body></html>\n",
    );
    Html(html)
}

fn namespaces(state: &AdminState) -> Vec<Namespace> {
    let created = state.node.namespaces().into_iter().map(|(id, _)| id);
    std::iter::once(Namespace::default()).chain(created).collect()
}

fn services(html: &mut String, state: &AdminState, namespace: &Namespace) {
    let search = Search {
        namespace,
        group: None::<&GroupName>,
        group_contains: "",
        name_contains: "",
        with_instances: false,
        offset: 0,
        limit: SERVICES_SHOWN,
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
    if found.count > found.items.len() {
        push(html, format_args!("<p>and {} more</p>", found.count - found.items.len()));
    }
}

fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("writing to a String does not fail");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_cannot_inject_markup() {
        assert_eq!(super::escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
