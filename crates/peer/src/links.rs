//! A node's links to its peers: connecting and accepting.

use crate::{
    Link, Proof, Purpose, Roster, Security, VERSION, VERSION_MIN,
    hello::{Hello, decode_welcome, encode_welcome},
};
use muster_model::{ClusterId, HashMap, NodeId, Timestamp};
use muster_runtime::{
    Tasks,
    net::{BoxFuture, BoxStream, Incoming, SharedNetwork},
};
use parking_lot::Mutex;
use std::{io, sync::Arc, time::Duration};
use tokio::sync::{Semaphore, watch};

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// How long both hellos, and what protects them, may take together.
const GREET_WITHIN: Duration = Duration::from_secs(2);
/// Links that are accepted at one moment; beyond them new ones are refused.
const ACCEPTED_MAX: usize = 1_024;
/// How long nothing is accepted after that failed: no file may have been left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves the links of one purpose.
pub trait Acceptor: Send + Sync + 'static {
    /// Serves a link to its end.
    fn serve(self: Arc<Self>, link: Link) -> BoxFuture<'static, ()>;
}

/// Why the other end refuses a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It belongs to another cluster.
    #[error("it belongs to another cluster")]
    OtherCluster,
    /// It is not the node that was looked for: somebody else has its address.
    #[error("it is another node")]
    NotTheNode,
    /// It does not accept that we are who we say.
    #[error("it does not accept this node's identity")]
    NotProven,
    /// This node was removed from the cluster.
    #[error("this node was removed from the cluster")]
    Removed,
    /// No version is spoken by both.
    #[error("no version of the protocol is spoken by both")]
    Version,
    /// It does not serve this purpose, or not yet.
    #[error("it does not serve this, or not yet")]
    NotServed,
    /// It has too many links.
    #[error("it has too many links")]
    Busy,
    /// Something newer.
    #[error("{0}")]
    Other(String),
}

impl Refusal {
    pub(crate) fn number(&self) -> u32 {
        match self {
            Self::OtherCluster => 1,
            Self::NotTheNode => 2,
            Self::NotProven => 3,
            Self::Removed => 4,
            Self::Version => 5,
            Self::NotServed => 6,
            Self::Busy => 7,
            Self::Other(_) => 99,
        }
    }

    pub(crate) fn from_number(number: u32, detail: String) -> Self {
        let known = [
            Self::OtherCluster,
            Self::NotTheNode,
            Self::NotProven,
            Self::Removed,
            Self::Version,
            Self::NotServed,
            Self::Busy,
        ];
        known.into_iter().find(|one| one.number() == number).unwrap_or(Self::Other(detail))
    }
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nobody answers there.
    #[error("connect to {address}: {error}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// The connection broke, was not protected as it must be, or spoke something else.
    #[error("greet {address}: {error}")]
    Broken {
        /// Where.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// The other end said no.
    #[error("{address} refuses: {refusal}")]
    Refused {
        /// Where.
        address: String,
        /// Why.
        refusal: Refusal,
    },
}

/// What links are made of.
pub struct LinksParts {
    /// Opens connections.
    pub network: SharedNetwork,
    /// Protects them.
    pub security: Arc<dyn Security>,
    /// Owns a task for each accepted link.
    pub tasks: Tasks,
}

/// A node's links. A clone is another handle to the same.
#[derive(Clone)]
pub struct Links(Arc<Inner>);

struct Inner {
    parts: LinksParts,
    /// Who this node is; nobody before it is a member.
    identity: Mutex<Option<(ClusterId, NodeId)>>,
    acceptors: Mutex<HashMap<Purpose, Arc<dyn Acceptor>>>,
    /// Who belongs to the cluster.
    roster: watch::Sender<Arc<Roster>>,
    places: Arc<Semaphore>,
    /// When the certificates end that peers showed last; members only.
    certificates: Mutex<HashMap<NodeId, Timestamp>>,
}

impl Links {
    /// Links of a node that has no identity yet.
    pub fn new(parts: LinksParts) -> Self {
        Self(Arc::new(Inner {
            parts,
            identity: Mutex::default(),
            acceptors: Mutex::default(),
            roster: watch::Sender::new(Arc::default()),
            places: Arc::new(Semaphore::new(ACCEPTED_MAX)),
            certificates: Mutex::default(),
        }))
    }

