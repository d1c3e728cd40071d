//! `muster brakes`: where expiry is held, and letting go.

use super::{
    history::{form_urlencoded, time},
    http, output,
};
use crate::cli::BrakesArgs;
use anyhow::Context;
use serde::{Deserialize, Serialize};

/// One brake, as `/muster/v1/brakes` gives it.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    namespace: String,
    kind: String,
    engaged: bool,
    rule: Option<String>,
    since: Option<u64>,
    released_in_ms: Option<u64>,
    leases: u64,
    silent: u64,
    held: u64,
    lost_last_minute: u64,
    renewals_last_minute: u64,
    renewals_expected: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Answer {
    brakes: Vec<Line>,
    engagements: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Released {
    released: bool,
}

/// Lists the brakes of a node, or releases one.
pub(crate) async fn run(args: &BrakesArgs) -> anyhow::Result<()> {
    let server = &args.node.server;
    let Some(kind) = &args.release else {
        let text = http::text(http::get(server, "/muster/v1/brakes").await?).await?;
        return print(args, &serde_json::from_str(&text).context("read the answer")?);
    };
    let namespace = form_urlencoded(&args.namespace);
    let path = format!("/muster/v1/brakes/release?namespace={namespace}&kind={kind}");
    let text = http::text(http::post(server, &path).await?).await?;
    let answer: Released = serde_json::from_str(&text).context("read the answer")?;
    if args.json {
        return output::json(&answer);
    }
    output::line(if answer.released { "released" } else { "was not engaged" })
}

fn print(args: &BrakesArgs, answer: &Answer) -> anyhow::Result<()> {
    if args.json {
        return output::json(answer);
    }
    if answer.brakes.is_empty() {
        output::note("no instance is kept by beats or renewals");
        return Ok(());
    }
    let rows = answer.brakes.iter().map(|line| {
        [
            line.namespace.clone(),
            line.kind.clone(),
            line.since.map_or("not engaged".to_owned(), |since| format!("engaged since {}", time(since))),
            line.leases.to_string(),
            line.silent.to_string(),
            line.held.to_string(),
            line.rule.clone().unwrap_or_default(),
        ]
    });
    output::table(["NAMESPACE", "KIND", "BRAKE", "LEASES", "SILENT", "HELD", "WHY"], rows)
}
