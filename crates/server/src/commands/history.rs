//! `muster history`: who removed this instance, and why.

use super::{http, output};
use crate::{
    cli::HistoryArgs,
    exit::{Exit, NOT_FOUND},
};
use anyhow::Context;
use jiff::{Timestamp, tz::TimeZone};
use muster_runtime::disk::RealDisk;
use muster_storage::journal::{Journal, JournalFilter, JournalSettings};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One record, as `/muster/v1/history` gives it.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    at: u64,
    instance: String,
    what: String,
    why: String,
    connection: Option<u64>,
    address: Option<String>,
    user: Option<String>,
    revision: u64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Answer {
    changes: Vec<Line>,
    dropped: u64,
    damaged_blocks: u64,
    oldest: Option<u64>,
}

/// Asks a running node.
pub(crate) async fn ask(args: &HistoryArgs) -> anyhow::Result<()> {
    let part = |text: &str| form_urlencoded(text);
    let path = format!(
        "/muster/v1/history?namespace={}&group={}&service={}&instance={}&limit={}",
        part(namespace(args)),
        part(&args.client.group),
        part(&args.name),
        part(args.instance.as_deref().unwrap_or_default()),
        args.limit
    );
    let text = http::text(http::get(&args.client.node.server, &path).await?).await?;
    print(args, &serde_json::from_str(&text).context("read the answer")?)
}

/// Reads the journal of a data directory, also of a node that is stopped.
pub(crate) fn read(args: &HistoryArgs) -> anyhow::Result<()> {
    let dir = args.data_dir.as_ref().context("a data directory is given")?;
    let journal_dir = dir.join(muster_storage::data_dir::JOURNAL);
    if !journal_dir.is_dir() {
        let message = format!("{} is no data directory: it has no journal", dir.display());
        return Err(Exit::new(NOT_FOUND, message).into());
    }
    let filter = JournalFilter {
        namespace: Some(namespace(args).to_owned()),
        group: Some(args.client.group.clone()),
        service: Some(args.name.clone()),
        instance: args.instance.clone(),
        limit: args.limit as usize,
        ..JournalFilter::default()
    };
    let (journal, _) = Journal::open(Arc::new(RealDisk), &journal_dir, JournalSettings::default())
        .with_context(|| format!("open the journal in {}", journal_dir.display()))?;
    let history = journal.query(&filter).context("read the journal")?;
    let line = |change: muster_model::Change| Line {
        at: change.at.0,
        instance: change.instance.to_string(),
        what: change.what.to_owned(),
        why: change.cause.reason.as_str().to_owned(),
        connection: change.cause.actor.connection.map(|id| id.0),
        address: change.cause.actor.address.map(|address| address.to_string()),
        user: change.cause.actor.user.as_deref().map(str::to_owned),
        revision: change.revision.0,
    };
    let answer = Answer {
        changes: history.changes.into_iter().map(line).collect(),
        dropped: history.dropped,
        damaged_blocks: history.damaged_blocks,
        oldest: history.oldest.map(|at| at.0),
    };
    print(args, &answer)
}

fn print(args: &HistoryArgs, answer: &Answer) -> anyhow::Result<()> {
    if args.client.json {
        return output::json(answer);
    }
    let rows = answer.changes.iter().map(|line| {
        let connection = line.connection.map(|id| format!("connection {id}"));
        let who: Vec<String> =
            [line.user.clone(), line.address.clone(), connection].into_iter().flatten().collect();
        [time(line.at), line.instance.clone(), line.what.clone(), line.why.clone(), who.join(", ")]
    });
    if answer.changes.is_empty() {
        output::note(&format!("nothing is recorded of {} in group {}", args.name, args.client.group));
    } else {
        output::table(["WHEN", "INSTANCE", "WHAT", "WHY", "WHO"], rows)?;
    }
    if answer.dropped > 0 {
        output::note(&format!(
            "{} records were dropped in this time, because too much happened at once",
            answer.dropped
        ));
    }
    if answer.damaged_blocks > 0 {
        output::note(&format!("{} blocks of the journal can't be read", answer.damaged_blocks));
    }
    Ok(())
}

/// The namespace as it is recorded: the default one has many spellings and one name.
fn namespace(args: &HistoryArgs) -> &str {
    match args.client.namespace.as_str() {
        "" => "public",
        named => named,
    }
}

/// A moment, from Unix milliseconds.
pub(crate) fn time(ms: u64) -> String {
    match Timestamp::from_millisecond(ms as i64) {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string(),
        Err(_) => ms.to_string(),
    }
}

/// Escapes a text for a query.
pub(super) fn form_urlencoded(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_query() {
        assert_eq!(form_urlencoded("providers:a.B:1.0&x=中"), "providers%3Aa.B%3A1.0%26x%3D%E4%B8%AD");
    }

    #[test]
    fn times_are_utc_with_milliseconds() {
        assert_eq!(time(1_730_000_000_123), "2024-10-27 03:33:20.123Z");
    }
}