    /// From now on this node is a member. Links for any purpose but [`Purpose::Join`] need that.
    pub fn identify(&self, cluster: ClusterId, node: NodeId) {
        *self.0.identity.lock() = Some((cluster, node));
    }

    /// Who this node is, if it is a member.
    pub fn identity(&self) -> Option<(ClusterId, NodeId)> {
        *self.0.identity.lock()
    }

    /// Who belongs to the cluster from now on, with which keys: links of others are refused, those that were accepted
    /// end, and over those that were made nothing more is sent.
    pub fn set_roster(&self, roster: Roster) {
        self.0.certificates.lock().retain(|node, _| !roster.is_removed(*node));
        self.0.roster.send_replace(Arc::new(roster));
    }

    /// When the certificate of a node ends: this one's own, or the one that a peer showed last.
    pub fn certificate_until(&self, node: NodeId) -> Option<Timestamp> {
        match self.identity() {
            Some((_, own)) if own == node => self.0.parts.security.certificate_until(),
            Some(_) | None => self.0.certificates.lock().get(&node).copied(),
        }
    }

    fn note_certificate(&self, node: NodeId, proof: &dyn Proof) {
        if let (true, Some(until)) = (node != NodeId(0), proof.certificate_until()) {
            self.0.certificates.lock().insert(node, until);
        }
    }

    /// Says who serves a purpose. Until then its links are refused.
    pub fn handle(&self, purpose: Purpose, acceptor: Arc<dyn Acceptor>) {
        self.0.acceptors.lock().insert(purpose, acceptor);
    }

    /// Connects to a node. `to` may be `None` for [`Purpose::Join`] only: whoever is there.
    pub async fn connect(
        &self,
        to: Option<NodeId>,
        address: &str,
        purpose: Purpose,
    ) -> Result<Link, LinkError> {
        let unreachable = |error| LinkError::Unreachable { address: address.to_owned(), error };
        let broken = |error| LinkError::Broken { address: address.to_owned(), error };
        let connecting = self.0.parts.network.connect(address);
        let stream = tokio::time::timeout(CONNECT_WITHIN, connecting)
            .await
            .map_err(|_| unreachable(io::ErrorKind::TimedOut.into()))?
            .map_err(unreachable)?;
        tokio::time::timeout(GREET_WITHIN, self.greet(stream, to, purpose))
            .await
            .map_err(|_| broken(io::ErrorKind::TimedOut.into()))?
            .map_err(broken)?
            .map_err(|refusal| LinkError::Refused { address: address.to_owned(), refusal })
    }

    async fn greet(
        &self,
        stream: BoxStream,
        to: Option<NodeId>,
        purpose: Purpose,
    ) -> io::Result<Result<Link, Refusal>> {
        let (stream, proof) = self.0.parts.security.connected(stream, to).await?;
        let (cluster, from) = self.identity().unwrap_or((ClusterId(0), NodeId(0)));
        let to = to.unwrap_or(NodeId(0));
        if to != NodeId(0)
            && let Err(refusal) = self.0.roster.borrow().judge(to, proof.key())
        {
            return Ok(Err(refusal));
        }
        let hello = Hello { versions: (VERSION_MIN, VERSION), cluster, from, to, purpose: Some(purpose) };
        let mut link = Link::new(stream);
        link.send(&hello.encode(purpose)).await?;
        let answer = link.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let answer = decode_welcome(&answer)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no answer of a Muster node"))?;
        if answer.is_ok() {
            self.note_certificate(to, &*proof);
        }
        let link = answer.map(|version| link.with(to, version, &*proof));
        // Whoever has no id yet is asked for one, and sent nothing else.
        Ok(link.map(
            |link| if link.is_member() { link.bound_to_roster(self.0.roster.subscribe()) } else { link },
        ))
    }

