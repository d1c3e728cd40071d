//! Nothing is wrong, and the doctor says so at every node, however busy they are.

use crate::{process::command, stage::Stage};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(500);

/// Asks the doctor of one node after the other for so long; whatever it finds is a false alarm. How full the disk of this
/// machine is does not count.
pub(crate) async fn stays(stage: &Stage, time: Duration) -> String {
    let end = Instant::now() + time;
    let (mut asked, mut longest) = (0, Duration::ZERO);
    while asked < stage.ensemble.nodes.len() || Instant::now() < end {
        let node = asked % stage.ensemble.nodes.len();
        let began = Instant::now();
        for alarm in ask(stage, node).await {
            stage.tally.breach(format!("a false alarm at node {node}: {alarm}"));
        }
        longest = longest.max(began.elapsed());
        asked += 1;
        sleep(PAUSE).await;
    }
    format!("asked {asked} times, an answer after at most {} ms", longest.as_millis())
}

/// What the doctor finds at a node, beside full disks.
async fn ask(stage: &Stage, node: usize) -> Vec<Value> {
    let mut command = command();
    command.args(["doctor", "--json", "--server"]).arg(stage.ensemble.nodes[node].http.to_string());
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    let mut found = answer["findings"].as_array().unwrap().clone();
    assert_eq!(done.status.code(), Some(i32::from(!found.is_empty())), "{done:?}");
    found.retain(|finding| finding["check"] != "disks");
    found
}
