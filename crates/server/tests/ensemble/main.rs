//! Three real binaries and everything that can happen to them: killed, stopped, cut off, out of space, wiped; under
//! clients that write, read, register and watch. What clients saw is checked as the simulation checks it.
//!
//! Figures come from the environment: `MUSTER_SEED` repeats a run, `MUSTER_BINARY` names another binary than the
//! one of this build, `MUSTER_BINARY_BEFORE` one of the version before, `MUSTER_ONLY` a part of the names of the steps that are wanted, `MUSTER_CROWD` how many instances of
//! either kind a power-off meets, `MUSTER_LOGS` a folder where the logs of the nodes stay, `MUSTER_LOG_LEVEL` what they log. `cargo xtask soak` runs everything, long.
#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod behind;
mod calls;
mod comers;
mod configs;
mod disk;
mod ensemble;
mod eureka;
#[path = "../it/figures.rs"]
mod figures;
mod healthy;
mod http;
mod lag;
mod power;
mod process;
mod readers;
mod relay;
mod residents;
mod rolling;
mod sessions;
mod small;
mod stage;
mod steps;
mod tally;

use behind::{Behind, Way};
use ensemble::Ensemble;
use power::Crowd;
use stage::Stage;
use std::time::Duration;
use steps::Cut;

const SHORT: Duration = Duration::from_secs(5);

/// What checks an ensemble finds nothing wrong with a group of one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_under_all_loads() {
    let rng = figures::rng("ensemble");
    let ensemble = Ensemble::start(1, &[]).await;
    let mut stage = Stage::open(ensemble, rng).await;
    stage.step("disk full", async |stage| disk::full(stage, Duration::from_secs(1)).await).await;
    stage.step("power off", async |stage| power::power_off(stage, &[0]).await).await;
    stage.close().await;
}

/// Everything once: two minutes, and half a minute more beside other work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "three processes for two minutes: `cargo xtask ensemble`"]
async fn three_nodes() {
    let rng = figures::rng("ensemble");
    let ensemble = Ensemble::start_on(3, &[], 1_024).await;
    let mut stage = Stage::open(ensemble, rng).await;
    stage.step("quiet", async |stage| healthy::stays(stage, Duration::from_secs(2)).await).await;
    stage.step("leaders killed", async |stage| steps::kill_leaders(stage, 1).await).await;
    stage
        .step("leader stopped", async |stage| {
            let leader = stage.ensemble.leader().await;
            steps::pause(stage, leader, SHORT).await
        })
        .await;
    for which in [Cut::Sent, Cut::Received, Cut::Both] {
        let name = format!("leader cut off, {which:?}").to_lowercase();
        stage
            .step(&name, async |stage| {
                let leader = stage.ensemble.leader().await;
                steps::cut(stage, leader, which, SHORT).await
            })
            .await;
    }
    stage
        .step("follower cut off, both", async |stage| {
            let follower = (stage.ensemble.leader().await + 1) % 3;
            steps::cut(stage, follower, Cut::Both, SHORT).await
        })
        .await;
    stage
        .step("follower slow, drops", async |stage| {
            let follower = (stage.ensemble.leader().await + 1) % 3;
            steps::slow(stage, follower, Duration::from_millis(100), 3).await
        })
        .await;
    stage.step("disk full", async |stage| disk::full(stage, SHORT).await).await;
    power_offs(&mut stage, &[&[0, 1, 2], &[1], &[0, 2]]).await;
    stage
        .step("node wiped", async |stage| {
            let follower = (stage.ensemble.leader().await + 1) % 3;
            steps::wipe(stage, follower).await
        })
        .await;
    stage.close().await;
}

/// A little of what [`far_behind`] does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_is_behind_catches_up_by_log_and_by_snapshot() {
    for way in [Way::Log, Way::Snapshot] {
        behind::catches_up(way, Behind { configs: 40, bytes: 128 << 10 }).await;
    }
}

/// A follower lacks 5 GB; `MUSTER_BEHIND` configs of `MUSTER_BEHIND_BYTES`, if they say something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs 65 GB of disk: `cargo xtask soak`"]
async fn far_behind() {
    let configs = figures::figure("MUSTER_BEHIND", 500);
    let bytes = usize::try_from(figures::figure("MUSTER_BEHIND_BYTES", 10 << 20)).unwrap();
    for (name, way) in [("behind, log", Way::Log), ("behind, snapshot", Way::Snapshot)] {
        if stage::is_wanted(name) {
            behind::catches_up(way, Behind { configs, bytes }).await;
        }
    }
}