    /// Accepts links until shutdown.
    pub async fn serve(self, mut incoming: Box<dyn Incoming>) {
        let stopping = self.0.parts.tasks.stopping();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                accepted = incoming.accept() => accepted,
            };
            match accepted {
                Ok((stream, from)) => {
                    let links = self.clone();
                    self.0.parts.tasks.spawn("peer link", async move {
                        let stopping = links.0.parts.tasks.stopping();
                        tokio::select! {
                            biased;
                            () = stopping.cancelled() => {}
                            () = links.accept(stream, from) => {}
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection of a peer can't be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    async fn accept(&self, stream: BoxStream, from: String) {
        match tokio::time::timeout(GREET_WITHIN, self.welcome(stream)).await {
            Ok(Ok((link, acceptor))) => {
                let Ok(_place) = self.0.places.clone().try_acquire_owned() else { return };
                let (peer, key) = (link.peer(), link.key());
                let mut roster = self.0.roster.subscribe();
                tokio::select! {
                    biased;
                    _ = roster.wait_for(|roster| peer != NodeId(0) && roster.judge(peer, key).is_err()) => {
                        tracing::info!(peer = peer.0, "a node is not recognised any more, its links end");
                    }
                    () = acceptor.serve(link) => {}
                }
            }
            Ok(Err(error)) => tracing::debug!(from, %error, "a peer was refused"),
            Err(_) => tracing::debug!(from, "a peer did not say who it is"),
        }
    }

    async fn welcome(&self, stream: BoxStream) -> io::Result<(Link, Arc<dyn Acceptor>)> {
        let (stream, proof) = self.0.parts.security.accepted(stream).await?;
        let mut link = Link::new(stream);
        let hello = link.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let hello = Hello::decode(&hello)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no hello of a Muster node"))?;
        let answer = self.judge(&hello, &*proof);
        let version = answer.as_ref().map(|(version, _)| *version).map_err(Clone::clone);
        link.send(&encode_welcome(&version)).await?;
        match answer {
            Ok((version, acceptor)) => {
                self.note_certificate(hello.from, &*proof);
                Ok((link.with(hello.from, version, &*proof), acceptor))
            }
            Err(refusal) => Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal)),
        }
    }

    fn judge(&self, hello: &Hello, proof: &dyn Proof) -> Result<(u32, Arc<dyn Acceptor>), Refusal> {
        let version = hello.versions.1.min(VERSION);
        if version < hello.versions.0.max(VERSION_MIN) {
            return Err(Refusal::Version);
        }
        let purpose = hello.purpose.ok_or(Refusal::NotServed)?;
        // Whoever wants to join has no id. A member that asks there is held to what it says.
        if purpose != Purpose::Join || hello.from != NodeId(0) {
            self.judge_member(hello, proof)?;
        }
        if self.0.places.available_permits() == 0 {
            return Err(Refusal::Busy);
        }
        let acceptor = self.0.acceptors.lock().get(&purpose).cloned();
        acceptor.map(|acceptor| (version, acceptor)).ok_or(Refusal::NotServed)
    }

    fn judge_member(&self, hello: &Hello, proof: &dyn Proof) -> Result<(), Refusal> {
        let (cluster, node) = self.identity().ok_or(Refusal::NotServed)?;
        if hello.cluster != cluster {
            return Err(Refusal::OtherCluster);
        }
        if hello.to != node {
            return Err(Refusal::NotTheNode);
        }
        // A removed node is to be told so, whatever its certificate is worth.
        self.0.roster.borrow().judge(hello.from, proof.key())?;
        if hello.from == NodeId(0) || !proof.is(cluster, hello.from) {
            return Err(Refusal::NotProven);
        }
        Ok(())
    }
}

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;
