//! Clients of Nacos 1.x are told over UDP by the node that they asked, wherever something changed.

use crate::{
    http::{Ask, Caller},
    listener::Listener,
};
use flate2::read::GzDecoder;
use hyper::Method;
use serde_json::Value;
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout_at},
};

/// How long a datagram may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a connection registers at one node, and what beats hold there, is pushed by another.
pub(crate) async fn pushed(at: SocketAddr, to: SocketAddr) {
    let service = format!("datagrams-{}-{}", at.ip(), to.ip()).replace('.', "-");
    let subscriber = Subscriber::of(to, &service).await;
    let publisher = Listener::at(at).await;
    publisher.register(&service, "10.0.0.1").await;
    subscriber.told(&["10.0.0.1"]).await;

    let mut caller = Caller::new(at, PATIENCE);
    let path = format!("/nacos/v1/ns/instance?serviceName={service}&ip=10.0.0.2&port=80&ephemeral=true");
    assert!(caller.call(&Ask::plain(Method::POST, &path)).await.unwrap().is_ok());
    subscriber.told(&["10.0.0.1", "10.0.0.2"]).await;
    drop(publisher);
    subscriber.told(&["10.0.0.2"]).await;
    assert!(caller.call(&Ask::plain(Method::DELETE, &path)).await.unwrap().is_ok());
    subscriber.told(&[]).await;
}

struct Subscriber {
    socket: UdpSocket,
}

impl Subscriber {
    /// Asks a node for a service that nobody has registered yet.
    async fn of(node: SocketAddr, service: &str) -> Self {
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let path = format!("/nacos/v1/ns/instance/list?serviceName={service}&udpPort={port}");
        let headers = [("user-agent", "Nacos-Java-Client:v1.4.2")];
        let ask = Ask { headers: &headers, ..Ask::plain(Method::GET, &path) };
        assert!(Caller::new(node, PATIENCE).call(&ask).await.unwrap().is_ok());
        Self { socket }
    }

    /// Waits until it is told exactly these hosts; acknowledges whatever comes.
    async fn told(&self, wanted: &[&str]) {
        let (wanted, deadline) = (BTreeSet::from_iter(wanted.iter().copied()), Instant::now() + PATIENCE);
        let mut buffer = [0; 2_048];
        loop {
            let received = timeout_at(deadline, self.socket.recv_from(&mut buffer)).await;
            let (length, from) = received.unwrap_or_else(|_| panic!("{wanted:?} is not told")).unwrap();
            let push = read(&buffer[..length]);
            let ack = format!(r#"{{"type":"push-ack","lastRefTime":"{}","data":""}}"#, push["lastRefTime"]);
            self.socket.send_to(ack.as_bytes(), from).await.unwrap();
            let told: Value = serde_json::from_str(push["data"].as_str().unwrap()).unwrap();
            let hosts = told["hosts"].as_array().unwrap();
            if hosts.iter().map(|host| host["ip"].as_str().unwrap()).collect::<BTreeSet<_>>() == wanted {
                return;
            }
        }
    }
}

/// What a datagram says; large ones are packed.
fn read(datagram: &[u8]) -> Value {
    let read = if datagram.starts_with(&[0x1f, 0x8b]) {
        serde_json::from_reader(GzDecoder::new(datagram))
    } else {
        serde_json::from_slice(datagram)
    };
    read.unwrap()
}
