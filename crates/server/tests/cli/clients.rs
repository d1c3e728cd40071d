//! The commands that talk to a node.

use crate::process::{Node, ended, run, signal, stderr, stdout, wait_for};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

const NOT_FOUND: Option<i32> = Some(3);
const USAGE: Option<i32> = Some(2);
const DATA_DIR: Option<i32> = Some(4);

#[test]
fn a_config_comes_back_as_it_was_published() {
    let node = Node::start(&[]);
    let text = "你好，世界 \"x\" <b>\n\ttab";
    node.ok(&["publish", "greeting", text, "--type", "yaml"]);
    assert_eq!(node.ok(&["get", "greeting"]), text);
    let json = node.json(&["get", "greeting", "--json"]);
    assert_eq!(json["content"], text);
    assert_eq!(json["type"], "yaml");

    let big = "界".repeat(1 << 18);
    let mut publish =
        node.client(&["publish", "big"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    publish.stdin.take().unwrap().write_all(big.as_bytes()).unwrap();
    assert!(ended(&mut publish).success());
    assert_eq!(node.ok(&["get", "big"]), big);

    fs::write(node.dir.path().join("file.json"), "{}").unwrap();
    node.ok(&["publish", "from-file", "-f", "file.json"]);
    assert_eq!(node.ok(&["get", "from-file"]), "{}");
}

#[test]
fn what_is_not_there_or_not_possible_says_so() {
    let node = Node::start(&[]);
    let missing = node.run(&["get", "nothing", "-g", "g"]);
    assert_eq!(missing.status.code(), NOT_FOUND);
    assert_eq!(stderr(&missing), "muster: there is no config nothing in group g of namespace public\n");
    assert_eq!(stdout(&missing), "");

    fs::write(node.dir.path().join("binary"), b"ab\xff").unwrap();
    let binary = node.run(&["publish", "x", "-f", "binary"]);
    assert_eq!(binary.status.code(), Some(1));
    assert!(stderr(&binary).contains("binary is not UTF-8 text at byte 2"), "{}", stderr(&binary));

    for arguments in [["publish", "bad name", "x"], ["publish", "x", " "]] {
        assert_eq!(node.run(&arguments).status.code(), Some(1), "{arguments:?}");
    }
    let nobody = run(node.dir.path(), &["get", "x", "--server=127.0.0.1:1"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).starts_with("muster: no node answers at 127.0.0.1:1 (gRPC at 127.0.0.1:1001): "));
    assert_eq!(stderr(&nobody).lines().count(), 1);
    assert_eq!(run(node.dir.path(), &["get", "x", "--server=:1"]).status.code(), USAGE);
}

#[test]
fn compare_and_set_takes_the_md5_that_get_prints() {
    let node = Node::start(&[]);
    node.ok(&["publish", "counter", "1"]);
    let md5 = node.json(&["get", "counter", "--json"])["md5"].as_str().unwrap().to_owned();
    node.ok(&["publish", "counter", "2", "--cas", &md5]);
    assert_eq!(node.run(&["publish", "counter", "3", "--cas", &md5]).status.code(), Some(1));
    assert_eq!(node.ok(&["get", "counter"]), "2");
}

#[test]
fn the_default_namespace_has_many_spellings_and_others_are_apart() {
    let node = Node::start(&[]);
    node.ok(&["publish", "x", "default"]);
    node.ok(&["publish", "x", "dev", "-n", "dev"]);
    assert_eq!(node.ok(&["get", "x", "-n", ""]), "default");
    assert_eq!(node.ok(&["get", "x", "-n", "public"]), "default");
    assert_eq!(node.ok(&["get", "x", "-n", "dev"]), "dev");
    assert_eq!(node.run(&["get", "x", "-n", "other"]).status.code(), NOT_FOUND);
}

fn hosts(node: &Node, service: &str) -> usize {
    node.json(&["list", service, "--json"])["hosts"].as_array().unwrap().len()
}

#[test]
fn register_lasts_until_interrupted_and_the_recorder_says_why() {
    let node = Node::start(&[]);
    let register = ["register", "orders", "10.0.0.8:8080", "-m", "zone=北京"];
    let mut register = node.client(&register).stdout(Stdio::piped()).spawn().unwrap();
    wait_for("the registration", || (hosts(&node, "orders") == 1).then_some(()));
    assert_eq!(node.ok(&["list"]), "orders\n");
    assert_eq!(
        node.ok(&["list", "orders"]),
        "ADDRESS        CLUSTER  WEIGHT  STATE    METADATA\n10.0.0.8:8080  DEFAULT  1       healthy  zone=北京\n"
    );
    signal(&register, "INT");
    assert!(ended(&mut register).success());
    assert_eq!(hosts(&node, "orders"), 0);
    let history = node.json(&["history", "service", "orders", "-n", "", "--json"]);
    let why: Vec<_> = history["changes"].as_array().unwrap().iter().map(|change| &change["why"]).collect();
    assert_eq!(why, ["deregistered", "registered"]);
    let other = node.json(&["history", "service", "orders", "--instance", "10.0.0.9", "--json"]);
    assert_eq!(other["changes"].as_array().unwrap().len(), 0);
}

#[test]
fn register_outlives_a_crash_of_the_node_and_ends_by_sigterm() {
    let mut node = Node::start(&[]);
    let mut register = node
        .client(&["register", "orders", "[fd00::7]:1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the registration", || (hosts(&node, "orders") == 1).then_some(()));
    node.crash_and_restart();
    wait_for("the registration again", || (hosts(&node, "orders") == 1).then_some(()));
    node.child.kill().unwrap();
    node.child.wait().unwrap();
    signal(&register, "TERM");
    wait_for("the end of register", || register.try_wait().unwrap());
}

#[test]
fn watch_prints_each_state_once_as_a_line_of_json() {
    let node = Node::start(&[]);
    let mut watch =
        node.client(&["watch", "--config", "--json", "w"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["content"], serde_json::Value::Null);
    for content in ["a: 1\n", "b: 2"] {
        node.ok(&["publish", "w", content]);
        assert_eq!(next()["content"], content);
    }
    signal(&watch, "TERM");
    assert!(ended(&mut watch).success());
    wait_for("the end of its watcher", || (node.metric("muster_watchers") == 0).then_some(()));
}

#[test]
fn a_backup_is_restored_and_nothing_is_written_over() {
    let node = Node::start(&[]);
    node.ok(&["publish", "kept", "世界"]);
    let backup = node.json(&["backup", "one.bak", "--json"]);
    let dir = node.dir.path();
    assert_eq!(backup["bytes"], fs::metadata(dir.join("one.bak")).unwrap().len());
    assert_eq!(node.run(&["backup", "one.bak"]).status.code(), USAGE);

    let copy = tempfile::tempdir().unwrap();
    let into = format!("--data-dir={}", copy.path().join("data").display());
    assert!(run(dir, &["restore", "one.bak", &into]).status.success());
    assert_eq!(run(dir, &["restore", "one.bak", &into]).status.code(), DATA_DIR);
    let copy = Node::start_in(copy, &[]);
    assert_eq!(copy.ok(&["get", "kept"]), "世界");

    let mut damaged = fs::read(dir.join("one.bak")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(dir.join("damaged.bak"), damaged).unwrap();
    let refused = run(dir, &["restore", "damaged.bak", "--data-dir=other"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("damaged.bak can't be restored"), "{}", stderr(&refused));
    assert!(!dir.join("other").exists());
    let nobody = run(dir, &["backup", "two.bak", "--server=127.0.0.1:1"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(!dir.join("two.bak.partial").exists() && !dir.join("two.bak").exists());
}

#[test]
fn the_recorder_can_be_read_of_a_stopped_node() {
    let node = Node::start(&[]);
    let mut register = node.client(&["register", "s", "10.0.0.8:1"]).stdout(Stdio::null()).spawn().unwrap();
    wait_for("the registration", || (hosts(&node, "s") == 1).then_some(()));
    signal(&register, "INT");
    assert!(ended(&mut register).success());
    let mut node = node;
    signal(&node.child, "TERM");
    assert!(ended(&mut node.child).success());
    let dir = node.dir.path();
    let table = run(dir, &["history", "service", "s", "--data-dir=data"]);
    assert!(stdout(&table).starts_with("WHEN"), "{}", stdout(&table));
    assert_eq!(stdout(&table).lines().count(), 3);
    assert_eq!(run(dir, &["history", "service", "s", "--data-dir=nowhere"]).status.code(), NOT_FOUND);
    assert!(!dir.join("nowhere").exists());
}
