//! Ops between nodes, in bytes of our own: written and read without a copy of any text, because a node that joins is sent
//! every publication there is.
//!
//! An op is a tag, the key (service and client, named so that all nodes mean the same), and what the tag says. What a
//! publication's bytes are follows from its state alone, so their hash tells equal states on all nodes. Numbers are
//! little-endian base 128 unless said otherwise; texts are their length and UTF-8. Tags are never used again: a changed
//! form gets a new one.

use crate::{
    DecodeError,
    mirror::{
        claim::Version,
        hash::{hash, mix},
        origins::Entry,
    },
    stored::malformed,
};
use muster_model::{
    ClusterName, Epoch, Host, Incarnation, Instance, Kind, Metadata, NodeId, Origin, Reason, ServiceKey,
    Timestamp, Weight,
};

/// A publication as it is.
pub(crate) const SET: u8 = 1;
/// A publication that went.
pub(crate) const REMOVE: u8 = 2;
/// A publication that another origin has a better claim to.
pub(crate) const YIELD: u8 = 3;
/// The health of a persistent instance, as its checker found it.
pub(crate) const HEALTH: u8 = 4;
/// The checker has nothing to say of a persistent instance any more.
pub(crate) const NO_HEALTH: u8 = 5;
/// Beats for what the receiver owns.
pub(crate) const RENEW: u8 = 6;
/// A publication whose owner is gone and that nobody has adopted yet: the owner, and the publication's own op.
pub(crate) const ORPHAN: u8 = 7;

/// In the flags of a publication.
pub(crate) const ADOPTED: u8 = 1;
pub(crate) const FACET: u8 = 2;

/// In the flags of a removal.
pub(crate) const WEAK: u8 = 1;

const CONNECTION: u8 = 0;
const ADDRESS: u8 = 1;
const PERSISTENT: u8 = 2;
const EUREKA: u8 = 3;

const ENABLED: u8 = 1;
const HEALTHY: u8 = 2;
const WEIGHTED: u8 = 4;
const AT_CLIENT: u8 = 8;
const DEFAULT_CLUSTER: u8 = 16;

