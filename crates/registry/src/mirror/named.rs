//! Names of what an origin tells, where its digest differs somewhere: for people.

use super::{
    claim::OriginPlace,
    incoming::Told,
    origins::Entry,
    wire::{self, ClientRef, Key},
};
use crate::{Registry, clients::ClientIndex};
use muster_model::{ClientId, Origin, Reason, ServiceKey};

/// Clients looked at for one page, so that the lock around it is short.
const PAGE_LOOKS: usize = 2_048;
/// Instances that are named of one publication.
const INSTANCES_NAMED_MAX: usize = 3;

/// One part of a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorName {
    /// The hash of its key: the same on every node.
    pub key: u64,
    /// What it adds to the digest.
    pub hash: u64,
    /// What it is.
    pub name: String,
}

/// A page of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorNames {
    /// The sequence when the page was taken.
    pub sequence: u64,
    /// What there is.
    pub names: Vec<MirrorName>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<u32>,
}

impl Registry {
    /// A page of what is in the digest of an origin, of these buckets. The pages belong together if all are of one
    /// sequence. `None`: there is no digest of it.
    pub fn mirror_names(&self, origin: Origin, buckets: &[u8], from: u32) -> Option<MirrorNames> {
        let place = self.mirror.origins.find(origin)?;
        let sequence = self.digest(origin)?.sequence;
        let mut page = MirrorNames { sequence, names: Vec::new(), next: None };
        let is_meant = |entry: Entry| buckets.iter().any(|bucket| usize::from(*bucket) == entry.bucket());
        let mut at = from;
        for _ in 0..PAGE_LOOKS {
            let Some((client, _)) = self.clients.at_or_behind(at) else {
                page.names.extend(self.beaten_names(place, &is_meant));
                page.names.extend(self.mirror.healths.names(place, &is_meant));
                return Some(page);
            };
            page.names.extend(self.names_of(client, place, &is_meant));
            at = client.place() + 1;
        }
        page.next = Some(at);
        Some(page)
    }

    /// What a client publishes by an origin.
    fn names_of(
        &self,
        client: ClientIndex,
        owner: OriginPlace,
        is_meant: &impl Fn(Entry) -> bool,
    ) -> Vec<MirrorName> {
        let mut names = Vec::new();
        let mut op = Vec::new();
        for index in self.clients.get(client).services() {
            let place = (*index, client);
            if self.claim_at(place).is_none_or(|(claim, _)| claim.owner != owner) {
                continue;
            }
            op.clear();
            let Some((key, end)) = self.write_set(place, Reason::Registered, &mut op) else { continue };
            let entry = wire::entry(&op[2..key], &op[key..end]);
            if is_meant(entry) {
                names.push(MirrorName { key: entry.key, hash: entry.hash, name: self.name_of(place) });
            }
        }
        names
    }

    fn name_of(&self, (index, client): crate::brake::LeaseKey) -> String {
        let Some(service) = self.services.get(index) else { return String::new() };
        let of = path(&service.key);
        if let ClientId::Eureka(id) = &self.clients.get(client).id {
            return format!("instance {id} of {of}");
        }
        let instances = service.publications.get(&client).map(|publication| &publication.instances[..]);
        let instances = instances.unwrap_or_default();
        let named = instances.iter().take(INSTANCES_NAMED_MAX);
        let mut named: Vec<String> =
            named.map(|instance| format!("{}:{}", instance.host, instance.port)).collect();
        if instances.len() > INSTANCES_NAMED_MAX {
            named.push(format!("{} more", instances.len() - INSTANCES_NAMED_MAX));
        }
        format!("instance {} of {of}", named.join(" and "))
    }

    /// What an origin tells, though it does not hold here.
    fn beaten_names(&self, place: OriginPlace, is_meant: &impl Fn(Entry) -> bool) -> Vec<MirrorName> {
        let of_origin = self.mirror.beaten.iter().filter(|((of, _), _)| *of == place);
        let entries = of_origin.map(|((_, key), beaten)| (Entry { key: *key, hash: beaten.hash }, beaten));
        let named = entries.filter(|(entry, _)| is_meant(*entry)).map(|(entry, beaten)| {
            let name = Told::read(beaten.op()).map(|told| shown(&told.key)).unwrap_or_default();
            MirrorName { key: entry.key, hash: entry.hash, name }
        });
        named.collect()
    }
}

/// The name of a service.
pub(crate) fn path(key: &ServiceKey) -> String {
    format!("{}/{}/{}", key.namespace(), key.group(), key.name())
}

/// A key as it was told.
fn shown(key: &Key<'_>) -> String {
    let Key { namespace, group, name, client, .. } = key;
    let client = match client {
        ClientRef::Connection(home, number) => format!("of connection {number} at node {}", home.node.0),
        ClientRef::Address(host, port, _) => format!("{host}:{port}"),
        ClientRef::Eureka(id) => (*id).to_owned(),
    };
    format!("instance {client} of {namespace}/{group}/{name}")
}
