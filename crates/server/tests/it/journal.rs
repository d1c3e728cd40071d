//! The flight recorder of the real binary: who removed this instance, and why; also after kill -9.

use crate::{
    client::{GROUP, Session},
    figures::say,
    node::{Node, complaint, muster},
};
use muster_client::Push;
use serde_json::Value;
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// What `muster history` answers, oldest first.
async fn history(service: &str, whom: &[&str]) -> Vec<Value> {
    let mut args = vec!["history", "service", service, "--group", GROUP, "--limit", "10000", "--json"];
    args.extend(whom);
    let output = muster(&args).await;
    assert!(output.status.success(), "{}", complaint(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["dropped"], 0, "{answer}");
    let mut changes = answer["changes"].as_array().unwrap().clone();
    changes.reverse();
    changes
}

async fn of_directory(service: &str, dir: &Path) -> Vec<Value> {
    history(service, &["--data-dir", dir.to_str().unwrap()]).await
}

/// What became of which instance and why, in words.
fn told(changes: &[Value]) -> Vec<[&str; 3]> {
    changes
        .iter()
        .map(|change| ["instance", "what", "why"].map(|key| change[key].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn says_who_and_why() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[]).await;
    let mut watcher = Session::open(&node.address()).await.unwrap();
    watcher.client.subscribe(GROUP, "order", "").await.unwrap();
    let stays = Session::open(&node.address()).await.unwrap();
    stays.register("order", 1_001).await.unwrap();
    stays.deregister("order", 1_001).await.unwrap();
    let lost = Session::open(&node.address()).await.unwrap();
    lost.register("order", 1_002).await.unwrap();
    drop(lost);
    // The subscriber sees it go.
    let mut seen = false;
    loop {
        let Some(Push::Service(info)) = watcher.pushes.recv().await else { panic!("no push") };
        let is_there = info.hosts.iter().any(|host| host.port == 1_002);
        if seen && !is_there {
            break;
        }
        seen |= is_there;
    }
    let expected = [
        ["127.0.0.1:1001@DEFAULT", "added", "registered"],
        ["127.0.0.1:1001@DEFAULT", "removed", "deregistered"],
        ["127.0.0.1:1002@DEFAULT", "added", "registered"],
        ["127.0.0.1:1002@DEFAULT", "removed", "connection lost"],
    ];
    let running = history("order", &["--server", &node.address()]).await;
    assert_eq!(told(&running), expected);
    for change in &running {
        assert_eq!(change["address"], "127.0.0.1");
        assert!(change["connection"].is_u64(), "{change}");
    }
    assert_eq!(running[2]["connection"], running[3]["connection"]);
    assert_ne!(running[1]["connection"], running[2]["connection"]);

    // The directory of a running node may be read, too, and reading changes nothing.
    let stopped = {
        node.stop().await;
        of_directory("order", &dir).await
    };
    assert_eq!(stopped, running);
    let node = Node::start(&dir, &[]).await;
    assert_eq!(history("order", &["--server", &node.address()]).await, running, "it outlives a restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_costs_a_second_at_most() {
    for round in 0..3 {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("data");
        let node = Node::start(&dir, &[]).await;
        let session = Session::open(&node.address()).await.unwrap();
        let begun = Instant::now();
        let end = Duration::from_millis(1_300 + 250 * round);
        let mut answered = Vec::new();
        while begun.elapsed() < end {
            let port = 1_000 + answered.len() as u16;
            session.register("busy", port).await.unwrap();
            answered.push((Instant::now(), port));
            sleep(Duration::from_millis(1)).await;
        }
        let killed = Instant::now();
        node.kill();
        let added: Vec<String> = of_directory("busy", &dir)
            .await
            .iter()
            .filter(|change| change["what"] == "added")
            .map(|change| change["instance"].as_str().unwrap().to_owned())
            .collect();
        let second = Duration::from_secs(1);
        let before = answered.iter().filter(|(at, _)| killed.duration_since(*at) > second).count();
        assert!(before > 0);
        let expected: Vec<String> =
            answered.iter().map(|(_, port)| format!("127.0.0.1:{port}@DEFAULT")).collect();
        assert!(added.len() >= before, "{} of at least {before}", added.len());
        assert_eq!(added, expected[..added.len()], "without gaps");
        let newest = answered[added.len() - 1].0;
        say(&format!(
            "journal: kill -9 after {} changes, {} are there, the last {:.0?} are missing",
            answered.len(),
            added.len(),
            killed.duration_since(newest)
        ));
    }
}

#[tokio::test]
async fn a_directory_that_is_none_is_refused_and_not_created() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("mistyped");
    let output = muster(&["history", "service", "order", "--data-dir", dir.to_str().unwrap()]).await;
    assert!(!output.status.success(), "there is no history in a directory that is not there");
    assert!(complaint(&output).contains("mistyped"), "{}", complaint(&output));
    assert!(!dir.exists(), "reading creates nothing");
}
