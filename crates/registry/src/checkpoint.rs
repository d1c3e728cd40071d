//! What is ephemeral, taken out page by page for a checkpoint, and put back after a restart.
//!
//! A restored publication is shown like any other and waits to be confirmed: by its client's next beat, or by a
//! registration of the same address. One that is kept by beats is lost [`RESTORED_GRACE_MS`] after the start, or one
//! lease after it where that is longer; one of a connection, which is gone with the old process, after the grace.
//! Leases run on the monotonic clock, so no moment of theirs is stored.

mod facet;
mod foreign;

use crate::{
    DecodeError, Effect, EurekaBase, LeaseKind, Outcome, Register, Registry, RegistryError,
    brake::LeaseKey,
    clients::{Client, ClientIndex},
    eureka::Facet,
    mirror::{Claim, OURS, Version},
    op::kind_of,
    registry::Report,
    services::{Publication, ServiceIndex},
    stored::{InstanceMessage, ServiceKeyMessage, malformed, seal, unseal},
};
use bytes::Bytes;
pub(crate) use facet::{FacetMessage, KeptFacet};
pub use foreign::ForeignPublication;
use muster_model::{
    Actor, Cause, ClientId, ConnectionId, Epoch, Incarnation, Instance, Kind, NodeId, Now, Origin, Reason,
    ServiceKey,
};
use prost::Message;
use std::sync::Arc;

/// How long a restored publication waits to be confirmed at least, milliseconds.
pub(crate) const RESTORED_GRACE_MS: u64 = 30_000;

/// Where the next page of [`Registry::ephemeral_page`] begins; the default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageCursor {
    place: u32,
    services: usize,
}

/// A publication that is ephemeral, as a checkpoint keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct EphemeralPublication {
    /// The service.
    pub service: ServiceKey,
    /// Its place among all publications, the time of its incarnation: of two at one address the later one shows.
    pub sequence: u64,
    /// The node of its incarnation; 0 if it is not known.
    node: u64,
    /// Whose connection published it, if that is known.
    home: Option<Origin>,
    /// Who published it; a connection by its number where it was accepted.
    pub client: ClientId,
    /// The instances, with the health they have. None for an Eureka client: they follow from what it declared.
    pub instances: Arc<[Instance]>,
    /// What its client declared, if that is an Eureka client.
    pub(crate) facet: Option<KeptFacet>,
}

#[derive(Clone, PartialEq, Message)]
struct PublicationMessage {
    #[prost(message, optional, tag = "1")]
    service: Option<ServiceKeyMessage>,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    /// Present: a connection. Else, without a facet, the client is the address of the one instance.
    #[prost(fixed64, optional, tag = "3")]
    connection: Option<u64>,
    #[prost(message, repeated, tag = "4")]
    instances: Vec<InstanceMessage>,
    /// Present: an Eureka client, whose instance is derived from this.
    #[prost(message, optional, tag = "5")]
    facet: Option<FacetMessage>,
    #[prost(uint64, tag = "6")]
    node: u64,
    #[prost(message, optional, tag = "7")]
    home: Option<OriginMessage>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct OriginMessage {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(uint64, tag = "2")]
    boot: u64,
    #[prost(fixed64, tag = "3")]
    random: u64,
}

impl EphemeralPublication {
    /// Its bytes, in a format of our own that [`EphemeralPublication::decode`] reads.
    pub fn encode(&self) -> Bytes {
        let connection = if let ClientId::Connection(id) = &self.client { Some(id.number()) } else { None };
        let home = self.home.map(|Origin { node, epoch }| OriginMessage {
            node: node.0,
            boot: epoch.boot,
            random: epoch.random,
        });
        seal(&PublicationMessage {
            service: Some((&self.service).into()),
            sequence: self.sequence,
            connection,
            instances: self.instances.iter().map(Into::into).collect(),
            facet: self.facet.as_ref().map(Into::into),
            node: self.node,
            home,
        })
    }

