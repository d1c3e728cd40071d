//! Pages beside the registry: `status` and `/lastn`.

use crate::{
    edge::{Call, Edge},
    negotiate,
    peers::PeerState,
    reply::{self, Failure},
    wire::Format,
};
use axum::{
    extract::{Request, State},
    response::{Html, IntoResponse as _, Response},
};
use http::{StatusCode, header};
use muster_model::Timestamp;
use muster_node::registry::EurekaEvent;
use muster_transport::{ConnectionInfo, Surface, Surfaces};
use std::{fmt::Write as _, sync::Arc};

/// Where the pages for people are found.
const PAGES: Surfaces = Surfaces::of(&[Surface::Eureka, Surface::Console]);

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
<title>Eureka: last leases</title><style>\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;background:#fff}\
table{border-collapse:collapse;width:100%;margin:1rem 0}\
th,td{text-align:left;overflow-wrap:anywhere;padding:.3rem .6rem;border-bottom:1px solid #ddd}th{font-weight:600}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}th,td{border-color:#444}a{color:#8ab4f8}}\
</style></head><body><h1>Last 1000 leases</h1>";

/// A part of the status: its name and its figures.
type Section = (&'static str, Vec<(&'static str, String)>);

impl Edge {
    /// `GET status`: the figures of the original's `StatusInfo`, by the names of its XML, as far as they are true of this
    /// process. Of the original's JSON form nothing is known: it fails.
    pub(crate) fn status(&self, call: &Call<'_>) -> Result<Response, Failure> {
        let format = negotiate::item_format(&call.parts.headers);
        let peers = self.peers.states();
        let urls = |of: &dyn Fn(&PeerState) -> bool| {
            peers
                .iter()
                .filter(|peer| of(peer))
                .map(|peer| peer.url.to_string())
                .collect::<Vec<_>>()
                .join(",")
        };
        let replicas = vec![
            ("registered-replicas", urls(&|_| true)),
            ("available-replicas", urls(&|peer| peer.is_up)),
            ("unavailable-replicas", urls(&|peer| !peer.is_up)),
        ];
        let instance = vec![("ipAddr", call.info.local.ip().to_string()), ("status", "UP".to_owned())];
        let sections =
            [("generalStats", self.general()), ("applicationStats", replicas), ("instanceInfo", instance)];
        let body = match format {
            Format::Json => status_json(&sections),
            Format::Xml => status_xml(&sections),
        };
        Ok(reply::body(StatusCode::OK, format, body.into()))
    }

    fn general(&self) -> Vec<(&'static str, String)> {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let mut general = vec![("num-of-cpus", cpus.to_string())];
        let memory = std::fs::read_to_string("/proc/self/status").ok();
        if let Some(kib) = memory.as_deref().and_then(resident_kib) {
            general.push(("current-memory-usage", format!("{}mb", kib >> 10)));
        }
        general.push(("server-uptime", uptime(self.node.now().mono.0 / 60_000)));
        general
    }
}

fn status_json(sections: &[Section]) -> Vec<u8> {
    let object = |figures: &[(&'static str, String)]| {
        let members = figures.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into()));
        serde_json::Value::Object(members.collect())
    };
    let status: serde_json::Map<_, _> =
        sections.iter().map(|(name, figures)| ((*name).to_owned(), object(figures))).collect();
    serde_json::Value::Object(status).to_string().into_bytes()
}

fn status_xml(sections: &[Section]) -> Vec<u8> {
    let mut xml = String::from("<com.netflix.eureka.util.StatusInfo>");
    for (section, figures) in sections {
        push(&mut xml, format_args!("<{section}>"));
        figures
            .iter()
            .for_each(|(name, value)| push(&mut xml, format_args!("<{name}>{}</{name}>", escape(value))));
        push(&mut xml, format_args!("</{section}>"));
    }
    xml.push_str("</com.netflix.eureka.util.StatusInfo>");
    xml.into_bytes()
}

/// `GET /lastn`: what registered and what was cancelled, newest first.
pub(crate) async fn last_leases(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let info = request.extensions().get::<ConnectionInfo>();
    if !info.is_some_and(|info| info.surfaces.meets(PAGES)) {
        return reply::status(StatusCode::NOT_FOUND);
    }
    let mut html = String::from(HEAD);
    events(&mut html, "Cancelled leases", &edge.node.eureka_last_cancelled());
    events(&mut html, "Registered leases", &edge.node.eureka_last_registered());
    html.push_str("</body></html>\n");
    // Nothing but its own style sheet: a name that slipped through the escapes could still do nothing.
    let policy = (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'");
    ([policy], Html(html)).into_response()
}

fn events(html: &mut String, title: &str, events: &[EurekaEvent]) {
    push(html, format_args!("<h2>{title}</h2>"));
    if events.is_empty() {
        html.push_str("<p>No results available</p>");
        return;
    }
    html.push_str("<table><tr><th>time</th><th>lease</th></tr>");
    for event in events {
        let (app, id) = (escape(&event.app), escape(&event.id));
        push(html, format_args!("<tr><td>{}</td><td>{app}({id})</td></tr>", utc(event.at)));
    }
    html.push_str("</table>");
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part).expect("writing to a String does not fail");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// A time as `2026-11-24T22:00:00Z` (Howard Hinnant's `civil_from_days`).
fn utc(time: Timestamp) -> String {
    let (days, second) = (time.0 / 86_400_000, time.0 / 1_000 % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `[N day(s) ]HH:MM`, as the original's dashboard has it.
fn uptime(minutes: u64) -> String {
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    let days = match days {
        0 => String::new(),
        1 => "1 day ".to_owned(),
        days => format!("{days} days "),
    };
    format!("{days}{hours:02}:{minutes:02}")
}

/// `VmRSS` of a `/proc/…/status`.
fn resident_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_people_read_them() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696_000, "2000-02-29T12:34:56Z"),
            (1_795_252_749_153, "2026-11-21T09:19:09Z"),
        ] {
            assert_eq!(utc(Timestamp(time)), text);
        }
        for (minutes, text) in [(0, "00:00"), (71, "01:11"), (1_441, "1 day 00:01"), (3_000, "2 days 02:00")]
        {
            assert_eq!(uptime(minutes), text);
        }
    }

    #[test]
    fn memory_is_read_from_the_line_that_has_it() {
        assert_eq!(resident_kib("VmPeak:\t  9 kB\nVmRSS:\t   2048 kB\n"), Some(2_048));
        assert_eq!(resident_kib("x"), None);
    }
}