/// The nodes are changed from the version before to this one, one by one, and back, and then for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a binary of the version before: `cargo xtask rolling-upgrade`"]
async fn rolling_upgrade() {
    let rng = figures::rng("ensemble");
    let before = rolling::before();
    let ensemble = Ensemble::start_as(3, &["drain=1s"], &before).await;
    let mut stage = Stage::open(ensemble, rng).await;
    stage.step("one upgraded", async |stage| rolling::one_upgraded(stage).await).await;
    stage.step("back and all upgraded", async |stage| rolling::all_upgraded(stage, &before).await).await;
    stage.step("level raised", async |stage| rolling::raised(stage).await).await;
    stage.step("too late to go back", async |stage| rolling::too_late(stage, &before).await).await;
    stage.close().await;
}

/// The leader and a follower cut off, one way and both, for so long.
async fn cuts(stage: &mut Stage, time: Duration) {
    for (who, after) in [("leader", 0), ("follower", 1)] {
        for which in [Cut::Sent, Cut::Received, Cut::Both] {
            let name = format!("{who} cut off, {which:?}, {} s", time.as_secs()).to_lowercase();
            let cut = async |stage: &mut Stage| {
                let node = (stage.ensemble.leader().await + after) % 3;
                steps::cut(stage, node, which, time).await
            };
            stage.step(&name, cut).await;
        }
    }
}

/// Power off under a crowd, with these nodes first to come back.
async fn power_offs(stage: &mut Stage, firsts: &[&[usize]]) {
    let name = |first: &[usize]| format!("power off, {} of 3 first", first.len());
    if !firsts.iter().any(|first| stage::is_wanted(&name(first))) {
        return;
    }
    let crowd = Crowd::gather(stage).await;
    for first in firsts {
        stage.step(&name(first), async |stage| power::power_off(stage, first).await).await;
    }
    crowd.disperse().await;
}

/// A healthy cluster under load gives no false alarm: in ten minutes, or as many as `MUSTER_HEALTHY_MINUTES` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "three processes for ten minutes: part of `cargo xtask soak`"]
async fn doctor_gives_no_false_alarm() {
    let rng = figures::rng("ensemble");
    let mut stage = Stage::open(Ensemble::start(3, &[]).await, rng).await;
    stage.step("healthy", async |stage| healthy::stays(stage, healthy_for()).await).await;
    stage.close().await;
}

fn healthy_for() -> Duration {
    Duration::from_secs(60 * figures::figure("MUSTER_HEALTHY_MINUTES", 10))
}

/// The same faults, again and again, longer, at random; `MUSTER_SOAK_MINUTES` says how long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as it is told to: `cargo xtask soak`"]
async fn soak() {
    let mut rng = figures::rng("ensemble");
    let ensemble = Ensemble::start_on(3, &[], 2_048).await;
    let mut stage = Stage::open(ensemble, muster_runtime::Rng::seeded(rng.next_u64())).await;
    let end =
        tokio::time::Instant::now() + Duration::from_secs(60 * figures::figure("MUSTER_SOAK_MINUTES", 60));
    let healthy = healthy_for().min((end - tokio::time::Instant::now()) / 6);
    stage.step("healthy", async |stage| healthy::stays(stage, healthy).await).await;
    stage.step("leaders killed", async |stage| steps::kill_leaders(stage, 30).await).await;
    for round in 0.. {
        if tokio::time::Instant::now() > end {
            break;
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than the number of nodes")]
        let node = rng.below(3) as usize;
        let time = Duration::from_secs([5, 60, 300][round % 3]);
        cuts(&mut stage, time).await;
        stage.step("each killed", async |stage| steps::kill_each(stage).await).await;
        stage.step("stopped", async |stage| steps::pause(stage, node, time / 3).await).await;
        stage
            .step("slow, drops", async |stage| steps::slow(stage, node, Duration::from_millis(200), 10).await)
            .await;
        stage.step("disk full", async |stage| disk::full(stage, SHORT * 4).await).await;
        stage.step("wiped", async |stage| steps::wipe(stage, node).await).await;
        let firsts = [&[0, 1, 2][..], &[node], &[(node + 1) % 3, (node + 2) % 3]];
        power_offs(&mut stage, &firsts).await;
    }
    stage.close().await;
}
