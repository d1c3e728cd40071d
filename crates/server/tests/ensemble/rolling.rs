//! Nodes that are changed to another version of the program, one by one, while all loads go on.

use crate::{
    process::muster,
    stage::{CONVERGED_WITHIN, Stage},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::sleep;

const UPGRADE: &[&str] = &["cluster", "upgrade"];
/// How often a command is asked again because the lead changed hands.
const LEAD_CHANGES_MAX: usize = 10;

/// How a node is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// As an operator does.
    Stopped,
    /// Without warning.
    Killed,
}

/// The program of the version before.
pub(crate) fn before() -> PathBuf {
    let given = std::env::vars_os().find(|(key, _)| key == "MUSTER_BINARY_BEFORE").map(|(_, path)| path);
    given.expect("MUSTER_BINARY_BEFORE names a server built with `--features previous-format`").into()
}

/// Starts a node as another program, and waits until all is well again.
async fn change(stage: &mut Stage, node: usize, ended: Ended, binary: &Path) {
    let rest: Vec<_> = (0..stage.ensemble.nodes.len()).filter(|other| *other != node).collect();
    end(stage, node, ended).await;
    stage.write_through(&rest).await;
    start(stage, node, binary).await;
    stage.write_through(&[node]).await;
}

async fn end(stage: &mut Stage, node: usize, ended: Ended) {
    stage.comers.excuse(node);
    match ended {
        Ended::Stopped => stage.ensemble.nodes[node].stop().await,
        Ended::Killed => stage.ensemble.kill(node),
    }
}

async fn start(stage: &mut Stage, node: usize, binary: &Path) {
    stage.take_delays();
    stage.ensemble.nodes[node].binary = binary.to_owned();
    stage.ensemble.start_node(node);
    let ready = stage.ensemble.nodes[node].wait_ready().await;
    stage.comers.expect(node);
    stage.within("a start until ready", ready, stage.ensemble.ready_within());
    let took = stage.converges(async {}).await;
    stage.within("to converge after a change of version", took, CONVERGED_WITHIN);
}

/// Looks that a command is refused at a node, and for the reason that is given. While the lead changes hands there may be
/// nobody to refuse it for that reason: then it is asked again.
async fn is_refused(stage: &Stage, node: usize, words: &[&str], reason: &str) {
    let mut answer = stage.ensemble.try_ask(node, words).await;
    for _ in 0..LEAD_CHANGES_MAX {
        if !answer.as_ref().is_err_and(|told| told.contains("no node leads")) {
            break;
        }
        sleep(Duration::from_secs(1)).await;
        answer = stage.ensemble.try_ask(node, words).await;
    }
    match answer {
        Ok(told) => stage.tally.breach(format!("`muster {}` is not refused: {told}", words.join(" "))),
        Err(told) if told.contains(reason) => {}
        Err(told) => stage.tally.breach(format!("`muster {}` complains of {told}", words.join(" "))),
    }
}

/// One of the nodes is of this version: the level stays, and what needs the next one is refused.
pub(crate) async fn one_upgraded(stage: &mut Stage) -> String {
    change(stage, 0, Ended::Stopped, &muster()).await;
    is_refused(stage, 0, UPGRADE, "every member").await;
    is_refused(stage, 0, &["cluster", "token", "create"], "`muster cluster upgrade`").await;
    String::new()
}

/// Nodes go up, one of them back and up again, and when all are up there is still a way back.
pub(crate) async fn all_upgraded(stage: &mut Stage, before: &Path) -> String {
    let this = muster();
    let changes = [
        (1, Ended::Killed, &*this),
        (0, Ended::Stopped, before),
        (2, Ended::Killed, &this),
        (0, Ended::Stopped, &this),
    ];
    for (node, ended, binary) in changes {
        change(stage, node, ended, binary).await;
    }
    // And once more when all are of this version.
    change(stage, 1, Ended::Stopped, before).await;
    is_refused(stage, 0, UPGRADE, "every member").await;
    change(stage, 1, Ended::Killed, &this).await;
    is_refused(stage, 1, &["cluster", "token", "create"], "`muster cluster upgrade`").await;
    format!("{} changes of a node's version", changes.len() + 2)
}

/// Raises the level, under writes, and uses what needs it.
pub(crate) async fn raised(stage: &mut Stage) -> String {
    // Whoever leads has heard of all what they know.
    stage.ensemble.leader().await;
    let told = stage.ensemble.ask(2, UPGRADE).await;
    if !told.contains("format level 2 is in force") {
        stage.tally.breach(format!("`muster cluster upgrade` tells: {told}"));
    }
    for node in 0..stage.ensemble.nodes.len() {
        stage.write_through(&[node]).await;
        stage.ensemble.ask(node, &["cluster", "token", "create", "--json"]).await;
    }
    String::new()
}

/// The program of the version before no longer starts, says why, and leaves all as it was.
pub(crate) async fn too_late(stage: &mut Stage, before: &Path) -> String {
    let node = 2;
    end(stage, node, Ended::Stopped).await;
    stage.ensemble.nodes[node].binary = before.to_owned();
    stage.ensemble.start_node(node);
    let status = stage.ensemble.nodes[node].wait_exit().await;
    let log = stage.ensemble.nodes[node].log_tail();
    let told = log.lines().last().unwrap_or_default().to_owned();
    if status.success() || !told.contains("start a newer muster") {
        stage.tally.breach(format!("the version before ended with {status}, and told: {told}"));
    }
    if stage.ensemble.nodes[node].data.join("state.db.damaged").exists() {
        stage.tally.breach("the version before put the state of this one aside".to_owned());
    }
    start(stage, node, &muster()).await;
    stage.write_through(&[node]).await;
    format!("it told: {told}")
}