    /// Reads what was encoded.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message: PublicationMessage = unseal("publication", bytes)?;
        let service = message.service.ok_or_else(|| malformed("publication", "no service"))?.read()?;
        let instances: Vec<Instance> =
            message.instances.iter().map(InstanceMessage::read).collect::<Result<_, _>>()?;
        let facet = message.facet.as_ref().map(FacetMessage::read).transpose()?;
        let client = match (message.connection, &facet, instances.first()) {
            (Some(id), _, Some(_)) => ClientId::Connection(ConnectionId::elsewhere(0, id)),
            (None, Some(facet), _) => ClientId::Eureka(facet.shown.id().clone()),
            (None, None, Some(first)) => ClientId::Address(first.host.clone(), first.port, Kind::Ephemeral),
            (_, _, None) => return Err(malformed("publication", "no instance")),
        };
        let home = message.home.map(|OriginMessage { node, boot, random }| Origin {
            node: NodeId(node),
            epoch: Epoch { boot, random },
        });
        let (sequence, node) = (message.sequence, message.node);
        Ok(Self { service, sequence, node, client, home, instances: instances.into(), facet })
    }
}

impl Registry {
    /// Ephemeral publications that this node owns, from a place on, and the place of the next page; `None`: that was the last. A page looks
    /// at no more than `max` clients and publications, so that the lock around this call is short; what changes
    /// between two pages may be missing or there twice.
    pub fn ephemeral_page(
        &self,
        from: PageCursor,
        max: usize,
    ) -> (Vec<EphemeralPublication>, Option<PageCursor>) {
        self.page_of_ephemeral(from, max, |service, index, client| self.ephemeral(service, index, client))
    }

    /// A page of what there is to take of ephemeral publications.
    fn page_of_ephemeral<T>(
        &self,
        from: PageCursor,
        max: usize,
        take: impl Fn(ServiceIndex, ClientIndex, &Client) -> Option<T>,
    ) -> (Vec<T>, Option<PageCursor>) {
        let (mut page, mut left, mut at) = (Vec::new(), max, from);
        while let Some((index, client)) = self.clients.at_or_behind(at.place) {
            if index.place() != at.place {
                at = PageCursor { place: index.place(), services: 0 };
            }
            let services = match kind_of(&client.id) {
                Kind::Ephemeral => client.services().get(at.services..).unwrap_or_default(),
                Kind::Persistent => &[],
            };
            let taken = services.len().min(left);
            page.extend(services[..taken].iter().filter_map(|service| take(*service, index, client)));
            // A client without any is a look, too.
            left -= taken.max(1).min(left);
            if taken < services.len() {
                at.services += taken;
                return (page, Some(at));
            }
            at = PageCursor { place: at.place + 1, services: 0 };
            if left == 0 {
                return (page, Some(at));
            }
        }
        (page, None)
    }

    fn ephemeral(
        &self,
        index: ServiceIndex,
        client: ClientIndex,
        of: &Client,
    ) -> Option<EphemeralPublication> {
        let service = self.services.get(index)?;
        let Publication { stamp, instances, claim } = service.publications.get(&client)?;
        if claim.owner != OURS {
            // Its owner keeps it.
            return None;
        }
        let facet = match &of.id {
            ClientId::Eureka(id) => {
                let facet = service.facets.as_ref()?.get(id)?;
                let (shown, from_peer) = (facet.shown.clone(), facet.from_peer);
                let renewed =
                    self.leases.timing((index, client)) == Some(self.eureka_timing(&shown.instance, true));
                Some(KeptFacet { shown, renewed, from_peer })
            }
            ClientId::Connection(_) | ClientId::Address(..) => None,
        };
        Some(EphemeralPublication {
            service: service.key.clone(),
            sequence: stamp.sequence(),
            node: self.mirror.origins.node(claim.by).0,
            client: match &of.id {
                ClientId::Connection(id) => ClientId::Connection(ConnectionId::elsewhere(0, id.number())),
                ClientId::Address(..) | ClientId::Eureka(_) => of.id.clone(),
            },
            home: self.mirror.origins.home(&of.id).map(|(home, _)| home).filter(|home| home.node.0 != 0),
            instances: if facet.is_some() { Arc::default() } else { instances.clone() },
            facet,
        })
    }

