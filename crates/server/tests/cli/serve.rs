//! How a node starts and ends.

use crate::process::{Node, ended, run, signal, stderr, wait_for};
use std::{
    fs,
    io::{Read, Write},
};

#[test]
fn a_first_start_says_little_and_what_it_says_to_try_works() {
    let node = Node::start(&[]);
    let lines = node.out().lines().count() + node.err().lines().count();
    assert!(lines <= 15, "{}{}", node.out(), node.err());

    let out = node.out();
    let words: Vec<_> = out.split([' ', '\n', '\'']).collect();
    let form = words.iter().find(|word| word.starts_with("dataId=")).unwrap();
    let post = words.iter().find(|word| word.ends_with("/v1/cs/configs")).unwrap();
    let path = post.strip_prefix(&format!("http://127.0.0.1:{}", node.port)).unwrap();
    let mut stream = node.connect();
    let kind = "application/x-www-form-urlencoded";
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: m\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\ntrue"), "{answer}");
    let get = words.iter().find(|word| word.contains("?dataId=hello")).unwrap();
    let answer = node.get(&get[get.find("/nacos").unwrap()..]);
    assert!(answer.ends_with("\r\n\r\nworld"), "{answer}");
}

#[test]
fn logs_are_json_where_nobody_watches_and_hold_no_contents() {
    let mut node = Node::start(&["--set", "log_level=trace"]);
    node.ok(&["publish", "x", "do-not-log-this"]);
    assert_eq!(node.ok(&["get", "x"]), "do-not-log-this");
    signal(&node.child, "TERM");
    assert!(ended(&mut node.child).success());
    for line in node.err().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        // What the libraries below us say at TRACE is theirs.
        if event["target"].as_str().unwrap().starts_with("muster") {
            assert!(!line.contains("do-not-log-this"), "{line}");
        }
    }
}

#[test]
fn refusals_have_their_own_exit_codes() {
    let node = Node::start(&[]);
    let dir = node.dir.path();
    let code = |arguments: &[&str]| {
        let output = run(dir, arguments);
        (output.status.code().unwrap(), stderr(&output))
    };
    let (exit, text) = code(&["serve", "--data-dir=data"]);
    assert!(exit == 4 && text.contains("in use"), "{exit} {text}");
    let listen = format!("--listen=127.0.0.1:{}", node.port);
    let (exit, text) = code(&["serve", "--data-dir=other", &listen]);
    assert!(exit == 5 && text.contains("another process"), "{exit} {text}");
    let (exit, text) = code(&["serve", "--data-dir=other", "--listen=0.0.0.0:8848"]);
    assert!(exit == 2 && text.contains("--open-client-api"), "{exit} {text}");

    fs::create_dir(dir.join("foreign")).unwrap();
    fs::write(dir.join("foreign/photo.jpg"), "x").unwrap();
    let (exit, text) = code(&["serve", "--data-dir=foreign"]);
    assert!(exit == 4 && text.contains("photo.jpg"), "{exit} {text}");
    let (exit, _) = code(&["serve", "--data-dir=no/parent"]);
    assert_eq!(exit, 4);
}

#[test]
fn a_second_signal_ends_a_drain_at_once() {
    let mut node = Node::start(&["--set", "drain=1h"]);
    let mut stream = node.connect();
    // A request whose body never comes holds the drain up.
    let head = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 9";
    write!(stream, "POST /nacos/v1/cs/configs HTTP/1.1\r\nhost: m\r\n{head}\r\n\r\n").unwrap();
    wait_for("the connection", || (node.metric("muster_connections") >= 2).then_some(()));
    signal(&node.child, "TERM");
    wait_for("the drain", || node.err().contains("draining").then_some(()));
    assert!(node.child.try_wait().unwrap().is_none());
    signal(&node.child, "INT");
    assert_eq!(ended(&mut node.child).code(), Some(130));
}

#[test]
fn a_drain_lets_clients_go_and_is_over_soon() {
    let mut node = Node::start(&["--set", "drain=1h"]);
    let mut register = node.client(&["register", "s", "10.0.0.8:1"]).spawn().unwrap();
    wait_for("the registration", || (node.metric("muster_instances") == 1).then_some(()));
    signal(&node.child, "TERM");
    assert!(ended(&mut node.child).success());
    assert!(node.err().contains("\"stopped\""), "{}", node.err());
    signal(&register, "INT");
    assert!(ended(&mut register).success());
}

#[test]
fn health_is_told_apart_from_readiness_to_write() {
    // No disk has as much room to spare.
    let node = Node::start(&["--set", "reserve_bytes=1_000_000_000 GiB"]);
    assert!(node.get("/live").starts_with("HTTP/1.1 200 "));
    let ready = node.get("/ready");
    assert!(ready.starts_with("HTTP/1.1 200 ") && ready.contains("degraded"), "{ready}");
    assert!(node.get("/ready?for=write").starts_with("HTTP/1.1 503 "));
    let refused = node.run(&["publish", "x", "y"]);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    let mut register = node.client(&["register", "s", "10.0.0.8:1"]).spawn().unwrap();
    wait_for("an ephemeral registration", || (node.metric("muster_instances") == 1).then_some(()));
    signal(&register, "INT");
    assert!(ended(&mut register).success());
}

#[test]
fn another_context_path_moves_all_of_nacos() {
    let node = Node::start(&["--set", "context_path=/registry"]);
    assert!(node.get("/registry/v1/ns/instance/list?serviceName=a").starts_with("HTTP/1.1 200 "));
    assert!(node.get("/nacos/v1/ns/instance/list?serviceName=a").starts_with("HTTP/1.1 404 "));
    assert!(node.get("/registry/").contains("<h1>Muster</h1>"));
    let root = Node::start(&["--set", "context_path=/"]);
    assert!(root.get("/v1/ns/instance/list?serviceName=a").starts_with("HTTP/1.1 200 "));
    assert!(root.get("/").contains("<h1>Muster</h1>"));
}
