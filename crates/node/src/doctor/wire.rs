//! Reports between nodes, as frames.

use super::{
    digest::{BUCKETS, StateDigest, TableDigest},
    marks::{MarkResult, Marked},
    mirrors::NamedMirror,
    report::{DiskSpace, MirrorReport, NodeReport},
};
use bytes::Bytes;
use muster_model::{Epoch, NodeId, Origin, Timestamp};
use muster_registry::MirrorName;
use prost::Message;
use std::sync::Arc;

/// What a node is asked: its report, with what came of a mark, and with names.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Question {
    #[prost(fixed64, tag = "1")]
    pub(super) mark: u64,
    #[prost(message, optional, tag = "2")]
    pub(super) names: Option<NamesQuestion>,
}

/// Of which origin, and of which buckets of its digest, names are wanted.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NamesQuestion {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(uint64, tag = "2")]
    boot: u64,
    #[prost(fixed64, tag = "3")]
    random: u64,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) buckets: Vec<u8>,
}

impl NamesQuestion {
    pub(super) fn new(origin: Origin, buckets: &[u8]) -> Self {
        let Origin { node, epoch: Epoch { boot, random } } = origin;
        Self { node: node.0, boot, random, buckets: buckets.to_vec() }
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { node: NodeId(self.node), epoch: Epoch { boot: self.boot, random: self.random } }
    }
}

/// The answer; older versions give none.
#[derive(Clone, PartialEq, Message)]
struct NamesMessage {
    #[prost(uint64, tag = "1")]
    sequence: u64,
    #[prost(fixed64, repeated, tag = "2")]
    keys: Vec<u64>,
    #[prost(fixed64, repeated, tag = "3")]
    hashes: Vec<u64>,
    #[prost(string, repeated, tag = "4")]
    names: Vec<String>,
}

impl From<&NamedMirror> for NamesMessage {
    fn from(named: &NamedMirror) -> Self {
        Self {
            sequence: named.sequence,
            keys: named.names.iter().map(|name| name.key).collect(),
            hashes: named.names.iter().map(|name| name.hash).collect(),
            names: named.names.iter().map(|name| name.name.clone()).collect(),
        }
    }
}

impl From<NamesMessage> for NamedMirror {
    fn from(message: NamesMessage) -> Self {
        let NamesMessage { sequence, keys, hashes, names } = message;
        let names = keys.into_iter().zip(hashes).zip(names);
        let names = names.map(|((key, hash), name)| MirrorName { key, hash, name });
        Self { sequence, names: names.collect() }
    }
}