/// A client as all nodes know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientRef<'a> {
    /// A connection of some origin, by its number there.
    Connection(Origin, u64),
    Address(&'a str, u16, Kind),
    Eureka(&'a str),
}

pub(crate) fn number(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push(number as u8 & 127 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn service(out: &mut Vec<u8>, key: &ServiceKey) {
    text(out, key.namespace().as_str());
    text(out, key.group().as_str());
    text(out, key.name().as_str());
}

pub(crate) fn origin(out: &mut Vec<u8>, origin: Origin) {
    number(out, origin.node.0);
    number(out, origin.epoch.boot);
    out.extend_from_slice(&origin.epoch.random.to_le_bytes());
}

/// The beginning of what is told of an orphan; its own op follows.
pub(crate) fn orphan(out: &mut Vec<u8>, owner: Origin) {
    out.push(ORPHAN);
    origin(out, owner);
}

pub(crate) fn client(out: &mut Vec<u8>, client: ClientRef<'_>) {
    match client {
        ClientRef::Connection(home, at) => {
            out.push(CONNECTION);
            origin(out, home);
            number(out, at);
        }
        ClientRef::Address(host, port, kind) => {
            out.push(if kind == Kind::Ephemeral { ADDRESS } else { PERSISTENT });
            text(out, host);
            number(out, port.into());
        }
        ClientRef::Eureka(id) => {
            out.push(EUREKA);
            text(out, id);
        }
    }
}

pub(crate) fn incarnation(out: &mut Vec<u8>, incarnation: Incarnation) {
    out.extend_from_slice(&incarnation.at.to_le_bytes());
    number(out, incarnation.node);
}

pub(crate) fn version(out: &mut Vec<u8>, version: Version) {
    incarnation(out, version.incarnation);
    out.push(version.term);
}

/// Writes instances; of a client that is known by its address its host is not repeated.
pub(crate) fn instances(out: &mut Vec<u8>, instances: &[Instance], client: ClientRef<'_>) {
    number(out, instances.len() as u64);
    for instance in instances {
        let Instance { host, port, cluster, weight, enabled, healthy, metadata } = instance;
        let at_client = matches!(client, ClientRef::Address(at, ..) if at == host.as_str());
        let is_default = cluster.as_str() == ClusterName::DEFAULT;
        let mut flags = 0;
        for (flag, is_set) in [
            (ENABLED, *enabled),
            (HEALTHY, *healthy),
            (WEIGHTED, *weight != Weight::default()),
            (AT_CLIENT, at_client),
            (DEFAULT_CLUSTER, is_default),
        ] {
            flags |= if is_set { flag } else { 0 };
        }
        out.push(flags);
        if !at_client {
            text(out, host.as_str());
        }
        number(out, (*port).into());
        if !is_default {
            text(out, cluster.as_str());
        }
        if flags & WEIGHTED != 0 {
            out.extend_from_slice(&weight.get().to_bits().to_le_bytes());
        }
        number(out, metadata.packed().len() as u64);
        out.extend_from_slice(metadata.packed());
    }
}

/// The hash of a key.
pub(crate) fn key_hash(key: &[u8]) -> u64 {
    hash(key)
}

/// What a state adds to a digest, by the bytes of its key and of the rest.
pub(crate) fn entry(key: &[u8], state: &[u8]) -> Entry {
    let key = key_hash(key);
    Entry { key, hash: mix(key, hash(state)) }
}

/// Reads ops from their front.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    all: &'a [u8],
    at: usize,
}

/// What a publication is the publication of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) group: &'a str,
    pub(crate) name: &'a str,
    pub(crate) client: ClientRef<'a>,
    /// All of it, as it was read.
    pub(crate) bytes: &'a [u8],
}

fn wrong(detail: &'static str) -> DecodeError {
    malformed("op of a peer", detail)
}

impl<'a> Reader<'a> {
    pub(crate) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.all[self.at..]
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.all.len()
    }

    /// What was read since a place.
    fn since(&self, from: usize) -> &'a [u8] {
        &self.all[from..self.at]
    }

    pub(crate) fn bytes(&mut self, size: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(size).ok_or_else(|| wrong("too long"))?;
        let bytes = self.all.get(self.at..end).ok_or_else(|| wrong("too short"))?;
        self.at = end;
        Ok(bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.bytes(1)?[0])
    }

    pub(crate) fn fixed(&mut self) -> Result<u64, DecodeError> {
        let bytes = self.bytes(8)?;
        Ok(u64::from_le_bytes(bytes.try_into().expect("eight bytes were asked for")))
    }

    pub(crate) fn number(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(wrong("a number without an end"))
    }

    pub(crate) fn size(&mut self) -> Result<usize, DecodeError> {
        usize::try_from(self.number()?).map_err(|_| wrong("too long"))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let size = self.size()?;
        std::str::from_utf8(self.bytes(size)?).map_err(|_| wrong("no text"))
    }

    pub(crate) fn port(&mut self) -> Result<u16, DecodeError> {
        u16::try_from(self.number()?).map_err(|_| wrong("no port"))
    }

    pub(crate) fn origin(&mut self) -> Result<Origin, DecodeError> {
        let (node, boot) = (NodeId(self.number()?), self.number()?);
        Ok(Origin { node, epoch: Epoch { boot, random: self.fixed()? } })
    }

    pub(crate) fn client(&mut self) -> Result<ClientRef<'a>, DecodeError> {
        Ok(match self.byte()? {
            CONNECTION => ClientRef::Connection(self.origin()?, self.number()?),
            ADDRESS => ClientRef::Address(self.text()?, self.port()?, Kind::Ephemeral),
            PERSISTENT => ClientRef::Address(self.text()?, self.port()?, Kind::Persistent),
            EUREKA => ClientRef::Eureka(self.text()?),
            _ => return Err(wrong("an unknown kind of client")),
        })
    }

    pub(crate) fn key(&mut self) -> Result<Key<'a>, DecodeError> {
        let from = self.at;
        let (namespace, group, name) = (self.text()?, self.text()?, self.text()?);
        let client = self.client()?;
        Ok(Key { namespace, group, name, client, bytes: self.since(from) })
    }

    pub(crate) fn incarnation(&mut self) -> Result<Incarnation, DecodeError> {
        Ok(Incarnation { at: self.fixed()?, node: self.number()? })
    }

    pub(crate) fn version(&mut self) -> Result<Version, DecodeError> {
        Ok(Version { incarnation: self.incarnation()?, term: self.byte()? })
    }

    pub(crate) fn reason(&mut self) -> Result<Reason, DecodeError> {
        let place = self.byte()?;
        Reason::ALL.get(usize::from(place)).copied().ok_or_else(|| wrong("an unknown reason"))
    }

    pub(crate) fn timestamp(&mut self) -> Result<Timestamp, DecodeError> {
        Ok(Timestamp(self.number()?))
    }

    /// One instance; `shared` is the host of its client, `cluster` finds a name.
    pub(crate) fn instance(
        &mut self,
        shared: Option<&Host>,
        cluster: impl FnOnce(&str) -> Result<ClusterName, DecodeError>,
    ) -> Result<Instance, DecodeError> {
        let flags = self.byte()?;
        let host = match shared {
            Some(host) if flags & AT_CLIENT != 0 => host.clone(),
            _ => Host::new(self.text()?).map_err(|error| malformed("op of a peer", error))?,
        };
        let port = self.port()?;
        let name = if flags & DEFAULT_CLUSTER != 0 { ClusterName::DEFAULT } else { self.text()? };
        let cluster = cluster(name)?;
        let weight = match flags & WEIGHTED {
            0 => Weight::default(),
            _ => Weight::new(f64::from_bits(self.fixed()?)).ok_or_else(|| wrong("no weight"))?,
        };
        let size = self.size()?;
        let metadata = Metadata::from_packed(self.bytes(size)?).ok_or_else(|| wrong("no metadata"))?;
        let (enabled, healthy) = (flags & ENABLED != 0, flags & HEALTHY != 0);
        Ok(Instance { host, port, cluster, weight, enabled, healthy, metadata })
    }
}

/// The place of a reason among all.
pub(crate) fn reason(reason: Reason) -> u8 {
    Reason::ALL.iter().position(|other| *other == reason).expect("ALL has every reason") as u8
}
