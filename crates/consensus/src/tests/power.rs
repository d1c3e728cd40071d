//! Power cuts at every kind of moment: nothing acknowledged is lost, nothing is there twice or in part.

use super::{
    cutting::CuttingDisk,
    world::{Life, World, number, small},
};
use crate::{ConsensusError, ProposeError};
use bytes::Bytes;
use muster_runtime::Rng;
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};

/// Sequence number and operation of everything acknowledged, over all lives.
type Acknowledged = Arc<Mutex<BTreeMap<u64, Bytes>>>;

/// Proposes until it fails, as one client would.
async fn propose_until_cut(life: &Life, name: String, acknowledged: &Acknowledged) {
    for count in 0..60 {
        let op = Bytes::from(format!("{name}-{count}-{}", "x".repeat(count % 40)));
        match life.consensus.propose(op.clone()).await {
            Ok(result) => _ = acknowledged.lock().insert(number(&result), op),
            Err(ProposeError::Timeout | ProposeError::Unavailable(_)) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Everything acknowledged is there, where it was said to be, and nothing is there twice.
fn check(life: &Life, acknowledged: &Acknowledged) -> Result<(), String> {
    let ops = life.ledger.ops();
    for (sequence, op) in &*acknowledged.lock() {
        if ops.get(*sequence as usize - 1) != Some(op) {
            return Err(format!("operation {sequence} is lost"));
        }
    }
    let mut unique = ops.clone();
    unique.sort_unstable();
    unique.dedup();
    if unique.len() == ops.len() { Ok(()) } else { Err("an operation was applied twice".to_owned()) }
}

/// One process from start to power cut.
async fn live(
    world: &World,
    name: &str,
    disk: CuttingDisk,
    acknowledged: &Acknowledged,
) -> Result<(), String> {
    match world.try_start(small(), Arc::new(disk.clone()), Arc::default()).await {
        Ok(life) => {
            let mut checked = Ok(());
            if life.consensus.wait_ready().await.is_ok() {
                checked = check(&life, acknowledged);
                let clients =
                    (0..5).map(|client| propose_until_cut(&life, format!("{name}-{client}"), acknowledged));
                if checked.is_ok() {
                    futures_util::future::join_all(clients).await;
                }
            }
            disk.cut();
            life.kill().await;
            checked
        }
        Err(ConsensusError::Log(_) | ConsensusError::Snapshot(_) | ConsensusError::State(_))
            if disk.is_cut() =>
        {
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Several lives and power cuts, and a last life that checks.
async fn run(seed: u64, is_lying: bool) -> Result<(), String> {
    let (world, acknowledged, mut rng) = (World::new(), Acknowledged::default(), Rng::seeded(seed));
    for number in 0..6 {
        let calls = 1 + rng.below(250);
        let disk = CuttingDisk::new(world.disk.clone(), calls, Rng::seeded(rng.next_u64()), is_lying);
        live(&world, &number.to_string(), disk, &acknowledged).await?;
        world.store.power_cut(&mut rng);
    }
    let disk = Arc::new(world.disk.clone());
    let life = world.try_start(small(), disk, Arc::default()).await.map_err(|error| error.to_string())?;
    life.consensus.wait_ready().await.map_err(|error| error.to_string())?;
    let checked = check(&life, &acknowledged);
    life.shut_down().await;
    checked
}

/// How many seeds to try: `MUSTER_SEEDS` when this was built, else a number that takes seconds.
fn seeds() -> u64 {
    std::option_env!("MUSTER_SEEDS").and_then(|seeds| seeds.parse().ok()).unwrap_or(300)
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_power_cuts() {
    for seed in 0..seeds() {
        run(seed, false).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

/// Shows that the test above can fail: without the syncs, it does, for most seeds.
#[tokio::test]
async fn a_disk_that_lies_about_syncs_is_found_out() {
    let mut found = 0;
    for seed in 0..20 {
        found += u64::from(run(seed, true).await.is_err());
    }
    assert!(found > 10, "only {found} of 20");
}
