use super::{naive::KEPT, world::World};
use crate::LinkState;
use muster_model::NodeId;
use muster_runtime::Rng;
use std::time::Duration;
use tokio::time::sleep;

const SETTLED: Duration = Duration::from_secs(2);

/// A busy machine: both hellos take longer than the pause between two attempts, and than one attempt used to have.
#[tokio::test(start_paused = true)]
async fn peers_find_each_other_though_each_greeting_takes_long() {
    let mut world = World::of(2);
    world.wires.delay(Duration::from_millis(450));
    for node in 1..=2 {
        world.start(node).await;
    }
    let took = world.until("all are mirrored", World::agree).await;
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn changes_are_everywhere_in_milliseconds() {
    let world = World::running(3).await;
    for key in 0..50 {
        world.nodes[&1].set(key, 7);
        let took = world.until("it is everywhere", World::agree).await;
        assert!(took <= Duration::from_millis(10), "{took:?}");
    }
    world.nodes[&1].remove(3);
    world.until("it is gone everywhere", World::agree).await;
    let peer = world.nodes[&2].peer(1);
    assert_eq!((peer.link, peer.lag(), peer.counts.resyncs), (LinkState::Live, Some(0), 1));
}

#[tokio::test(start_paused = true)]
async fn after_a_cut_nothing_is_sent_if_nothing_changed() {
    let world = World::running(2).await;
    (0..20).for_each(|key| world.nodes[&1].set(key, 1));
    world.until("it is mirrored", World::agree).await;
    let before = world.nodes[&2].peer(1).counts;
    world.wires.cut(NodeId(1), NodeId(2));
    world.until("it is noticed", |world| world.nodes[&2].peer(1).link != LinkState::Live).await;
    sleep(Duration::from_secs(20)).await;
    world.wires.heal();
    let took = world.until("it is linked", |world| world.nodes[&2].peer(1).link == LinkState::Live).await;
    assert!(took <= SETTLED, "{took:?}");
    let after = world.nodes[&2].peer(1).counts;
    assert_eq!(
        (after.ops_received, after.op_bytes_received),
        (before.ops_received, before.op_bytes_received)
    );
    assert_eq!((after.links - before.links, after.resumes - before.resumes), (1, 1));
    assert!(after.digests > before.digests && after.mismatches == 0);
}

#[tokio::test(start_paused = true)]
async fn a_cut_of_any_length_either_way_is_made_up_for_in_two_seconds() {
    let world = World::running(3).await;
    let mut value = 0;
    for cuts in [&[(1, 2)][..], &[(2, 1)], &[(1, 2), (2, 1)], &[(1, 2), (2, 1), (1, 3), (3, 1)]] {
        for (seconds, changes) in [(1, 5), (5, 20), (60, 20), (300, 3 * KEPT as u32)] {
            cuts.iter().for_each(|(from, to)| world.wires.cut(NodeId(*from), NodeId(*to)));
            for key in 0..changes {
                value += 1;
                world.nodes[&1].set(key, value);
                world.nodes[&2].set(key, value);
            }
            world.nodes[&2].remove(1);
            sleep(Duration::from_secs(seconds)).await;
            world.wires.heal();
            let took = world.until("all agree", World::agree).await;
            assert!(took <= SETTLED, "{cuts:?} for {seconds} s: {took:?}");
        }
    }
    let counts = world.nodes[&1].peer(2).counts;
    assert!(counts.resumes > 0 && counts.resyncs > 1, "{counts:?}");
    assert_eq!(counts.mismatches, 0);
}

#[tokio::test(start_paused = true)]
async fn one_wrong_entry_is_found_and_its_bucket_alone_is_sent() {
    let world = World::running(2).await;
    (0..500).for_each(|key| world.nodes[&1].set(key, 1));
    world.until("it is mirrored", World::agree).await;
    let before = world.nodes[&2].peer(1).counts;
    world.nodes[&2].replica.corrupt(NodeId(1), 77, 2);
    let took = world.until("it is mended", World::agree).await;
    assert!(took <= world.settings.digest_max + Duration::from_secs(1), "{took:?}");
    let after = world.nodes[&2].peer(1).counts;
    assert_eq!((after.mismatches, after.repairs, after.resyncs), (1, 1, before.resyncs));
    assert!(after.ops_received - before.ops_received < 20, "{after:?}");
    // One that should not be there at all.
    world.nodes[&2].replica.corrupt(NodeId(1), 9_999, 2);
    world.until("it is mended", World::agree).await;
    sleep(3 * world.settings.digest_max).await;
    assert_eq!(world.nodes[&2].peer(1).counts.mismatches, 2);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_too_slow_gets_a_snapshot_and_holds_up_nobody() {
    let world = World::running(3).await;
    world.wires.slow_down(NodeId(3), 1);
    for round in 0..400 {
        (0..20).for_each(|key| world.nodes[&1].set(key, round));
        sleep(Duration::from_millis(10)).await;
        let held = world.nodes[&2].replica.held(NodeId(1)).unwrap();
        assert_eq!(held[&0], round, "the quick one has it");
    }
    let sent = |world: &World| world.nodes[&1].peer(3).counts;
    assert!(sent(&world).snapshots_sent > 1, "{:?}", sent(&world));
    // Most of what changed in between was never sent.
    assert!(sent(&world).ops_sent < 4_000, "{:?}", sent(&world));
    world.wires.speed_up();
    world.until("the slow one has it", World::agree).await;
}

#[tokio::test(start_paused = true)]
async fn changes_during_a_snapshot_are_not_lost() {
    let mut world = World::of(2);
    world.start(1).await;
    (0..2_000).for_each(|key| world.nodes[&1].set(key, 1));
    world.wires.slow_down(NodeId(2), 20);
    world.start(2).await;
    world.until("a snapshot has begun", |world| world.nodes[&2].replica.told().pages > 3).await;
    for key in 0..KEPT as u32 / 2 {
        world.nodes[&1].set(2_000 - 40 * key, 2);
        world.nodes[&1].remove(40 * key);
    }
    world.until("it is mirrored", World::agree).await;
    assert_eq!(world.nodes[&2].peer(1).counts.resyncs, 1);
    sleep(2 * world.settings.digest_max).await;
    assert_eq!(world.nodes[&2].peer(1).counts.mismatches, 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_life_starts_from_nothing() {
    let mut world = World::running(2).await;
    (0..30).for_each(|key| world.nodes[&1].set(key, 1));
    world.until("it is mirrored", World::agree).await;
    world.stop(1).await;
    world.start(1).await;
    world.nodes[&1].set(99, 1);
    world.until("it is mirrored", World::agree).await;
    assert_eq!(world.nodes[&2].peer(1).counts.resyncs, 2);
    let returned = world.nodes[&2].replica.told().returned;
    assert_ne!(returned.first().unwrap().epoch, returned.last().unwrap().epoch);
}

#[tokio::test(start_paused = true)]
async fn renewals_reach_the_owner() {
    let world = World::running(2).await;
    for beat in ["one", "two", "three"] {
        world.nodes[&2].replica.beat(NodeId(1), beat);
    }
    world.until("they came", |world| world.nodes[&1].replica.told().renewed.len() == 3).await;
    let renewed = world.nodes[&1].replica.told().renewed;
    assert!(renewed.iter().all(|(from, _)| *from == NodeId(2)));
    let counts = world.nodes[&1].peer(2).counts;
    assert!(counts.renewal_bytes_received > 0);
    assert_eq!(counts.ops_received, 0, "beats are no operations");
}

#[tokio::test(start_paused = true)]
async fn all_renewals_that_wait_are_passed_on_at_once() {
    let world = World::running(2).await;
    for _ in 0..20_000 {
        world.nodes[&2].replica.beat(NodeId(1), "one of many");
    }
    sleep(2 * world.settings.renewals).await;
    assert_eq!(world.nodes[&1].replica.told().renewed.len(), 20_000);
}

/// Random changes under random cuts; whatever happened, all agree two seconds after the last of them.
async fn trial(seed: u64) {
    let mut rng = Rng::seeded(seed);
    let mut world = World::running(3).await;
    for step in 0..60 {
        let (node, other) = (1 + rng.below(3), 1 + rng.below(3));
        match rng.below(10) {
            0 | 1 if node != other => world.wires.cut(NodeId(node), NodeId(other)),
            2 => world.wires.heal(),
            3 => world.wires.slow_down(NodeId(node), 1 + rng.below(50)),
            4 => world.wires.speed_up(),
            5 if rng.below(4) == 0 => {
                world.stop(node).await;
                sleep(Duration::from_millis(rng.below(6_000))).await;
                world.start(node).await;
            }
            _ => {
                for _ in 0..rng.below(100) {
                    let key = rng.below(300) as u32;
                    if rng.below(3) == 0 {
                        world.nodes[&node].remove(key);
                    } else {
                        world.nodes[&node].set(key, step);
                    }
                }
            }
        }
        sleep(Duration::from_millis(rng.below(1_500))).await;
    }
    world.wires.heal();
    world.wires.speed_up();
    let took = world.until("all agree", World::agree).await;
    assert!(took <= SETTLED, "seed {seed}: {took:?}");
    sleep(2 * world.settings.digest_max).await;
    for node in world.nodes.values() {
        let status = node.mirror.status();
        assert_eq!(status.reachable.len(), 3, "seed {seed}");
        assert!(status.peers.iter().all(|peer| peer.counts.mismatches == 0), "seed {seed}: {status:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_all_agree_in_the_end() {
    for seed in 0..5 {
        trial(seed).await;
    }
}
