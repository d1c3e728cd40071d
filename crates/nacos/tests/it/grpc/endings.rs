//! How connections end, and that nothing of them stays.

use super::{
    frames::Frames,
    naming::{instance, register, service, subscribe},
    peer::{Peer, payload},
    server::{Server, often},
};
use muster_nacos::SessionSettings;
use prost::Message as _;
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;

const DETECTION: &str = "ClientDetectionRequest";

fn impatient() -> SessionSettings {
    SessionSettings { idle: Duration::from_millis(300), detection: Duration::from_millis(300), ..often() }
}

#[tokio::test]
async fn a_silent_client_is_asked_and_its_stream_ends_before_its_connection() {
    let server = Server::with(impatient()).await;
    let mut silent = server.naming().await;
    register(&silent, "s", "10.0.0.1").await;
    silent.push(DETECTION).await;
    assert_eq!(silent.end_of_stream().await, Code::Ok);
    server.until_connections(0).await;
    assert_eq!(server.world.node.registry_counts().publications, 0);
}

#[tokio::test]
async fn a_client_that_answers_the_detection_stays() {
    let server = Server::with(impatient()).await;
    let mut peer = server.naming().await;
    register(&peer, "s", "10.0.0.1").await;
    for _ in 0..4 {
        let asked = peer.push(DETECTION).await;
        peer.acknowledge(&asked).await;
    }
    peer.ask("HealthCheckRequest", json!({})).await;
    assert_eq!(server.world.node.registry_counts().publications, 1);
}

#[tokio::test]
async fn a_client_that_ends_its_half_of_the_stream_is_gone() {
    // It is asked to go, at once; it is not cut off by the look at all connections.
    let rarely = SessionSettings { scan_every: Duration::from_secs(60), ..often() };
    let server = Server::with(rarely).await;
    let mut peer = server.naming().await;
    register(&peer, "s", "10.0.0.1").await;
    peer.outgoing = None;
    assert_eq!(peer.end_of_stream().await, Code::Ok);
    server.until_connections(0).await;
    assert_eq!(server.world.node.registry_counts().publications, 0);
}

#[tokio::test]
async fn rapid_reconnects_leave_nothing() {
    let server = Server::start().await;
    for round in 0..20 {
        let mut peers = Vec::new();
        for number in 0..10 {
            let peer = server.naming().await;
            register(&peer, "s", &format!("10.0.{round}.{number}")).await;
            subscribe(&peer, "s", "").await;
            let context = json!({"dataId": "d", "group": "G", "tenant": "", "md5": ""});
            peer.ask("ConfigBatchListenRequest", json!({"listen": true, "configListenContexts": [context]}))
                .await;
            let body = json!({"groupKeyPattern": "public>>*>>*", "watchType": "WATCH", "initializing": true});
            peer.ask("NamingFuzzyWatchRequest", body.clone()).await;
            peer.ask("ConfigFuzzyWatchRequest", body).await;
            peers.push(peer);
        }
    }
    server.until_connections(0).await;
    let (watched, counts) = (server.world.node.watch_counts(), server.world.node.registry_counts());
    assert_eq!((watched.services, watched.configs, counts.publications), (0, 0, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_connection_cut_during_its_calls_leaves_nothing() {
    let server = Server::start().await;
    for _ in 0..20 {
        let peer = server.naming().await;
        let body =
            service("s", json!({"type": "registerInstance", "instance": instance("10.0.0.1", json!({}))}));
        let calls = (0..20).map(|_| peer.try_ask("InstanceRequest", body.clone()));
        let calls = futures_util::future::join_all(calls);
        let cut = async {
            let open = server.world.table.all();
            open.iter().for_each(|connection| connection.close());
        };
        tokio::join!(calls, cut);
    }
    server.until_connections(0).await;
    assert_eq!(server.world.node.registry_counts().publications, 0);
}

#[tokio::test]
async fn a_client_that_is_asked_to_move_is_served_until_it_does() {
    let server = Server::start().await;
    let mut peer = server.naming().await;
    server.world.sessions.reset_all();
    peer.push("ConnectResetRequest").await;
    peer.ask("HealthCheckRequest", json!({})).await;
    drop(peer);
    server.until_connections(0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_drain_ends_streams_well() {
    let server = Server::start().await;
    let mut peer = server.naming().await;
    register(&peer, "s", "10.0.0.1").await;
    let drained = tokio::join!(server.drain(), async { assert_eq!(peer.end_of_stream().await, Code::Ok) }).0;
    assert_eq!((drained.open, drained.aborted), (1, 0));
    server.until_connections(0).await;
    server.stop().await;
}

#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let server = Server::start().await;
    let peer = server.naming().await;
    for garbage in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense!"]
    {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(garbage).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut rest = Vec::new();
        // A reset is as good an end as any.
        drop(
            tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut rest))
                .await
                .expect("it is closed"),
        );
    }
    server.until_connections(1).await;
    peer.ask("HealthCheckRequest", json!({})).await;
}

#[tokio::test]
async fn a_call_that_stops_half_way_fails_and_the_connection_stays() {
    let server = Server::with(SessionSettings { body_stall: Duration::from_millis(200), ..often() }).await;
    let mut frames = Frames::connect(server.address).await;
    frames.begin_call(1).await;
    // A message of 100 bytes, of which 3 come.
    frames.send_data(1, b"\0\0\0\0\x64abc", false).await;
    assert!(frames.answered_by_head_alone(1).await);

    let message = payload("ServerCheckRequest", &json!({})).encode_to_vec();
    let mut whole = vec![0];
    whole.extend((message.len() as u32).to_be_bytes());
    whole.extend(message);
    frames.begin_call(3).await;
    frames.send_data(3, &whole, true).await;
    assert!(!frames.answered_by_head_alone(3).await, "a head, a message and a status");
}

#[tokio::test]
async fn a_peer_without_a_stream_leaves_nothing() {
    let server = Server::start().await;
    for _ in 0..5 {
        Peer::bare(server.address).await.ask("ServerCheckRequest", json!({})).await;
    }
    server.until_connections(0).await;
}