#[derive(Clone, PartialEq, Message)]
struct MirrorMessage {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(uint64, tag = "2")]
    boot: u64,
    #[prost(fixed64, tag = "3")]
    random: u64,
    #[prost(uint64, tag = "4")]
    sequence: u64,
    #[prost(uint64, tag = "5")]
    count: u64,
    #[prost(fixed64, tag = "6")]
    sum: u64,
    #[prost(fixed64, repeated, tag = "7")]
    buckets: Vec<u64>,
    #[prost(uint64, optional, tag = "8")]
    mended_ms_ago: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct TableMessage {
    #[prost(uint32, tag = "1")]
    table: u32,
    #[prost(uint64, tag = "2")]
    rows: u64,
    #[prost(fixed64, repeated, tag = "3")]
    buckets: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct NamedMessage {
    #[prost(uint32, tag = "1")]
    table: u32,
    #[prost(uint32, tag = "2")]
    bucket: u32,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    keys: Vec<Bytes>,
    #[prost(fixed64, repeated, tag = "4")]
    hashes: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct MarkMessage {
    #[prost(fixed64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    index: u64,
    /// 0: computing, 1: done, 2: passed over, 3: the state can't be read.
    #[prost(uint32, tag = "3")]
    state: u32,
    #[prost(string, tag = "4")]
    why: String,
    #[prost(message, repeated, tag = "5")]
    tables: Vec<TableMessage>,
    #[prost(message, repeated, tag = "6")]
    named: Vec<NamedMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct ReportMessage {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(string, tag = "2")]
    version: String,
    #[prost(bool, tag = "3")]
    is_ready: bool,
    #[prost(uint64, tag = "4")]
    applied: u64,
    #[prost(uint64, tag = "5")]
    committed: u64,
    #[prost(uint64, optional, tag = "6")]
    leader: Option<u64>,
    #[prost(uint64, tag = "7")]
    term: u64,
    #[prost(uint64, optional, tag = "8")]
    without_leader_ms: Option<u64>,
    #[prost(uint64, tag = "9")]
    wall: u64,
    #[prost(uint64, optional, tag = "10")]
    disk_free: Option<u64>,
    #[prost(uint64, tag = "11")]
    disk_total: u64,
    #[prost(uint64, optional, tag = "12")]
    certificate_until: Option<u64>,
    #[prost(message, repeated, tag = "13")]
    mirrors: Vec<MirrorMessage>,
    #[prost(message, optional, tag = "14")]
    mark: Option<MarkMessage>,
    #[prost(message, optional, tag = "15")]
    names: Option<NamesMessage>,
}

fn mark_message(mark: &MarkResult) -> MarkMessage {
    let mut message = MarkMessage { id: mark.id, index: mark.index, ..MarkMessage::default() };
    match &mark.marked {
        Marked::Computing => {}
        Marked::Done(digest) => {
            message.state = 1;
            message.why = digest.damage.clone().unwrap_or_default();
            message.tables = digest
                .tables
                .iter()
                .map(|(table, digest)| TableMessage {
                    table: u32::from(*table),
                    rows: digest.rows,
                    buckets: digest.buckets.clone(),
                })
                .collect();
            message.named = digest
                .named
                .iter()
                .map(|((table, bucket), rows)| NamedMessage {
                    table: u32::from(*table),
                    bucket: u32::from(*bucket),
                    keys: rows.iter().map(|(key, _)| key.clone()).collect(),
                    hashes: rows.iter().map(|(_, hash)| *hash).collect(),
                })
                .collect();
        }
        Marked::Failed { why, is_damage } => {
            message.state = if *is_damage { 3 } else { 2 };
            message.why.clone_from(why);
        }
    }
    message
}

/// `None`: not what this version says.
fn mark_of(message: MarkMessage) -> Option<MarkResult> {
    let marked = match message.state {
        0 => Marked::Computing,
        1 => {
            let damage = Some(message.why).filter(|why| !why.is_empty());
            let mut digest = StateDigest { damage, ..StateDigest::default() };
            for TableMessage { table, rows, buckets } in message.tables {
                if buckets.len() != BUCKETS {
                    return None;
                }
                digest.tables.insert(u8::try_from(table).ok()?, TableDigest { rows, buckets });
            }
            for NamedMessage { table, bucket, keys, hashes } in message.named {
                let place = (u8::try_from(table).ok()?, u8::try_from(bucket).ok()?);
                digest.named.insert(place, keys.into_iter().zip(hashes).collect());
            }
            Marked::Done(Arc::new(digest))
        }
        state => Marked::Failed { why: message.why, is_damage: state == 3 },
    };
    Some(MarkResult { id: message.id, index: message.index, marked })
}

pub(super) fn encode_report(report: &NodeReport) -> Vec<u8> {
    let mirrors = report.mirrors.iter().map(|mirror| MirrorMessage {
        node: mirror.origin.node.0,
        boot: mirror.origin.epoch.boot,
        random: mirror.origin.epoch.random,
        sequence: mirror.sequence,
        count: mirror.count,
        sum: mirror.sum,
        buckets: mirror.buckets.clone(),
        mended_ms_ago: mirror.mended_ms_ago,
    });
    let message = ReportMessage {
        node: report.node.0,
        version: report.version.clone(),
        is_ready: report.is_ready,
        applied: report.applied,
        committed: report.committed,
        leader: report.leader.map(|leader| leader.0),
        term: report.term,
        without_leader_ms: report.without_leader_ms,
        wall: report.wall.0,
        disk_free: report.disk.map(|disk| disk.free),
        disk_total: report.disk.map(|disk| disk.total).unwrap_or_default(),
        certificate_until: report.certificate_until.map(|until| until.0),
        mirrors: mirrors.collect(),
        mark: report.mark.as_ref().map(mark_message),
        names: report.names.as_ref().map(Into::into),
    };
    message.encode_to_vec()
}

/// `None`: not what this version says.
pub(super) fn decode_report(frame: &[u8]) -> Option<NodeReport> {
    let message = ReportMessage::decode(frame).ok()?;
    let mirrors = message.mirrors.into_iter().map(|mirror| MirrorReport {
        origin: Origin {
            node: NodeId(mirror.node),
            epoch: Epoch { boot: mirror.boot, random: mirror.random },
        },
        sequence: mirror.sequence,
        count: mirror.count,
        sum: mirror.sum,
        buckets: mirror.buckets,
        mended_ms_ago: mirror.mended_ms_ago,
    });
    Some(NodeReport {
        node: NodeId(message.node),
        version: message.version,
        is_ready: message.is_ready,
        applied: message.applied,
        committed: message.committed,
        leader: message.leader.map(NodeId),
        term: message.term,
        without_leader_ms: message.without_leader_ms,
        wall: Timestamp(message.wall),
        disk: message.disk_free.map(|free| DiskSpace { free, total: message.disk_total }),
        certificate_until: message.certificate_until.map(Timestamp),
        mirrors: mirrors.collect(),
        mark: match message.mark {
            Some(mark) => Some(mark_of(mark)?),
            None => None,
        },
        names: message.names.map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_come_back() {
        let mut digest = StateDigest::default();
        digest.tables.insert(5, TableDigest { rows: 7, buckets: vec![9; BUCKETS] });
        digest.named.insert((5, 255), vec![(Bytes::from_static(b"a\0b"), 1)]);
        let origin = Origin { node: NodeId(2), epoch: Epoch { boot: 3, random: u64::MAX } };
        let report = NodeReport {
            node: NodeId(1),
            version: "1 (abc)".into(),
            is_ready: true,
            applied: 5,
            committed: 6,
            leader: Some(NodeId(1)),
            term: 2,
            without_leader_ms: Some(0),
            wall: Timestamp(99),
            disk: Some(DiskSpace { free: 0, total: 10 }),
            certificate_until: Some(Timestamp(4)),
            mirrors: vec![MirrorReport {
                origin,
                sequence: 8,
                count: 1,
                sum: 2,
                buckets: vec![1; BUCKETS],
                mended_ms_ago: Some(0),
            }],
            mark: Some(MarkResult { id: 1, index: 2, marked: Marked::Done(Arc::new(digest)) }),
            names: Some(NamedMirror {
                sequence: 8,
                names: vec![MirrorName { key: 1, hash: u64::MAX, name: "instance a".into() }],
            }),
        };
        assert_eq!(decode_report(&encode_report(&report)), Some(report));
        assert_eq!(decode_report(&encode_report(&NodeReport::default())), Some(NodeReport::default()));
        for (why, is_damage) in [("x", true), ("y", false)] {
            let marked = Marked::Failed { why: why.into(), is_damage };
            let mark = MarkResult { id: 1, index: 2, marked };
            let back = mark_of(mark_message(&mark)).unwrap();
            assert!(matches!(back.marked, Marked::Failed { is_damage: of, .. } if of == is_damage));
        }
        let short = MarkMessage { state: 1, tables: vec![TableMessage::default()], ..MarkMessage::default() };
        assert!(mark_of(short).is_none(), "too few buckets");
    }
}
