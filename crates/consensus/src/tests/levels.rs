//! Nodes of different ages.

use super::world::{DATA, World};
use crate::Settings;
use bytes::Bytes;
use muster_runtime::disk::{Disk, Open, read_all};
use std::path::{Path, PathBuf};

const DIRS: [&str; 2] = ["log", "snapshots"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/level-1")
}

fn settings(level: u32) -> Settings {
    Settings { level, snapshot_entries: 1_000_000, ..Settings::default() }
}

/// A world as a program of level 1 left it: a snapshot of 5 operations and 5 more in the log.
fn old_world() -> World {
    let world = World::new();
    for dir in DIRS {
        for file in std::fs::read_dir(fixtures().join(dir)).unwrap().map(Result::unwrap) {
            let path = Path::new(DATA).join(dir).join(file.file_name());
            let copy = world.disk.open(&path, Open::New).unwrap();
            copy.write_at(0, &std::fs::read(file.path()).unwrap()).unwrap();
        }
    }
    world
}

fn numbered(count: u64) -> Vec<Bytes> {
    (0..count).map(|number| Bytes::from(format!("op {number}"))).collect()
}

/// How the fixtures were made; run it with MUSTER_WRITE_FIXTURES set when this was built.
#[tokio::test]
async fn fixtures_are_written() {
    if std::option_env!("MUSTER_WRITE_FIXTURES").is_none() {
        return;
    }
    let world = World::new();
    let life = world.start(settings(1)).await;
    life.consensus.wait_ready().await.unwrap();
    for number in 0..10 {
        life.propose(&format!("op {number}")).await;
        if number == 4 {
            life.consensus.snapshot().await.unwrap();
        }
    }
    life.shut_down().await;
    for dir in DIRS {
        let (from, to) = (Path::new(DATA).join(dir), fixtures().join(dir));
        std::fs::create_dir_all(&to).unwrap();
        for name in world.disk.list(&from).unwrap() {
            std::fs::write(to.join(&name), read_all(&world.disk, &from.join(&name)).unwrap()).unwrap();
        }
    }
}

#[tokio::test]
async fn what_the_level_before_wrote_is_read_and_stays_readable_for_it() {
    let world = old_world();
    // There, and back to the older program, and there again.
    for (round, level) in [2, 1, 2].into_iter().enumerate() {
        let life = world.start(settings(level)).await;
        life.consensus.wait_ready().await.unwrap();
        assert_eq!(life.consensus.level(), 1);
        assert_eq!(life.ledger.ops()[..10], numbered(10));
        assert_eq!(life.propose("more").await, 11 + round as u64);
        life.consensus.snapshot().await.unwrap();
        life.shut_down().await;
    }
}

/// What takes a program of the newest level.
#[cfg(not(feature = "previous-format"))]
mod newest {
    use super::{old_world, settings};
    use crate::{
        ProposeError, Settings,
        tests::{ensemble::Ensemble, failover::propose},
    };
    use bytes::Bytes;
    use muster_model::NodeId;
    use std::time::Duration;

    #[tokio::test]
    async fn a_raised_level_stays() {
        let world = old_world();
        let life = world.start(settings(2)).await;
        life.consensus.wait_ready().await.unwrap();
        assert_eq!(life.consensus.raise_level().await, Ok(2));
        life.propose("more").await;
        life.shut_down().await;
        let life = world.start(settings(2)).await;
        life.consensus.wait_ready().await.unwrap();
        assert_eq!((life.consensus.level(), life.ledger.ops().len()), (2, 11));
        life.shut_down().await;
    }

    /// Restarts a node as a program of another level, while others write.
    async fn change(all: &mut Ensemble, id: u64, level: u32, ops: &mut Vec<Bytes>) {
        all.kill(id).await;
        let write = format!("without {id}, {level}");
        let at = all.leader().await;
        propose(&all.lives[&at], &write).await;
        ops.push(write.into());
        let settings = Settings { node: NodeId(id), level, ..all.settings.clone() };
        all.boot_with(id, settings).await;
        all.converge(ops).await;
        let write = format!("with {id}, {level}");
        propose(&all.lives[&id], &write).await;
        ops.push(write.into());
        all.converge(ops).await;
        assert!(all.lives.values().all(|life| life.consensus.level() == 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_is_written_to_before_all_have_answered_gets_the_newest_level() {
        let all = Ensemble::start_virtual(3, settings(2)).await;
        let leader = all.leader().await;
        propose(&all.lives[&leader], "first").await;
        assert_eq!(all.lives[&leader].consensus.level(), 1, "nobody was asked yet");
        all.until("the level", |all| all.lives.values().all(|life| life.consensus.level() == 2)).await;
        all.end().await;
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_leads_it_is_said_what_to_do() {
        let mut all = Ensemble::start_virtual(3, settings(2)).await;
        let leader = all.leader().await;
        let (left, other) = if leader == 3 { (2, 1) } else { (3, 3 - leader) };
        all.kill(leader).await;
        all.kill(other).await;
        let refused = all.lives[&left].consensus.raise_level().await.unwrap_err();
        assert!(refused.to_string().contains("`muster cluster status`"), "{refused}");
        all.end().await;
    }

    #[tokio::test(start_paused = true)]
    async fn nodes_are_upgraded_one_by_one_and_back_and_up_again() {
        let mut all = Ensemble::start_virtual(3, settings(1)).await;
        let mut ops = Vec::new();
        for (id, level) in [(1, 2), (2, 2), (2, 1), (3, 2)] {
            change(&mut all, id, level, &mut ops).await;
        }
        let refused = all.lives[&3].consensus.raise_level().await;
        assert!(matches!(refused, Err(ProposeError::Unavailable(_))), "node 2 does not know it: {refused:?}");
        change(&mut all, 2, 2, &mut ops).await;
        all.leader().await;
        // Until everybody has answered the leader once.
        while all.lives[&3].consensus.raise_level().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        all.until("the level", |all| all.lives.values().all(|life| life.consensus.level() == 2)).await;
        propose(&all.lives[&1], "new").await;
        ops.push(Bytes::from_static(b"new"));
        all.converge(&ops).await;
        all.end().await;
    }
}
