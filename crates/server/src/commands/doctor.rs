//! `muster doctor`: whether the nodes agree, and are well.

use super::{http, output};
use crate::{cli::DoctorArgs, exit::Exit};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The exit code if something is wrong.
const FOUND: u8 = 1;
/// The width of what is said, so that it can be read.
const WIDTH: u16 = 110;

#[derive(Debug, Deserialize, Serialize)]
struct Finding {
    check: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<u64>,
    what: String,
    advice: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Checked {
    check: String,
    what: String,
}

/// What `/muster/v1/cluster/doctor` answers.
#[derive(Debug, Deserialize, Serialize)]
struct Answer {
    healthy: bool,
    findings: Vec<Finding>,
    checked: Vec<Checked>,
    nodes: Vec<Value>,
}

/// Has a node examine all of them, and prints what came of it.
pub(crate) async fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let text = http::text(http::get(&args.node.server, "/muster/v1/cluster/doctor").await?).await?;
    let answer: Answer = serde_json::from_str(&text).context("read the answer")?;
    if args.json {
        output::json(&answer)?;
    } else {
        print(&answer)?;
    }
    match answer.findings.len() {
        0 => Ok(()),
        1 => Err(Exit::new(FOUND, "one thing is wrong").into()),
        count => Err(Exit::new(FOUND, format!("{count} things are wrong")).into()),
    }
}

fn print(answer: &Answer) -> anyhow::Result<()> {
    let wrong = |check: &str| answer.findings.iter().filter(|finding| finding.check == check).count();
    let rows = answer.checked.iter().map(|checked| {
        let result = match wrong(&checked.check) {
            0 => "ok".to_owned(),
            count => format!("{count} wrong"),
        };
        [checked.check.clone(), result, checked.what.clone()]
    });
    output::wrapped(WIDTH, ["CHECK", "RESULT", "WHAT WAS LOOKED AT"], rows)?;
    if answer.findings.is_empty() {
        return Ok(());
    }
    output::line("")?;
    let rows = answer.findings.iter().map(|finding| {
        let node = finding.node.map_or_else(String::new, |node| node.to_string());
        [finding.check.clone(), node, finding.what.clone(), finding.advice.clone()]
    });
    output::wrapped(WIDTH, ["CHECK", "NODE", "WHAT IS WRONG", "WHAT TO DO"], rows)
}
