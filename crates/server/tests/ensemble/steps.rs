//! What happens to an ensemble.

use crate::{
    sessions,
    stage::{CONVERGED_WITHIN, SILENCE_MAX, Stage, WRITES_WITHIN},
};
use std::time::Duration;
use tokio::time::sleep;

/// How long a node is away before it is started again.
const AWAY: Duration = Duration::from_secs(2);
/// So long, less a margin, an adopter keeps what a connection registered at a node that is not heard: a connection says
/// nothing anywhere else, so on the other side of a longer cut its instances go, by design.
const CONNECTIONS_KEPT: Duration = Duration::from_secs(25);
/// In this time a node that was cut off would have asked for votes, if it does.
const RETURN: Duration = Duration::from_secs(1);

/// All nodes but one.
fn others(stage: &Stage, but: usize) -> Vec<usize> {
    (0..stage.ensemble.nodes.len()).filter(|node| *node != but).collect()
}

/// Kills a node, and says how long it was until a write was acknowledged elsewhere.
async fn kill_one(stage: &mut Stage, node: usize) -> Duration {
    let rest = others(stage, node);
    stage.comers.forget_gaps();
    // So that each subscriber has heard something.
    sleep(2 * SILENCE_MAX).await;
    stage.comers.excuse(node);
    stage.take_delays();
    stage.ensemble.kill(node);
    let written = stage.write_through(&rest).await;
    sleep(AWAY).await;
    stage.within("silence of nodes that live", stage.comers.longest_gap(&rest), SILENCE_MAX);
    stage.ensemble.start_node(node);
    let ready = stage.ensemble.nodes[node].wait_ready().await;
    stage.comers.expect(node);
    let limit = stage.ensemble.ready_within();
    stage.within("a start until ready", ready, limit);
    written
}

/// Kills every node once, a follower or not.
pub(crate) async fn kill_each(stage: &mut Stage) -> String {
    let mut took = Vec::new();
    for node in 0..stage.ensemble.nodes.len() {
        took.push(kill_one(stage, node).await.as_millis());
    }
    format!("writes again after {took:?} ms")
}

/// Kills whoever leads, again and again.
pub(crate) async fn kill_leaders(stage: &mut Stage, times: u64) -> String {
    let mut took = Vec::new();
    for _ in 0..times {
        let leader = stage.ensemble.leader().await;
        let written = kill_one(stage, leader).await;
        stage.within("writes after the leader died", written, WRITES_WITHIN);
        took.push(written.as_millis());
    }
    took.sort_unstable();
    let median = took[took.len() / 2];
    format!("{times} leaders killed, writes again after {median} ms (median); all: {took:?}")
}

/// Stops a node for a while, without its connections being closed.
pub(crate) async fn pause(stage: &mut Stage, node: usize, time: Duration) -> String {
    let rest = others(stage, node);
    stage.comers.excuse(node);
    stage.ensemble.nodes[node].pause();
    let written = stage.write_through(&rest).await;
    sleep(time.saturating_sub(written)).await;
    stage.ensemble.nodes[node].resume();
    // It is given the time to see how long it was away.
    sleep(Duration::from_secs(1)).await;
    stage.comers.expect(node);
    let took = stage.converges(async {}).await;
    stage.within("to converge after a standstill", took, CONVERGED_WITHIN);
    format!("writes after {} ms; converged after {} ms", written.as_millis(), took.as_millis())
}

/// Which traffic of a node is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// What it sends.
    Sent,
    /// What it is sent.
    Received,
    /// Both.
    Both,
}

/// Cuts the traffic between a node and all others for a while.
pub(crate) async fn cut(stage: &mut Stage, node: usize, which: Cut, time: Duration) -> String {
    for other in others(stage, node) {
        if which != Cut::Received {
            stage.ensemble.network.cut(node, other);
        }
        if which != Cut::Sent {
            stage.ensemble.network.cut(other, node);
        }
    }
    let rest = others(stage, node);
    if time > CONNECTIONS_KEPT {
        stage.tally.excuse(Some(sessions::SERVICE));
    }
    let written = stage.write_through(&rest).await;
    sleep(time.saturating_sub(written)).await;
    let before = stage.ensemble.term(rest[0]).await;
    let heal = stage.ensemble.network.healer();
    let took = stage.converges(async move { heal.heal() }).await;
    stage.within("to converge after a cut", took, CONVERGED_WITHIN);
    stage.tally.excuse(None);
    let elections = elections_since(stage, rest[0], before).await;
    format!(
        "writes after {} ms; converged after {} ms, {elections} elections",
        written.as_millis(),
        took.as_millis()
    )
}

/// How many elections there were since a term, a while after a node has come back: it may cost one.
async fn elections_since(stage: &mut Stage, at: usize, before: u64) -> u64 {
    sleep(RETURN).await;
    let all: Vec<_> = (0..stage.ensemble.nodes.len()).collect();
    stage.write_through(&all).await;
    let elections = stage.ensemble.term(at).await - before;
    if elections > 1 {
        stage.tally.breach(format!("{elections} elections since a node that was cut off came back"));
    }
    elections
}

/// Delays everything that a node sends, and drops all connections now and then.
pub(crate) async fn slow(stage: &mut Stage, node: usize, by: Duration, times: u32) -> String {
    for other in others(stage, node) {
        stage.ensemble.network.delay(node, other, by);
    }
    for _ in 0..times {
        stage.ensemble.network.drop_connections();
        sleep(Duration::from_secs(1)).await;
    }
    let written = stage.write_through(&[node]).await;
    let heal = stage.ensemble.network.healer();
    let took = stage.converges(async move { heal.heal() }).await;
    stage.within("to converge after delays", took, CONVERGED_WITHIN);
    format!("a write through the slow node took {} ms", written.as_millis())
}

/// Kills a node, forgets what it stored, and lets it join again as a new node.
pub(crate) async fn wipe(stage: &mut Stage, node: usize) -> String {
    let by = others(stage, node)[0];
    let id = stage.ensemble.id(node).await;
    stage.comers.excuse(node);
    stage.ensemble.kill(node);
    stage.write_through(&[by]).await;
    stage.ensemble.nodes[node].wipe();
    let refused = stage.ensemble.remove(by, id).await;
    stage.ensemble.join(node, by).await;
    stage.comers.expect(node);
    stage.ensemble.wait_voters().await;
    let now = stage.ensemble.id(node).await;
    if now == id {
        stage.tally.breach(format!("a node that was wiped came back as node {id}"));
    }
    let took = stage.converges(async {}).await;
    format!(
        "removal refused {refused} times at first; node {id} came back as node {now}; converged after {} ms",
        took.as_millis()
    )
}
