//! One record in bytes.
//!
//! ```text
//! u64 time, u64 revision, u8 what, u8 reason, u8 flags (1 connection, 2 IPv4, 4 IPv6, 8 user),
//! [u64 connection], [4 or 16 bytes of address], then, each with a u16 length:
//! namespace, group, service, instance, [user]
//! ```

use super::JournalFilter;
use muster_model::{
    Actor, Cause, Change, ConnectionId, GroupName, Namespace, Reason, Revision, ServiceKey, ServiceName,
    Timestamp,
};
use std::net::IpAddr;

/// What can become of an instance, in the order of the stored numbers; the first stands for anything new.
const WHATS: [&str; 8] =
    ["changed", "added", "updated", "healthy", "unhealthy", "removed", "expiry held", "expiry released"];

const CONNECTION: u8 = 1;
const IPV4: u8 = 2;
const IPV6: u8 = 4;
const USER: u8 = 8;

pub(super) fn encode(change: &Change, out: &mut Vec<u8>) {
    let actor = &change.cause.actor;
    let what = WHATS.iter().position(|what| *what == change.what).unwrap_or(0);
    let reason = Reason::ALL.iter().position(|reason| *reason == change.cause.reason).unwrap_or(0);
    let mut flags = 0;
    flags |= if actor.connection.is_some() { CONNECTION } else { 0 };
    flags |= match actor.address {
        None => 0,
        Some(IpAddr::V4(_)) => IPV4,
        Some(IpAddr::V6(_)) => IPV6,
    };
    flags |= if actor.user.is_some() { USER } else { 0 };
    out.extend_from_slice(&change.at.0.to_le_bytes());
    out.extend_from_slice(&change.revision.0.to_le_bytes());
    out.extend_from_slice(&[what as u8, reason as u8, flags]);
    if let Some(connection) = actor.connection {
        out.extend_from_slice(&connection.0.to_le_bytes());
    }
    match actor.address {
        None => {}
        Some(IpAddr::V4(address)) => out.extend_from_slice(&address.octets()),
        Some(IpAddr::V6(address)) => out.extend_from_slice(&address.octets()),
    }
    text(change.service.namespace().as_str(), out);
    text(change.service.group().as_str(), out);
    text(change.service.name().as_str(), out);
    text(&change.instance, out);
    if let Some(user) = &actor.user {
        text(user, out);
    }
}

/// A text of at most 64 KiB; no name is longer, and a longer user name is cut.
fn text(text: &str, out: &mut Vec<u8>) {
    let text = &text[..text.floor_char_boundary(usize::from(u16::MAX))];
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// A record as it lies in its block.
pub(super) struct Encoded<'a> {
    at: u64,
    revision: u64,
    what: &'static str,
    reason: Reason,
    connection: Option<u64>,
    address: Option<IpAddr>,
    namespace: &'a str,
    group: &'a str,
    service: &'a str,
    instance: &'a str,
    user: Option<&'a str>,
}

impl<'a> Encoded<'a> {
    /// Takes a record off the front of `bytes`; `None` if they make no sense.
    pub(super) fn take(bytes: &mut &'a [u8]) -> Option<Self> {
        let (at, revision) = (take_u64(bytes)?, take_u64(bytes)?);
        let [what, reason, flags] = *bytes.split_off(..3)?.first_chunk()?;
        let connection = if flags & CONNECTION > 0 { Some(take_u64(bytes)?) } else { None };
        let address = match flags & (IPV4 | IPV6) {
            IPV4 => Some(IpAddr::from(*bytes.split_off(..4)?.first_chunk::<4>()?)),
            IPV6 => Some(IpAddr::from(*bytes.split_off(..16)?.first_chunk::<16>()?)),
            _ => None,
        };
        Some(Self {
            at,
            revision,
            what: WHATS.get(usize::from(what)).copied().unwrap_or(WHATS[0]),
            reason: *Reason::ALL.get(usize::from(reason))?,
            connection,
            address,
            namespace: take_text(bytes)?,
            group: take_text(bytes)?,
            service: take_text(bytes)?,
            instance: take_text(bytes)?,
            user: if flags & USER > 0 { Some(take_text(bytes)?) } else { None },
        })
    }

    pub(super) fn matches(&self, filter: &JournalFilter) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
        is(&filter.namespace, self.namespace)
            && is(&filter.group, self.group)
            && is(&filter.service, self.service)
            && filter.instance.as_ref().is_none_or(|prefix| self.instance.starts_with(prefix.as_str()))
            && filter.since.is_none_or(|since| self.at >= since.0)
    }

    /// The record itself; `None` if its names are none (another version's rules).
    pub(super) fn decode(&self) -> Option<Change> {
        let namespace = Namespace::new(self.namespace).ok()?;
        let group = GroupName::new(self.group).ok()?;
        let name = ServiceName::new(self.service).ok()?;
        let actor = Actor {
            connection: self.connection.map(ConnectionId),
            address: self.address,
            user: self.user.map(Into::into),
        };
        Some(Change {
            at: Timestamp(self.at),
            service: ServiceKey::new(namespace, group, name),
            instance: self.instance.into(),
            what: self.what,
            cause: Cause { actor, reason: self.reason },
            revision: Revision(self.revision),
        })
    }
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.split_off(..8)?.first_chunk()?))
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let len = u16::from_le_bytes(*bytes.split_off(..2)?.first_chunk()?);
    std::str::from_utf8(bytes.split_off(..usize::from(len))?).ok()
}
