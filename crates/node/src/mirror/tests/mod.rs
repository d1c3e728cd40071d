mod measure;
mod world;

use crate::{Push, ServiceInterest, WatcherKind};
use std::collections::BTreeSet;
use world::{JOIN_WAIT, SILENCE, World, service};

fn ports(ports: impl IntoIterator<Item = u16>) -> BTreeSet<u16> {
    ports.into_iter().collect()
}

#[tokio::test]
async fn what_registers_at_one_node_is_listed_and_pushed_at_all() {
    let world = World::running(3).await;
    let watcher = world.nodes[&3].node.open_watcher(WatcherKind::Connection);
    watcher.watch_service(&service(), ServiceInterest::default()).unwrap();
    while watcher.try_next().is_some() {}
    world.nodes[&1].connection_registers(1, 80);
    world.nodes[&2].beater_registers(81);
    world.all_list(&ports([80, 81])).await;
    assert!(matches!(watcher.try_next(), Some(Push::Service { .. })), "who watches it is told");
    world.nodes[&1].connection_closes(1);
    world.nodes[&2].beater_deregisters(81);
    world.all_list(&ports([])).await;
}

#[tokio::test]
async fn what_a_lost_node_had_stays_and_is_adopted_once() {
    let mut world = World::running(3).await;
    for number in 0..30 {
        world.nodes[&1].connection_registers(number, 100 + number as u16);
        world.nodes[&1].beater_registers(200 + number as u16);
    }
    let all = ports((100..130).chain(200..230));
    world.all_list(&all).await;
    world.stop(1, false).await;
    let adopted = |world: &World| -> u64 {
        world.nodes.values().map(|node| node.node.registry.lock().mirror_figures().adopted).sum()
    };
    world.until("they are adopted", |world| adopted(world) == 60).await;
    tokio::time::sleep(SILENCE).await;
    assert_eq!(adopted(&world), 60);
    world.all_list(&all).await;
    // A new life of it has nothing, and gets everything.
    let took = world.start_all(&[1]).await;
    assert_eq!(world.nodes[&1].ports(), all, "when it is ready it lists what there is");
    assert!(took < JOIN_WAIT, "{took:?}");
}

#[tokio::test]
async fn a_quick_restart_shows_no_shorter_list() {
    let mut world = World::running(3).await;
    (0..50).for_each(|number| world.nodes[&1].connection_registers(number, 100 + number as u16));
    let all = ports(100..150);
    world.all_list(&all).await;
    world.stop(1, true).await;
    world.start_all(&[1]).await;
    assert!(world.nodes.values().all(|node| node.ports() == all), "{world:?}");
    tokio::time::sleep(3 * SILENCE).await;
    assert!(world.nodes.values().all(|node| node.ports() == all), "{world:?}");
}

#[tokio::test]
async fn what_was_deregistered_meanwhile_does_not_come_back() {
    let mut world = World::running(3).await;
    (100..120).for_each(|port| world.nodes[&1].beater_registers(port));
    world.all_list(&ports(100..120)).await;
    world.stop(1, true).await;
    world.until("it is silent", |world| world.nodes[&2].node.reachable_nodes().len() == 2).await;
    (100..110).for_each(|port| world.nodes[&2].beater_deregisters(port));
    world.all_list(&ports(110..120)).await;
    world.start_all(&[1]).await;
    world.all_list(&ports(110..120)).await;
    tokio::time::sleep(SILENCE).await;
    world.all_list(&ports(110..120)).await;
}

/// All three had registrations of each kind, then power is lost everywhere; they start again, some of them at a time.
async fn power_off(starts: &[&[u64]]) {
    let mut world = World::running(3).await;
    for node in 1..=3 {
        for number in 0..10 {
            world.nodes[&node].connection_registers(number, (1_000 * node + number) as u16);
            world.nodes[&node].beater_registers((1_000 * node + 100 + number) as u16);
        }
    }
    let all =
        ports((1..=3).flat_map(|node| (0..10).flat_map(move |n| [1_000 * node + n, 1_000 * node + 100 + n])));
    world.all_list(&all).await;
    for node in 1..=3 {
        world.nodes[&node].node.write_checkpoint().await;
    }
    for node in 1..=3 {
        world.stop(node, false).await;
    }
    for together in starts {
        let took = world.start_all(together).await;
        assert!(took < JOIN_WAIT, "{took:?}");
        for (id, node) in &world.nodes {
            assert_eq!(node.ports(), all, "node {id} lists all when {together:?} are ready");
        }
        tokio::time::sleep(SILENCE).await;
        world.all_list(&all).await;
    }
    tokio::time::sleep(2 * SILENCE).await;
    world.all_list(&all).await;
}

#[tokio::test]
async fn power_off_of_all_three_loses_nothing() {
    power_off(&[&[1, 2, 3]]).await;
}

#[tokio::test]
async fn power_off_and_one_of_three_loses_nothing() {
    power_off(&[&[2], &[1, 3]]).await;
}

#[tokio::test]
async fn power_off_and_two_of_three_loses_nothing() {
    power_off(&[&[3, 1], &[2]]).await;
}

#[tokio::test]
async fn power_off_and_one_after_the_other_loses_nothing() {
    power_off(&[&[2], &[3], &[1]]).await;
}

#[tokio::test]
async fn a_lost_checker_is_replaced_and_changes_nothing() {
    let mut world = World::running(3).await;
    // Nobody listens there: whoever checks it finds it unhealthy.
    let incoming = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let all: Vec<u16> = (0..12)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
        .chain([incoming.local_addr().unwrap().port()])
        .collect();
    let well = *all.last().unwrap();
    for port in &all {
        world.nodes.values().for_each(|node| node.persistent_registers(*port));
    }
    let found = |world: &World| {
        world.nodes.values().all(|node| all.iter().all(|port| node.is_healthy(*port) == (*port == well)))
    };
    world.until("all know what was found", found).await;
    let owners = |world: &World| -> Vec<Option<u64>> {
        all.iter().map(|port| world.nodes[&2].checker_of(*port)).collect()
    };
    let before = owners(&world);
    assert!((1..=3).all(|node| before.contains(&Some(node))), "each checks some: {before:?}");
    world.stop(1, true).await;
    let watched = tokio::time::Instant::now();
    while watched.elapsed() < 2 * SILENCE {
        assert!(found(&world), "a lost checker changes nothing");
        tokio::time::sleep(SILENCE / 20).await;
    }
    assert!(!owners(&world).contains(&Some(1)), "others have taken over");
    // Its next life is told what was found.
    world.start(1).await;
    all.iter().for_each(|port| world.nodes[&1].persistent_registers(*port));
    world.nodes[&1].node.restore_ephemeral().await;
    world.until("all know what was found", found).await;
    // One that comes to life is found by whoever checks it now.
    let port = *all.iter().zip(&before).find(|(_, owner)| **owner == Some(1)).unwrap().0;
    let _alive = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    world
        .until("all know that it is well", |world| world.nodes.values().all(|node| node.is_healthy(port)))
        .await;
    let mismatches: u64 = world.nodes.values().map(|node| node.node.mirror_counts().mismatches).sum();
    assert_eq!(mismatches, 0, "{world:?}");
}
