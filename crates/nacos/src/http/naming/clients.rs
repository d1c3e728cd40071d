//! Who publishes and who subscribes: gRPC connections, HTTP clients by their addresses, UDP subscribers.

use crate::http::{Http, call::Call, trouble::Trouble, udp::DatagramClient};
use muster_model::{ClientId, ErrorCode, Host, Kind, ServiceKey};
use muster_nacos_wire::{
    Shape,
    http::{ClientDetail, Parameters, Published, Refusal, Subscriber},
};
use muster_node::{ServiceSubscription, registry::PublicationSummary, watch::WatcherId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::grpc::Session;

/// Who a watcher is.
#[derive(Clone, Debug)]
struct Who {
    client: String,
    ip: String,
    port: u16,
    agent: String,
    app: String,
}

impl Who {
    fn connection(session: &Session) -> Option<Self> {
        let setup = session.setup()?;
        let app = if setup.app_name.is_empty() { "unknown" } else { &setup.app_name };
        Some(Self {
            client: session.name.clone(),
            ip: session.client_ip(),
            port: 0,
            agent: setup.client_version.clone(),
            app: app.to_owned(),
        })
    }

    fn datagram(client: DatagramClient) -> Self {
        let DatagramClient { target, agent, app, .. } = client;
        let (ip, port) = (target.ip().to_string(), target.port());
        Self { client: format!("{ip}:{port}#true"), ip, port, agent, app }
    }

    fn subscriber(&self, subscription: ServiceSubscription) -> Subscriber {
        Subscriber {
            service: subscription.service,
            client: self.client.clone(),
            ip: self.ip.clone(),
            port: self.port,
            agent: self.agent.clone(),
            app: self.app.clone(),
            clusters: subscription.interest.clusters.as_deref().unwrap_or_default().to_owned(),
        }
    }
}

/// A client that an id names.
enum Named {
    Connection(Arc<Session>),
    /// One known by its address: what it publishes under, and the watchers it has.
    Address(ClientId, Vec<DatagramClient>),
}

/// The address parameters of `client/service/*/list`: those that are given must match. The original finds nothing
/// unless both are given, which is a defect (nacos-http.md 3.4).
pub(crate) fn address_pattern(
    parameters: &Parameters,
) -> Result<impl Fn(&str, u16) -> bool + use<>, Refusal> {
    let ip = parameters.first(&["ip"]).map(str::to_owned);
    let port = match parameters.first(&["port"]) {
        Some(text) => {
            let port: u16 =
                text.parse().map_err(|_| Refusal::BadValue { name: "port", value: text.to_owned() })?;
            Some(port)
        }
        None => None,
    };
    Ok(move |its_ip: &str, its_port: u16| {
        ip.as_deref().is_none_or(|ip| ip == its_ip) && port.is_none_or(|port| port == its_port)
    })
}

/// All clients' ids, sorted: connections of naming, everyone who publishes, everyone who is told over UDP.
pub(crate) fn client_ids(http: &Http) -> BTreeSet<String> {
    let connections = http.sessions.naming_clients();
    let datagrams = http.datagrams.clients().into_iter().map(|client| Who::datagram(client).client);
    let publishing = http.node.publishing_clients().into_iter().filter_map(|client| match client.client {
        // Connections that publish are among those of naming.
        ClientId::Connection(_) => None,
        other @ (ClientId::Address(..) | ClientId::Eureka(_)) => Some(other.to_string()),
    });
    connections.iter().map(|session| session.name.clone()).chain(datagrams).chain(publishing).collect()
}

impl Http {
    /// Who is told of the services whose names and groups contain those of a service, as in the original
    /// (naming `getFuzzySubscribers`).
    pub(crate) fn subscribers_like(&self, service: &ServiceKey) -> Vec<Subscriber> {
        let (group, name) = (service.group().as_str(), service.name().as_str());
        self.named(self.node.service_subscriptions(service.namespace(), group, name))
    }

    /// Who is told of a service.
    pub(crate) fn subscribers_of(&self, service: &ServiceKey) -> Vec<Subscriber> {
        self.named(self.node.subscriptions_of(service))
    }

    /// Puts names to watchers. Those that are none of clients (held requests, other protocols) are left out.
    fn named(&self, subscriptions: Vec<ServiceSubscription>) -> Vec<Subscriber> {
        if subscriptions.is_empty() {
            return Vec::new();
        }
        let mut known: HashMap<WatcherId, Who> = HashMap::new();
        for session in self.sessions.naming_clients() {
            known.extend(Who::connection(&session).map(|who| (session.watcher.id(), who)));
        }
        for client in self.datagrams.clients() {
            known.insert(client.watcher, Who::datagram(client));
        }
        let name = |subscription: ServiceSubscription| {
            let who = known.get(&subscription.watcher)?;
            Some(who.subscriber(subscription))
        };
        subscriptions.into_iter().filter_map(name).collect()
    }

    /// What publications are by the id of their client, an instance each.
    pub(crate) fn write_published(
        &self,
        out: &mut Vec<u8>,
        publications: &[PublicationSummary],
        is_wanted: impl Fn(&str, u16) -> bool,
        write: impl Fn(&Published<'_>, &mut Vec<u8>),
    ) {
        out.push(b'[');
        let mut is_first = true;
        for publication in publications {
            let client = self.id_of(&publication.client);
            for instance in publication.instances.iter() {
                if !is_wanted(instance.host.as_str(), instance.port) {
                    continue;
                }
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                let published = Published {
                    client: &client,
                    service: &publication.service,
                    ip: instance.host.as_str(),
                    port: instance.port,
                    cluster: instance.cluster.as_str(),
                };
                write(&published, out);
            }
        }
        out.push(b']');
    }

    fn id_of(&self, client: &ClientId) -> String {
        match client {
            ClientId::Connection(id) => match self.sessions.find(*id) {
                Some(session) => session.name.clone(),
                // It closed since.
                None => client.to_string(),
            },
            ClientId::Address(..) | ClientId::Eureka(_) => client.to_string(),
        }
    }

    /// The client that the parameter `clientId` names.
    fn client_of(&self, call: &Call) -> Result<(String, Named), Trouble> {
        let id = super::bound(&call.parameters, "clientId", "String")?;
        let connection = self.sessions.naming_clients().into_iter().find(|session| session.name == id);
        if let Some(session) = connection {
            return Ok((id.to_owned(), Named::Connection(session)));
        }
        let is_it = |client: &DatagramClient| Who::datagram(client.clone()).client == id;
        let datagrams: Vec<_> = self.datagrams.clients().into_iter().filter(is_it).collect();
        let publishing =
            self.node.publishing_clients().into_iter().find(|client| client.client.to_string() == id);
        let client = match (publishing, address_id(id)) {
            (Some(publishing), _) => publishing.client,
            (None, Some(client)) if !datagrams.is_empty() => client,
            (None, _) => {
                let text = format!("clientId [ {id} ] not exist");
                return Err(crate::http::refuse(ErrorCode::NotFound, text));
            }
        };
        Ok((id.to_owned(), Named::Address(client, datagrams)))
    }

    /// Writes what a client is.
    pub(crate) fn write_client(&self, out: &mut Vec<u8>, call: &Call) -> Result<(), Trouble> {
        let (id, named) = self.client_of(call)?;
        let changed = |client: &ClientId| {
            let publications = self.node.publications(client);
            let changes = publications.iter().map(|one| self.node.view(&one.service).last_ref_time);
            changes.max().unwrap_or_default()
        };
        match named {
            Named::Connection(session) => {
                let setup = session.setup();
                let mut parts = session.name.split('_');
                let opened = parts.next().and_then(|millis| millis.parse().ok()).unwrap_or_default();
                ClientDetail {
                    id: &id,
                    ephemeral: true,
                    last_updated: changed(&ClientId::Connection(session.info.id)).max(opened),
                    connection: setup.map(|setup| (&*setup.app_name, &*setup.client_version)),
                    ip: &session.client_ip(),
                    port: parts.next_back().unwrap_or_default(),
                }
                .write(out);
            }
            Named::Address(client, _) => {
                let address = id.split('#').next().unwrap_or_default();
                let (ip, port) = address.rsplit_once(':').unwrap_or((address, ""));
                ClientDetail {
                    id: &id,
                    ephemeral: !matches!(client, ClientId::Address(_, _, Kind::Persistent)),
                    last_updated: changed(&client),
                    connection: None,
                    ip,
                    port,
                }
                .write(out);
            }
        }
        Ok(())
    }

    /// Writes what a client publishes.
    pub(crate) fn write_published_by(
        &self,
        out: &mut Vec<u8>,
        call: &Call,
        shape: Shape,
    ) -> Result<(), Trouble> {
        let client = match self.client_of(call)? {
            (_, Named::Connection(session)) => ClientId::Connection(session.info.id),
            (_, Named::Address(client, _)) => client,
        };
        let publications = self.node.publications(&client);
        self.write_published(out, &publications, |_, _| true, |one, out| one.of_client(out, shape));
        Ok(())
    }

    /// What a client is told of.
    pub(crate) fn subscribed_by(&self, call: &Call) -> Result<Vec<Subscriber>, Trouble> {
        let watchers = match self.client_of(call)? {
            (_, Named::Connection(session)) => vec![session.watcher.id()],
            (_, Named::Address(_, datagrams)) => datagrams.iter().map(|client| client.watcher).collect(),
        };
        let watched = watchers.into_iter().flat_map(|watcher| self.node.watched_services(watcher));
        Ok(self.named(watched.collect()))
    }
}

/// `ip:port#true`, `ip:port#false`.
fn address_id(id: &str) -> Option<ClientId> {
    let (address, ephemeral) = id.split_once('#')?;
    let (ip, port) = address.rsplit_once(':')?;
    let kind = match ephemeral {
        "true" => Kind::Ephemeral,
        "false" => Kind::Persistent,
        _ => return None,
    };
    Some(ClientId::Address(Host::new(ip).ok()?, port.parse().ok()?, kind))
}
