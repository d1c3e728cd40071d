//! Questions and answers between nodes, as frames.

use super::{ClientLoad, ClientTarget};
use prost::Message;

/// What a node is asked. Every answer is its [`ClientLoad`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// How busy it is.
    Load,
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
struct LoadMessage {
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
}

impl Question {
    pub(super) fn encode(&self) -> Vec<u8> {
        let keep = match self {
            Self::Load => None,
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
            return Some(Self::Load);
        };
        let port = u16::try_from(port).ok()?;
        let target = (!host.is_empty()).then_some(ClientTarget { host, port });
        Some(Self::Keep { clients, target })
    }
}

pub(super) fn encode_load(load: &ClientLoad) -> Vec<u8> {
    let ClientLoad { clients, connections, load, cpu, is_ready } = *load;
    LoadMessage { clients, connections, load, cpu, is_ready }.encode_to_vec()
}

pub(super) fn decode_load(frame: &[u8]) -> Option<ClientLoad> {
    let LoadMessage { clients, connections, load, cpu, is_ready } = LoadMessage::decode(frame).ok()?;
    Some(ClientLoad { clients, connections, load, cpu, is_ready })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_come_back() {
        let target = Some(ClientTarget { host: "10.0.0.2".into(), port: 8848 });
        for question in [
            Question::Load,
            Question::Keep { clients: 0, target: None },
            Question::Keep { clients: 70_000, target },
        ] {
            assert_eq!(Question::decode(&question.encode()), Some(question));
        }
        assert_eq!(Question::decode(b"\xff"), None);
        let load = ClientLoad { clients: 3, connections: 5, load: 0.25, cpu: -1.0, is_ready: true };
        assert_eq!(decode_load(&encode_load(&load)), Some(load));
    }
}
