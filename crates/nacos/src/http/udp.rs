//! Pushes to 1.x clients over UDP: a client that lists a service and names a port is told of its changes for a
//! while (nacos-http.md 3.3.4). A datagram that is lost, or too long, is no harm: these clients poll as well.
//!
//! Lock order: `subscribers`, then a subscriber's `services`; the watch is called under both, and never calls back.

use super::call::Call;
use crate::service_info::{Query, service_info};
use bytes::Bytes;
use muster_model::{Monotonic, ServiceKey, Slot};
use muster_nacos_wire::{
    Shape,
    http::{PushAck, push_datagram, takes_udp_push},
};
use muster_node::{
    Node, Push, PushRef, ServiceInterest, ServiceView, Watcher, WatcherKind,
    watch::{PushId, WatcherId},
};
use muster_runtime::Tasks;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::UdpSocket;

/// How long a client is told of a service after it last listed it; it lists each 10 s.
const INTEREST_MS: u64 = 30_000;
/// Addresses that may be told at the same time; further ones poll.
const TARGETS_MAX: usize = 10_000;
/// Lists of clusters that one address may be told of.
const CLUSTER_LISTS_MAX: usize = 16;
/// The longest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_507;
/// The pause after a failed receive, so that a broken socket costs no processor.
const RECEIVE_PAUSE: Duration = Duration::from_millis(100);
/// The longest acknowledgement that is looked at.
const ACK_BYTES_MAX: usize = 4_096;

/// Everyone who is told over UDP.
pub(crate) struct Datagrams {
    node: Arc<Node>,
    tasks: Tasks,
    anywhere: bool,
    /// The sockets by the address of ours that clients reached: the datagrams come from there.
    sockets: Mutex<HashMap<IpAddr, Arc<UdpSocket>>>,
    subscribers: Mutex<HashMap<SocketAddr, Vec<Arc<Subscriber>>>>,
    /// The number of the next datagram. It begins at the time in nanoseconds, as the original's are.
    next_number: AtomicU64,
}

/// An address that is told of services, for one list of clusters.
struct Subscriber {
    target: SocketAddr,
    clusters: Arc<str>,
    /// What the client calls itself, and its application.
    agent: Box<str>,
    app: Box<str>,
    socket: Arc<UdpSocket>,
    watcher: Watcher,
    services: Mutex<HashMap<ServiceKey, Interest>>,
}

/// An address that is told over UDP, as administrators see it.
#[derive(Clone, Debug)]
pub(crate) struct DatagramClient {
    pub(crate) watcher: WatcherId,
    pub(crate) target: SocketAddr,
    pub(crate) agent: String,
    pub(crate) app: String,
}

struct Interest {
    /// When the client last listed the service.
    listed: Monotonic,
    /// The last datagram that is not acknowledged: its number, and what it was to the watch.
    sent: Option<(u64, PushId)>,
}

impl Datagrams {
    pub(crate) fn new(node: Arc<Node>, tasks: Tasks, anywhere: bool) -> Arc<Self> {
        let next_number = AtomicU64::new(node.now().wall.0.saturating_mul(1_000_000));
        Arc::new(Self {
            node,
            tasks,
            anywhere,
            sockets: Mutex::default(),
            subscribers: Mutex::default(),
            next_number,
        })
    }

