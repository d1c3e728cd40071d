//! Marks on a node with a log and a store.

use super::{
    digest::StateDigest,
    marks::{MarkResult, Marked},
};
use crate::{Node, NodeParts, Settings};
use muster_config::{Author, Content, Publish};
use muster_consensus::Parts;
use muster_model::{ConfigKey, DataId, Epoch, GroupName, Namespace, NodeId, Row, Table};
use muster_runtime::{
    Clock, Rng, SystemClock, Tasks,
    disk::{Disk, MemoryDisk},
};
use muster_storage::{
    journal::{Journal, JournalSettings},
    log::{Log, LogSettings},
    snapshot::Snapshots,
    state::{MemoryStore, StateStore},
};
use std::{path::Path, sync::Arc, time::Duration};

async fn started() -> Arc<Node> {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    for dir in ["/journal", "/log", "/snapshots"] {
        disk.create_dir_all(Path::new(dir)).unwrap();
    }
    let journal = Journal::open(disk.clone(), Path::new("/journal"), JournalSettings::default());
    let state: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let parts = NodeParts {
        settings: Settings::default(),
        state: state.clone(),
        journal: journal.unwrap().0,
        clock: clock.clone(),
        tasks: Tasks::new(),
        epoch: Epoch { boot: 1, random: 1 },
        rng: Rng::seeded(1),
    };
    let node = Node::new(parts, NodeId(1));
    let parts = Parts {
        disk: disk.clone(),
        data_dir: "/".into(),
        log: Log::open(disk.clone(), Path::new("/log"), LogSettings::default()).unwrap().0,
        state,
        snapshots: Snapshots::open(disk, Path::new("/snapshots")).unwrap(),
        machine: node.clone(),
        clock,
        tasks: Tasks::new(),
        links: None,
        fatal: Arc::new(|why: &str| panic!("{why}")),
    };
    node.join(muster_consensus::Settings::default(), parts).await.unwrap();
    node.consensus().unwrap().wait_ready().await.unwrap();
    node
}

async fn publish(node: &Node, data_id: &str) {
    let key = ConfigKey::new(Namespace::default(), GroupName::default(), DataId::new(data_id).unwrap());
    let content = Content::new(format!("content of {data_id}").into()).unwrap();
    node.publish_config(Publish::new(key, content, Author::default(), node.config_bounds())).await.unwrap();
}

async fn digest(node: &Node, id: u64) -> (u64, Arc<StateDigest>) {
    loop {
        match node.doctor.marks.result(id).unwrap() {
            MarkResult { marked: Marked::Done(digest), index, .. } => return (index, digest),
            MarkResult { marked: Marked::Computing, .. } => {
                tokio::time::sleep(Duration::from_millis(5)).await
            }
            failed => panic!("{failed:?}"),
        }
    }
}

#[tokio::test]
async fn one_flipped_content_is_found_and_named() {
    let node = started().await;
    for number in 0..20 {
        publish(&node, &format!("c{number}")).await;
    }
    let mark = node.put_mark(Vec::new()).await.unwrap();
    let (_, before) = digest(&node, mark).await;
    // A content, a config and a history entry each.
    assert_eq!(before.rows(), 60);
    let mark = node.put_mark(Vec::new()).await.unwrap();
    assert!(before.differing(&digest(&node, mark).await.1).is_empty(), "marks change nothing");

    let rows = node.state.scan(Table::ConfigContent, &[], 100).unwrap();
    let (key, value) = rows.iter().find(|(key, _)| key.ends_with(b"c7")).unwrap();
    let mut flipped = value.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let row = Row { table: Table::ConfigContent, key: key.clone(), value: Some(flipped.into()) };
    let applied = node.state.applied().unwrap().unwrap();
    node.state.commit(&[row], &applied).unwrap();

    let mark = node.put_mark(Vec::new()).await.unwrap();
    let places = before.differing(&digest(&node, mark).await.1);
    assert_eq!(places.len(), 1, "{places:?}");
    let mark = node.put_mark(places.clone()).await.unwrap();
    let (_, named) = digest(&node, mark).await;
    assert!(named.named[&places[0]].iter().any(|(named, _)| named == key));
}

#[tokio::test]
async fn what_is_applied_with_a_mark_counts_up_to_it() {
    let node = started().await;
    // All of these are on their way together, so that some share a commit with the marks.
    let writes = (0..60).map(|number| {
        let node = &node;
        async move {
            if number % 30 == 10 {
                let mark = node.put_mark(Vec::new()).await.unwrap();
                Some(digest(node, mark).await)
            } else {
                publish(node, &format!("c{number}")).await;
                None
            }
        }
    });
    let mut marks: Vec<_> = futures_util::future::join_all(writes).await.into_iter().flatten().collect();
    marks.sort_by_key(|(index, _)| *index);
    let rows: Vec<u64> = marks.iter().map(|(_, digest)| digest.rows()).collect();
    assert!(rows.is_sorted() && rows.iter().all(|rows| rows % 3 == 0), "whole configs: {rows:?}");
    let mark = node.put_mark(Vec::new()).await.unwrap();
    assert_eq!(digest(&node, mark).await.1.rows(), 58 * 3);
}

#[tokio::test]
async fn a_node_alone_is_well() {
    let node = started().await;
    publish(&node, "a").await;
    let examination = node.examine().await;
    assert_eq!(examination.findings, []);
    assert_eq!(examination.nodes.len(), 1);
    let (_, state) = &examination.checked[3];
    assert!(state.contains("3 rows of durable state on 1 nodes"), "{state}");
    assert!(node.last_examination().is_some());
}
