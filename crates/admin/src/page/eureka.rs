//! Who registered over Eureka, as far as the status page shows it.

use super::{SHOWN, escape, more, push};
use muster_model::EurekaStatus;
use muster_node::{
    Node,
    registry::{EurekaApp, EurekaBase},
};

/// The applications that instances registered to over Eureka, by view; nothing if there are none.
pub(super) fn applications(html: &mut String, node: &Node) {
    for base in node.eureka_bases() {
        // While the node starts there is nothing to show.
        let Ok(snapshot) = node.eureka_snapshot(&base) else { return };
        let is_native = |app: &EurekaApp| app.instances.iter().any(|instance| !instance.derived);
        let apps: Vec<&EurekaApp> =
            snapshot.apps.iter().map(|app| &**app).filter(|app| is_native(app)).collect();
        if !apps.is_empty() {
            view(html, &base, &apps);
        }
    }
    html.push_str("<p>What Eureka clients registered and cancelled last: <a href=\"/lastn\">/lastn</a>.</p>");
}

fn view(html: &mut String, base: &EurekaBase, apps: &[&EurekaApp]) {
    let (namespace, group) = (escape(base.namespace.as_str()), escape(base.group.as_str()));
    push(html, format_args!("<h2>Eureka applications in {namespace}, {group}</h2>"));
    html.push_str("<table><tr><th>application</th><th>instances</th></tr>");
    for app in apps.iter().take(SHOWN) {
        push(html, format_args!("<tr><td>{}</td><td>", escape(&app.name)));
        for status in EurekaStatus::ALL.into_iter().rev() {
            instances(html, app, status);
        }
        html.push_str("</td></tr>");
    }
    html.push_str("</table>");
    more(html, apps.len(), SHOWN);
}

/// `UP (2): h1:order:8080, h2:order:8080`, an overridden one with a mark.
fn instances(html: &mut String, app: &EurekaApp, status: EurekaStatus) {
    let found: Vec<_> = app.instances.iter().filter(|instance| instance.status == status).collect();
    if found.is_empty() {
        return;
    }
    let class = if status == EurekaStatus::Up { "ok" } else { "wait" };
    push(
        html,
        format_args!("<div><strong class=\"{class}\">{}</strong> ({}): ", status.as_str(), found.len()),
    );
    let names: Vec<String> = found
        .iter()
        .take(SHOWN)
        .map(|instance| {
            let mark = if instance.overridden == EurekaStatus::Unknown { "" } else { " (overridden)" };
            format!("{}{mark}", escape(instance.id()))
        })
        .collect();
    html.push_str(&names.join(", "));
    html.push_str(if found.len() > SHOWN { ", …</div>" } else { "</div>" });
}