    /// Tells the client of changes of a service from now on, if it asks for that, and gives the service as it is;
    /// `None`: it is not told.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        call: &Call,
        service: &ServiceKey,
        clusters: &str,
    ) -> Option<Arc<ServiceView>> {
        let port = call.parameters.number("udpPort").and_then(|port| u16::try_from(port).ok())?;
        let agent = call.header("User-Agent").unwrap_or_default();
        if port == 0 || !takes_udp_push(agent, &self.node.switches().push_since) {
            return None;
        }
        let target = SocketAddr::new(self.address(call), port);
        let mut subscribers = self.subscribers.lock();
        if subscribers.len() >= TARGETS_MAX && !subscribers.contains_key(&target) {
            return None;
        }
        let known =
            subscribers.get(&target).and_then(|all| all.iter().find(|one| &*one.clusters == clusters));
        let subscriber = match known {
            Some(subscriber) => subscriber.clone(),
            None => {
                let app = call.parameters.first(&["app"]).unwrap_or_default();
                let subscriber = self.open(target, clusters, (agent, app), call.info.local.ip())?;
                let all = subscribers.entry(target).or_default();
                if all.len() >= CLUSTER_LISTS_MAX {
                    return None;
                }
                all.push(subscriber.clone());
                self.tasks.spawn("udp subscriber", self.clone().tell(subscriber.clone()));
                subscriber
            }
        };
        subscriber.watch(service, self.node.now().mono)
    }

    /// Everyone who is told, for each list of clusters.
    pub(crate) fn clients(&self) -> Vec<DatagramClient> {
        let subscribers = self.subscribers.lock();
        let of = |subscriber: &Arc<Subscriber>| DatagramClient {
            watcher: subscriber.watcher.id(),
            target: subscriber.target,
            agent: subscriber.agent.to_string(),
            app: subscriber.app.to_string(),
        };
        subscribers.values().flatten().map(of).collect()
    }

    /// Where a client is told: where its request came from, or where it says if that is allowed.
    fn address(&self, call: &Call) -> IpAddr {
        let named = call.parameters.first(&["clientIP"]).filter(|_| self.anywhere);
        named.and_then(|text| text.parse().ok()).unwrap_or(call.info.remote.ip())
    }

    fn open(
        self: &Arc<Self>,
        target: SocketAddr,
        clusters: &str,
        (agent, app): (&str, &str),
        local: IpAddr,
    ) -> Option<Arc<Subscriber>> {
        let socket = match self.socket(local) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(%local, %error, "no udp socket, clients will poll");
                return None;
            }
        };
        Some(Arc::new(Subscriber {
            target,
            clusters: clusters.into(),
            agent: agent.into(),
            app: app.into(),
            socket,
            watcher: self.node.open_watcher(WatcherKind::Datagram),
            services: Mutex::default(),
        }))
    }

    fn socket(self: &Arc<Self>, local: IpAddr) -> io::Result<Arc<UdpSocket>> {
        match self.sockets.lock().entry(local) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(vacant) => {
                let socket = std::net::UdpSocket::bind((local, 0))?;
                socket.set_nonblocking(true)?;
                let socket = Arc::new(UdpSocket::from_std(socket)?);
                vacant.insert(socket.clone());
                self.tasks.spawn("udp acknowledgements", self.clone().receive(socket.clone()));
                Ok(socket)
            }
        }
    }

    /// Sends a subscriber what it is to be told, until it has not listed anything for a while.
    async fn tell(self: Arc<Self>, subscriber: Arc<Subscriber>) {
        let stopping = self.tasks.stopping();
        loop {
            while let Some(push) = subscriber.watcher.try_next() {
                self.send(&subscriber, push).await;
            }
            let Some(rest) = self.expire(&subscriber) else { return };
            tokio::select! {
                () = stopping.cancelled() => return,
                () = subscriber.watcher.woken() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    async fn send(&self, subscriber: &Subscriber, push: Push) {
        let Push::Service { push, view, .. } = push else { return };
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let clusters = &*subscriber.clusters;
        let consumer = subscriber.target.ip().to_string();
        let render = |view: &ServiceView| -> Bytes {
            service_info(&self.node, Shape::V1, view, Query::all(Some(clusters), &consumer)).into()
        };
        let is_whole = clusters.is_empty() && view.is_shared();
        let info = if is_whole { view.rendered(Slot::NacosHttpV1, render) } else { render(&view) };
        let info = std::str::from_utf8(&info).expect("JSON is text");
        let datagram = push_datagram(info, number);
        if datagram.len() > DATAGRAM_BYTES_MAX {
            tracing::debug!(service = %view.key, "list too long for a datagram");
            subscriber.watcher.acknowledge(PushRef::Service(push));
            return;
        }
        if let Some(interest) = subscriber.services.lock().get_mut(&view.key) {
            interest.sent = Some((number, push));
        }
        if let Err(error) = subscriber.socket.send_to(&datagram, subscriber.target).await {
            tracing::debug!(target = %subscriber.target, %error, "datagram not sent");
        }
    }

    /// Ends interests that are old. Gives the time until the next one is, or forgets a subscriber that has none.
    fn expire(&self, subscriber: &Arc<Subscriber>) -> Option<Duration> {
        let now = self.node.now().mono;
        let mut subscribers = self.subscribers.lock();
        if let Some(rest) = subscriber.expire(now) {
            return Some(rest);
        }
        if let Entry::Occupied(mut all) = subscribers.entry(subscriber.target) {
            all.get_mut().retain(|other| !Arc::ptr_eq(other, subscriber));
            if all.get().is_empty() {
                all.remove();
            }
        }
        None
    }

    /// Reads acknowledgements. Anyone can send them: they settle a push only if they come from its target.
    async fn receive(self: Arc<Self>, socket: Arc<UdpSocket>) {
        let stopping = self.tasks.stopping();
        let mut buffer = vec![0; ACK_BYTES_MAX];
        loop {
            let received = tokio::select! {
                () = stopping.cancelled() => return,
                received = socket.recv_from(&mut buffer) => received,
            };
            match received {
                Ok((length, source)) => {
                    if let Some(ack) = PushAck::parse(&buffer[..length]) {
                        self.acknowledged(source, ack.last_ref_time);
                    }
                }
                // A target that does not listen: what the system heard of it is told here.
                Err(error) => {
                    tracing::debug!(%error, "no datagram received");
                    tokio::time::sleep(RECEIVE_PAUSE).await;
                }
            }
        }
    }

    fn acknowledged(&self, source: SocketAddr, number: u64) {
        for subscriber in self.subscribers.lock().get(&source).into_iter().flatten() {
            subscriber.acknowledged(number);
        }
    }
}

impl Subscriber {
    fn watch(&self, service: &ServiceKey, now: Monotonic) -> Option<Arc<ServiceView>> {
        let mut services = self.services.lock();
        let interest = ServiceInterest { clusters: Some(self.clusters.clone()) };
        let view = self.watcher.watch_service(service, interest).ok()?;
        services.entry(service.clone()).or_insert(Interest { listed: now, sent: None }).listed = now;
        Some(view)
    }

    /// Ends interests that are old; gives the time until the next one is.
    fn expire(&self, now: Monotonic) -> Option<Duration> {
        let mut services = self.services.lock();
        let mut oldest = None;
        services.retain(|service, interest| {
            let age = now.since(interest.listed);
            let is_kept = age < INTEREST_MS;
            if is_kept {
                oldest = oldest.max(Some(age));
            } else {
                self.watcher.unwatch_service(service);
            }
            is_kept
        });
        oldest.map(|age| Duration::from_millis(INTEREST_MS - age))
    }

    fn acknowledged(&self, number: u64) {
        let mut services = self.services.lock();
        let of_number = |interest: &&mut Interest| interest.sent.is_some_and(|(sent, _)| sent == number);
        if let Some((_, push)) =
            services.values_mut().find(of_number).and_then(|interest| interest.sent.take())
        {
            self.watcher.acknowledge(PushRef::Service(push));
        }
    }
}
