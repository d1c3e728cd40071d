//! Questions and answers between nodes, as frames.

use super::{ClientLoad, ClientTarget, NodeFigures};
use muster_consensus::Role;
use muster_model::Timestamp;
use prost::Message;

/// What a node is asked. Every answer is its [`NodeFigures`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// How it is.
    Figures,
    /// To ask clients beyond so many to move.
    Keep { clients: u64, target: Option<ClientTarget> },
}

#[derive(Clone, PartialEq, Message)]
struct QuestionMessage {
    #[prost(message, optional, tag = "1")]
    keep: Option<KeepMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct KeepMessage {
    #[prost(uint64, tag = "1")]
    clients: u64,
    /// Blank: any other node.
    #[prost(string, tag = "2")]
    host: String,
    #[prost(uint32, tag = "3")]
    port: u32,
}

#[derive(Clone, PartialEq, Message)]
struct FiguresMessage {
    #[prost(uint64, tag = "1")]
    clients: u64,
    #[prost(uint64, tag = "2")]
    connections: u64,
    #[prost(double, tag = "3")]
    load: f64,
    #[prost(double, tag = "4")]
    cpu: f64,
    #[prost(bool, tag = "5")]
    is_ready: bool,
    #[prost(uint32, tag = "6")]
    role: u32,
    #[prost(uint64, tag = "7")]
    term: u64,
    #[prost(uint64, tag = "8")]
    applied: u64,
    #[prost(string, tag = "9")]
    version: String,
    #[prost(uint64, optional, tag = "10")]
    certificate_until: Option<u64>,
}

const ROLES: [Role; 4] = [Role::Learner, Role::Follower, Role::Candidate, Role::Leader];

impl Question {
    pub(super) fn encode(&self) -> Vec<u8> {
        let keep = match self {
            Self::Figures => None,
            Self::Keep { clients, target } => Some(KeepMessage {
                clients: *clients,
                host: target.as_ref().map(|target| target.host.clone()).unwrap_or_default(),
                port: target.as_ref().map_or(0, |target| u32::from(target.port)),
            }),
        };
        QuestionMessage { keep }.encode_to_vec()
    }

    /// `None`: nothing that a node asks.
    pub(super) fn decode(frame: &[u8]) -> Option<Self> {
        let Some(KeepMessage { clients, host, port }) = QuestionMessage::decode(frame).ok()?.keep else {
            return Some(Self::Figures);
        };
        let port = u16::try_from(port).ok()?;
        let target = (!host.is_empty()).then_some(ClientTarget { host, port });
        Some(Self::Keep { clients, target })
    }
}

pub(super) fn encode_figures(figures: &NodeFigures) -> Vec<u8> {
    let ClientLoad { clients, connections, load, cpu } = figures.load;
    let role = ROLES.iter().position(|role| *role == figures.role).unwrap_or_default() as u32;
    let message = FiguresMessage {
        clients,
        connections,
        load,
        cpu,
        is_ready: figures.is_ready,
        role,
        term: figures.term,
        applied: figures.applied,
        version: figures.version.clone(),
        certificate_until: figures.certificate_until.map(|until| until.0),
    };
    message.encode_to_vec()
}

pub(super) fn decode_figures(frame: &[u8]) -> Option<NodeFigures> {
    let message = FiguresMessage::decode(frame).ok()?;
    let FiguresMessage { clients, connections, load, cpu, is_ready, role, term, applied, version, .. } =
        message;
    Some(NodeFigures {
        role: ROLES.get(role as usize).copied().unwrap_or_default(),
        term,
        applied,
        is_ready,
        version,
        load: ClientLoad { clients, connections, load, cpu },
        certificate_until: message.certificate_until.map(Timestamp),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_come_back() {
        let target = Some(ClientTarget { host: "10.0.0.2".into(), port: 8848 });
        for question in [
            Question::Figures,
            Question::Keep { clients: 0, target: None },
            Question::Keep { clients: 70_000, target },
        ] {
            assert_eq!(Question::decode(&question.encode()), Some(question));
        }
        assert_eq!(Question::decode(b"\xff"), None);
        for role in ROLES {
            let figures = NodeFigures {
                role,
                term: 4,
                applied: 17,
                is_ready: true,
                version: "0.1.0".into(),
                load: ClientLoad { clients: 3, connections: 5, load: 0.25, cpu: -1.0 },
                certificate_until: Some(Timestamp(9)),
            };
            assert_eq!(decode_figures(&encode_figures(&figures)), Some(figures));
        }
    }
}