    /// Puts a publication back as it was when the checkpoint was written. Give them in the order of their sequence. It is
    /// refused like a registration (its service may be of the other kind by now), and left out if its client has
    /// registered already.
    pub fn restore(
        &mut self,
        publication: EphemeralPublication,
        origin: NodeId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        let EphemeralPublication { service, sequence, node, client, home, instances, facet } = publication;
        let client = match client {
            // The connection is gone, and its number is given again here.
            ClientId::Connection(id) => {
                let unknown = Origin { node: origin, epoch: Epoch { boot: 0, random: 0 } };
                let (home, number) = home.map_or((unknown, sequence), |home| (home, id.number()));
                let Some(client) = self.mirror.origins.connection(home, number) else {
                    return Ok(Outcome::Unchanged);
                };
                client
            }
            ClientId::Address(..) | ClientId::Eureka(_) => client,
        };
        let version = Version { incarnation: Incarnation { at: sequence, node }, term: 0 };
        let known = self.services.find(&service).zip(self.clients.find(&client));
        if known.is_some_and(|held| self.is_known_since(held, version))
            || self.is_buried(&service, &client, version)
        {
            return Ok(Outcome::Unchanged);
        }
        let at = if self.mirror.clock.see(sequence, now) { sequence } else { self.mirror.clock.next(now) };
        let by = self.mirror.origins.node_place(NodeId(node));
        let claim = Some((at, Claim { by, adopted: true, ..Claim::default() }));
        let cause = Cause { actor: Actor::default(), reason: Reason::Restored };
        if let Some(facet) = facet {
            self.restore_facet(&service, facet, (origin, claim), Report::new(now, cause, effects));
            self.tell_streams(effects);
            return Ok(Outcome::Done);
        }
        let (id, key) = (client.clone(), service.clone());
        let register = Register { client, origin, service, instances: instances.to_vec(), cause };
        let outcome = self.register_as(register, claim, now, effects)?;
        if let Some(key) = self.services.find(&key).zip(self.clients.find(&id)) {
            if let ClientId::Connection(_) = id {
                self.orphans.add(key, &instances, now.mono.plus(RESTORED_GRACE_MS));
            } else {
                self.leases.extend(key, RESTORED_GRACE_MS, now.mono);
            }
        }
        self.tell_streams(effects);
        Ok(outcome)
    }

    /// As a registration over Eureka, which is always taken; only that the client did not register now.
    fn restore_facet(
        &mut self,
        service: &ServiceKey,
        facet: KeptFacet,
        (origin, claim): (NodeId, Option<(u64, Claim)>),
        mut report: Report<'_>,
    ) {
        let KeptFacet { mut shown, renewed, from_peer } = facet;
        self.eureka_view(&EurekaBase::of(service));
        let index = self.service_or_new(service, Kind::Ephemeral);
        Arc::make_mut(&mut shown).stamp = self.eureka.next_stamp();
        let client = self.clients.publish(&ClientId::Eureka(shown.id().clone()), origin, index);
        let timing = self.eureka_timing(&shown.instance, renewed);
        let now = report.now.mono;
        self.publish_facet_as(index, Facet { client, shown, from_peer }, claim, &mut report);
        self.leases.grant((index, client), (service.namespace(), LeaseKind::Eureka), timing, now);
        self.leases.extend((index, client), RESTORED_GRACE_MS, now);
    }

    /// Whether there is a publication already that counts more than one in our checkpoint. An orphan of that registration
    /// does not: it is ours again.
    fn is_known_since(&self, held: LeaseKey, version: Version) -> bool {
        let Some((claim, at)) = self.claim_at(held) else { return self.claim_of(held).is_some() };
        let is_gone = claim.owner != OURS && !self.mirror.origins.at(claim.owner).is_live();
        !is_gone || self.mirror.version(at, claim) > version
    }
}
