//! What a node does to clients that take too much.

use crate::process::{Node, stderr, wait_for};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

/// The content type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads until the node ends the connection.
fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn one_connection_too_many_is_closed_and_room_is_given_again() {
    let node = Node::start(&["--set", "connections_max=3"]);
    wait_for("no connection of the start", || {
        let mut held: Vec<TcpStream> = (0..3).map(|_| node.connect()).collect();
        let served = held.iter_mut().all(|stream| {
            write!(stream, "GET /live HTTP/1.1\r\nhost: m\r\n\r\n").is_ok()
                && stream.read(&mut [0; 512]).is_ok_and(|read| read > 0)
        });
        let mut fourth = node.connect();
        // What it sends may meet the close.
        drop(write!(fourth, "GET /live HTTP/1.1\r\nhost: m\r\n\r\n"));
        (served && read_to_end(&mut fourth).is_empty()).then_some(())
    });
    wait_for("room", || {
        let mut stream = node.connect();
        drop(write!(stream, "GET /live HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n"));
        read_to_end(&mut stream).contains("200 OK").then_some(())
    });
    assert!(node.metric("muster_connections_refused_total") > 0);
}

#[test]
fn a_slow_loris_is_cut_off() {
    let node = Node::start(&["--set", "header_timeout=200ms"]);
    let mut stream = node.connect();
    write!(stream, "GET /live HTTP/1.1\r\nhost: m\r\nx-slow: ").unwrap();
    assert_eq!(read_to_end(&mut stream), "");
    assert_eq!(node.metric("muster_connections_too_slow_total"), 1);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let node = Node::start(&["--set", "body_timeout=200ms"]);
    let mut stream = node.connect();
    write!(stream, "POST /nacos/v1/cs/configs HTTP/1.1\r\nhost: m\r\ncontent-type: {FORM}\r\ncontent-length: 99\r\n\r\ndataId=x").unwrap();
    let answer = read_to_end(&mut stream);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(node.get("/live").starts_with("HTTP/1.1 200 "));
}

#[test]
fn an_idle_connection_is_closed() {
    let node = Node::start(&["--set", "idle_timeout=200ms"]);
    let mut stream = node.connect();
    write!(stream, "GET /live HTTP/1.1\r\nhost: m\r\n\r\n").unwrap();
    assert!(read_to_end(&mut stream).ends_with("ok\n"));
    assert!(node.metric("muster_connections_idle_closed_total") >= 1);
}

#[test]
fn headers_are_limited() {
    let node = Node::start(&["--set", "header_bytes_max=8KiB"]);
    let mut stream = node.connect();
    // The node may answer before everything is sent.
    drop(write!(stream, "GET /live HTTP/1.1\r\nhost: m\r\nx-long: {}\r\n\r\n", "x".repeat(20 << 10)));
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 431");
}

#[test]
fn contents_are_limited_over_grpc_and_http_and_the_node_lives() {
    let node = Node::start(&["--set", "content_bytes_max=1KiB"]);
    node.ok(&["publish", "fits", &"x".repeat(1 << 10)]);
    let refused = node.run(&["publish", "long", &"x".repeat((1 << 10) + 1)]);
    assert!(!refused.status.success() && stderr(&refused).contains("1024"), "{}", stderr(&refused));
    let path = format!("/nacos/v1/cs/configs?dataId=long&group=g&content={}", "x".repeat(2 << 10));
    let mut stream = node.connect();
    write!(stream, "POST {path} HTTP/1.1\r\nhost: m\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    assert!(!read_to_end(&mut stream).starts_with("HTTP/1.1 200 "));

    // A form may be three times as long, because of its escapes, and 1 MiB.
    let long = "x".repeat(3 * (1 << 10) + (1 << 20) + 1);
    let mut stream = node.connect();
    let head = format!("content-type: {FORM}\r\ncontent-length: {}", long.len());
    write!(
        stream,
        "POST /nacos/v1/cs/configs HTTP/1.1\r\nhost: m\r\nconnection: close\r\n{head}\r\n\r\n{long}"
    )
    .unwrap();
    assert!(read_to_end(&mut stream).starts_with("HTTP/1.1 413 "));
    assert_eq!(node.ok(&["get", "fits"]).len(), 1 << 10);
}

#[test]
fn connections_leave_files_for_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let binary = env!("CARGO_BIN_EXE_muster");
    // The port is refused, so it ends by itself.
    let script = format!(
        "ulimit -n 200; exec {binary} serve --data-dir data --listen 192.0.2.1:8848 --open-client-api"
    );
    let output =
        std::process::Command::new("sh").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("\"connections\":72"), "{}", stderr(&output));
}
