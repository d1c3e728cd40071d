//! Who publishes, and to which services.

use crate::{
    services::Service,
    slab::{Index, Slab},
};
use muster_model::{ClientId, ConnectionId, HashMap, Host, Kind, NodeId};
use std::sync::Arc;

/// A client with at least one publication.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: ClientId,
    pub(crate) origin: NodeId,
    services: Published,
}

pub(crate) type ClientIndex = Index<Client>;
type ServiceIndex = Index<Box<Service>>;

/// The services a client publishes to. Most clients publish to one.
#[derive(Debug)]
enum Published {
    One(ServiceIndex),
    /// Sorted. A vector of its own in a box keeps the common case small.
    #[expect(clippy::box_collection, reason = "two words instead of three in every client")]
    Many(Box<Vec<ServiceIndex>>),
}

impl Client {
    pub(crate) fn services(&self) -> &[ServiceIndex] {
        match &self.services {
            Published::One(service) => std::slice::from_ref(service),
            Published::Many(services) => services,
        }
    }

    fn add(&mut self, service: ServiceIndex) {
        match &mut self.services {
            Published::One(one) if *one == service => {}
            Published::One(one) => {
                self.services = Published::Many(Box::new(vec![(*one).min(service), (*one).max(service)]));
            }
            Published::Many(many) => {
                if let Err(at) = many.binary_search(&service) {
                    many.insert(at, service);
                }
            }
        }
    }

    /// Whether that was the last one.
    fn remove(&mut self, service: ServiceIndex) -> bool {
        match &mut self.services {
            Published::One(one) => *one == service,
            Published::Many(many) => {
                if let Ok(at) = many.binary_search(&service) {
                    many.remove(at);
                }
                if let [one] = many[..] {
                    self.services = Published::One(one);
                }
                false
            }
        }
    }
}

/// All clients. Connections have a map of their own, because its keys are a third of the others' size.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    slab: Slab<Client>,
    connections: HashMap<ConnectionId, ClientIndex>,
    addresses: HashMap<(Host, u16, Kind), ClientIndex>,
    eureka: HashMap<Arc<str>, ClientIndex>,
}

impl Clients {
    pub(crate) fn find(&self, id: &ClientId) -> Option<ClientIndex> {
        match id {
            ClientId::Connection(id) => self.connections.get(id).copied(),
            ClientId::Address(host, port, kind) => self.addresses.get(&(host.clone(), *port, *kind)).copied(),
            ClientId::Eureka(id) => self.eureka.get(id).copied(),
        }
    }

    pub(crate) fn get(&self, index: ClientIndex) -> &Client {
        self.slab.get(index).expect("an index is dropped before its client")
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    /// The first client at a place or behind it.
    pub(crate) fn at_or_behind(&self, place: u32) -> Option<(ClientIndex, &Client)> {
        self.slab.at_or_behind(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Client> {
        self.slab.iter()
    }

    /// Notes that a client publishes to a service; the client is made if it is new.
    pub(crate) fn publish(&mut self, id: &ClientId, origin: NodeId, service: ServiceIndex) -> ClientIndex {
        if let Some(index) = self.find(id) {
            let client = self.slab.get_mut(index).expect("an index is dropped before its client");
            client.origin = origin;
            client.add(service);
            return index;
        }
        let client = Client { id: id.clone(), origin, services: Published::One(service) };
        let index = self.slab.insert(client);
        match id.clone() {
            ClientId::Connection(id) => self.connections.insert(id, index),
            ClientId::Address(host, port, kind) => self.addresses.insert((host, port, kind), index),
            ClientId::Eureka(id) => self.eureka.insert(id, index),
        };
        index
    }

    /// Notes that another node has the client now.
    pub(crate) fn set_origin(&mut self, index: ClientIndex, origin: NodeId) {
        if let Some(client) = self.slab.get_mut(index) {
            client.origin = origin;
        }
    }

    /// Notes that a client no longer publishes to a service; a client that publishes nothing is forgotten.
    pub(crate) fn unpublish(&mut self, index: ClientIndex, service: ServiceIndex) {
        let Some(client) = self.slab.get_mut(index) else { return };
        if !client.remove(service) {
            return;
        }
        let client = self.slab.remove(index).expect("it was there a line ago");
        match client.id {
            ClientId::Connection(id) => self.connections.remove(&id),
            ClientId::Address(host, port, kind) => self.addresses.remove(&(host, port, kind)),
            ClientId::Eureka(id) => self.eureka.remove(&id),
        };
    }
}
