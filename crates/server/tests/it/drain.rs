//! SIGTERM: clients are asked to move, and leave before the process ends; those that are stuck do not hold it up.

use crate::{
    client::Session,
    figures::say,
    node::{Node, http},
    sequence::Sequence,
};
use muster_client::Push;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_asked_to_move_and_leave_first() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let mut node = Node::start(&dir, &["drain=10s"]).await;
    let mut clients = JoinSet::new();
    let mut writes = Sequence::new("drain", 100);
    let writer = Session::open(&node.address()).await.unwrap();
    writes.write_many(&writer, 50).await;
    clients.spawn(moves(writer));
    for number in 0..20 {
        let session = Session::open(&node.address()).await.unwrap();
        session.register("drained", 5_000 + number).await.unwrap();
        clients.spawn(moves(session));
    }
    let begun = Instant::now();
    node.terminate();
    for left in (0..clients.len()).rev() {
        clients.join_next().await.unwrap().unwrap();
        assert!(left == 0 || node.is_running(), "{left} clients had not been asked when the process ended");
    }
    let status = node.wait_end().await;
    say(&format!("drain: 21 clients moved, ended after {:.0?}", begun.elapsed()));
    assert_eq!(status.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "nobody was waited for: {:?}", begun.elapsed());

    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(writes.missing(&session).await, [0; 0]);
}

/// Stays until it is asked to move, and takes a moment to do so, as real clients do.
async fn moves(mut session: Session) {
    let reset = async {
        while let Some(push) = session.pushes.recv().await {
            if matches!(push, Push::Reset { .. }) {
                return;
            }
        }
        panic!("the connection ended before it was asked to move");
    };
    timeout(Duration::from_secs(10), reset).await.expect("it is asked to move");
    // The connection is still good for what is under way.
    session.client.health_check().await.unwrap();
    sleep(Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_clients_do_not_hold_it_up() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &["drain=2s"]).await;
    // Stays whatever it is told.
    let stays = Session::open(&node.address()).await.unwrap();
    stays.register("stuck", 5_000).await.unwrap();
    // Half a request; and a long poll that would be held for a minute.
    let mut half = TcpStream::connect(node.address()).await.unwrap();
    half.write_all(b"POST /nacos/v1/cs/configs HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
        .await
        .unwrap();
    let mut poll = TcpStream::connect(node.address()).await.unwrap();
    let body = "Listening-Configs=hello%02DEFAULT_GROUP%02%01";
    let request = format!(
        "POST /nacos/v1/cs/configs/listener HTTP/1.1\r\nhost: x\r\nLong-Pulling-Timeout: 60000\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    poll.write_all(request.as_bytes()).await.unwrap();
    // A request after them shows that they have arrived.
    http(node.port, "GET", "/ready").await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    node.terminate();
    let log = node.log();
    let status = node.wait_end().await;
    let took = begun.elapsed();
    say(&format!("drain: three stuck clients, set time 2s, ended after {took:.0?}"));
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    let mut answer = String::new();
    timeout(Duration::from_secs(1), poll.read_to_string(&mut answer)).await.unwrap().ok();
    drop(stays);
}

/// New connections are refused, and a load balancer is told, while clients still move.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_node_takes_nobody_in() {
    let base = tempfile::tempdir().unwrap();
    let node = Node::start(&base.path().join("data"), &["drain=3s"]).await;
    let stays = Session::open(&node.address()).await.unwrap();
    node.terminate();
    let begun = Instant::now();
    while TcpStream::connect(node.address()).await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(1), "still takes connections");
        sleep(Duration::from_millis(5)).await;
    }
    assert!(stays.client.health_check().await.is_ok(), "who is there may finish");
    assert_eq!(node.wait_end().await.code(), Some(0));
}
