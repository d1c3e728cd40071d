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
            Ok(result) => {
                let before = acknowledged.lock().insert(number(&result), op);
                assert_eq!(before, None, "a sequence number is given once");
            }
            Err(ProposeError::Timeout | ProposeError::Unavailable(_)) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Everything acknowledged is there, where it was said to be, and nothing is there twice.
fn check(life: &Life, acknowledged: &Acknowledged, seed: u64) {
    let ops = life.ledger.ops();
    for (sequence, op) in &*acknowledged.lock() {
        assert_eq!(ops.get(*sequence as usize - 1), Some(op), "seed {seed}: operation {sequence} is lost");
    }
    let mut unique = ops.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ops.len(), "seed {seed}: an operation was applied twice");
}

/// One process from start to power cut.
async fn live(world: &World, seed: u64, number: u64, rng: &mut Rng, acknowledged: &Acknowledged) {
    let disk = CuttingDisk::new(world.disk.clone(), 1 + rng.below(250), Rng::seeded(rng.next_u64()));
    match world.try_start(small(), Arc::new(disk.clone()), Arc::default()).await {
        Ok(life) => {
            if life.consensus.wait_ready().await.is_ok() {
                check(&life, acknowledged, seed);
                let clients = (0..5).map(|client| {
                    propose_until_cut(&life, format!("{seed}-{number}-{client}"), acknowledged)
                });
                futures_util::future::join_all(clients).await;
            }
            disk.cut();
            life.kill().await;
        }
        Err(ConsensusError::Log(_) | ConsensusError::Snapshot(_) | ConsensusError::State(_))
            if disk.is_cut() => {}
        Err(error) => panic!("seed {seed}: {error}"),
    }
    world.store.power_cut(rng);
}

async fn run(seed: u64) {
    let (world, acknowledged, mut rng) = (World::new(), Acknowledged::default(), Rng::seeded(seed));
    for number in 0..6 {
        live(&world, seed, number, &mut rng, &acknowledged).await;
    }
    let life = world.start(small()).await;
    life.consensus.wait_ready().await.unwrap();
    check(&life, &acknowledged, seed);
    life.shut_down().await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_power_cuts() {
    let seeds = std::option_env!("MUSTER_SEEDS").and_then(|seeds| seeds.parse().ok()).unwrap_or(300);
    for seed in 0..seeds {
        run(seed).await;
    }
}
