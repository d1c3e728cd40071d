//! Pushes over UDP, from and to real sockets.

use crate::world::World;
use flate2::read::GzDecoder;
use muster_nacos::HttpSettings;
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::net::UdpSocket;

const JAVA: (&str, &str) = ("User-Agent", "Nacos-Java-Client:v1.4.2");

struct Client {
    socket: UdpSocket,
}

impl Client {
    async fn new(address: &str) -> Self {
        Self { socket: UdpSocket::bind(address).await.unwrap() }
    }

    async fn list(&self, world: &World, more: &str, agent: (&str, &str)) {
        let port = self.socket.local_addr().unwrap().port();
        let path = format!("/nacos/v1/ns/instance/list?serviceName=s&udpPort={port}{more}");
        assert_eq!(world.send("GET", &path, "", &[agent]).await.status, 200);
    }

    /// The next datagram and where it came from.
    async fn next(&self) -> (Value, SocketAddr) {
        let mut buffer = [0; 2048];
        let receive = self.socket.recv_from(&mut buffer);
        let (length, from) = tokio::time::timeout(Duration::from_secs(10), receive).await.unwrap().unwrap();
        let datagram = &buffer[..length];
        let read = if datagram.starts_with(&[0x1f, 0x8b]) {
            serde_json::from_reader(GzDecoder::new(datagram))
        } else {
            serde_json::from_slice(datagram)
        };
        (read.unwrap(), from)
    }

    async fn acknowledge(&self, push: &Value, to: SocketAddr) {
        let ack = format!(r#"{{"type":"push-ack","lastRefTime":"{}","data":""}}"#, push["lastRefTime"]);
        self.socket.send_to(ack.as_bytes(), to).await.unwrap();
    }
}

async fn register(world: &World, ip: &str) {
    world.ask("POST", &format!("/nacos/v1/ns/instance?serviceName=s&ip={ip}&port=80")).await.is(200, "ok");
}

fn hosts(push: &Value) -> Vec<String> {
    let info: Value = serde_json::from_str(push["data"].as_str().unwrap()).unwrap();
    assert_eq!(info["name"], "DEFAULT_GROUP@@s");
    let hosts = info["hosts"].as_array().unwrap().iter();
    hosts.map(|host| host["ip"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_change_is_one_datagram_and_the_next_comes_after_its_acknowledgement() {
    let world = World::new().await;
    let client = Client::new("127.0.0.1:0").await;
    client.list(&world, "", JAVA).await;
    register(&world, "10.0.0.1").await;
    let (first, from) = client.next().await;
    assert_eq!((&first["type"], hosts(&first)), (&Value::from("dom"), vec!["10.0.0.1".to_owned()]));
    // Nothing more is sent before the acknowledgement; then the newest state, once.
    register(&world, "10.0.0.2").await;
    register(&world, "10.0.0.3").await;
    client.acknowledge(&first, from).await;
    let (second, _) = client.next().await;
    assert_eq!(hosts(&second).len(), 3);
    assert_ne!(first["lastRefTime"], second["lastRefTime"]);
}

#[tokio::test]
async fn an_unacknowledged_datagram_is_sent_once_more() {
    let world = World::new().await;
    let client = Client::new("127.0.0.1:0").await;
    client.list(&world, "", JAVA).await;
    register(&world, "10.0.0.1").await;
    let (first, _) = client.next().await;
    let (second, _) = client.next().await;
    assert_eq!(first["data"], second["data"]);
}

#[tokio::test]
async fn datagrams_go_where_the_request_came_from_unless_it_is_allowed() {
    let world = World::new().await;
    let (here, there) = (Client::new("127.0.0.1:0").await, Client::new("127.0.0.2:0").await);
    here.list(&world, "&clientIP=127.0.0.2", JAVA).await;
    register(&world, "10.0.0.1").await;
    here.next().await;
    let world = World::with(HttpSettings { udp_push_anywhere: true, ..HttpSettings::default() }).await;
    there.list(&world, "&clientIP=127.0.0.2", JAVA).await;
    register(&world, "10.0.0.1").await;
    there.next().await;
}

#[tokio::test]
async fn only_clients_that_take_datagrams_are_watchers() {
    let world = World::new().await;
    let client = Client::new("127.0.0.1:0").await;
    client.list(&world, "", ("User-Agent", "curl/8.0")).await;
    assert_eq!(world.node.watch_counts().watchers, 0);
    client.list(&world, "", JAVA).await;
    client.list(&world, "&clusters=c1", JAVA).await;
    client.list(&world, "", JAVA).await;
    assert_eq!(world.node.watch_counts().watchers, 2, "one for each list of clusters");
}
