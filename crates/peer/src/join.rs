//! What is asked on links of [`Purpose::Join`]: one question and one answer a link.

use crate::{JoinToken, KeyHash, LinkError, Links, Purpose, SecretHash, TokenId};
use muster_model::{ClusterId, NodeId};
use prost::Message;
use std::{fmt, io, time::Duration};

/// How long an answer may take: a node that joins is written to the log first.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A question.
#[derive(Clone, Debug)]
pub enum Question {
    /// Who are you, and is there a cluster? From a node that has none.
    Probe(Probe),
    /// May I join?
    Join(JoinRequest),
    /// What the leader knows of the members; its encoding belongs to whoever asks and answers.
    Standing,
}

/// An answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To a probe.
    Probe(ProbeAnswer),
    /// The node may join.
    Joined(Joined),
    /// The standing, as bytes.
    Standing(Vec<u8>),
    /// No, for that reason, which is for the operator of the other node.
    Refused(String),
}

/// What a node that has no cluster says when it asks whether there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// Its address for peers.
    pub address: String,
    /// All that its settings list, sorted.
    pub peers: Vec<String>,
}

/// One of the nodes that begin a cluster together, as its settings describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Founder {
    /// The id it gets; 0 while there is none.
    pub node: u64,
    /// Its address for peers.
    pub address: String,
    /// Its address for clients.
    pub client: String,
    /// The version of its program.
    pub version: String,
    /// The hash of its key; a node that lost its data has another.
    pub key: Option<KeyHash>,
}

/// What a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// The cluster it belongs to.
    pub cluster: Option<ClusterId>,
    /// Whether it has data: it must not be begun anew.
    pub has_data: bool,
    /// Itself.
    pub itself: Founder,
    /// All that its settings list, sorted.
    pub peers: Vec<String>,
    /// Who belongs to the cluster, as far as it knows.
    pub members: Vec<Founder>,
}

/// What a node that wants to join says of itself.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// Its token; `None`: what protects the link proves enough.
    pub token: Option<PresentedToken>,
    /// Itself.
    pub itself: Founder,
}

/// A token as it is presented to a node that the one who joins has recognised by the rest of the token.
#[derive(Clone)]
pub struct PresentedToken {
    /// Its name.
    pub id: TokenId,
    secret: [u8; 32],
}

impl PresentedToken {
    /// What the cluster remembers of such a token. The secret is not stored anywhere, so that whoever reads what is stored
    /// can't join.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.secret)
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedToken").field("id", &self.id).finish_non_exhaustive()
    }
}

impl JoinRequest {
    /// A request with a token.
    pub fn new(token: Option<&JoinToken>, itself: Founder) -> Self {
        let present = |token: &JoinToken| PresentedToken { id: token.id, secret: *token.secret() };
        Self { token: token.map(present), itself }
    }
}

/// What a node that joins is given.
#[derive(Clone)]
pub struct Joined {
    /// Its id.
    pub node: NodeId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The key of the cluster's authority, where the cluster has one of its own. A secret.
    pub authority: Option<Vec<u8>>,
    /// Who belongs to it.
    pub members: Vec<Founder>,
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined")
            .field("node", &self.node)
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Message)]
struct FounderMessage {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(string, tag = "2")]
    address: String,
    #[prost(string, tag = "3")]
    client: String,
    #[prost(string, tag = "4")]
    version: String,
    #[prost(bytes = "vec", tag = "5")]
    key: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct QuestionMessage {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(message, optional, tag = "2")]
    itself: Option<FounderMessage>,
    #[prost(string, repeated, tag = "3")]
    peers: Vec<String>,
    #[prost(fixed64, tag = "4")]
    token: u64,
    #[prost(bytes = "vec", tag = "5")]
    secret: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct AnswerMessage {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bytes = "vec", tag = "2")]
    cluster: Vec<u8>,
    #[prost(bool, tag = "3")]
    has_data: bool,
    #[prost(message, optional, tag = "4")]
    itself: Option<FounderMessage>,
    #[prost(string, repeated, tag = "5")]
    peers: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    members: Vec<FounderMessage>,
    #[prost(uint64, tag = "7")]
    node: u64,
    #[prost(bytes = "vec", tag = "8")]
    bytes: Vec<u8>,
    #[prost(string, tag = "9")]
    text: String,
}

impl From<Founder> for FounderMessage {
    fn from(Founder { node, address, client, version, key }: Founder) -> Self {
        Self { node, address, client, version, key: key.map_or_else(Vec::new, |key| key.0.to_vec()) }
    }
}

impl FounderMessage {
    fn read(self) -> Option<Founder> {
        let Self { node, address, client, version, key } = self;
        let key = if key.is_empty() { None } else { Some(KeyHash(key.try_into().ok()?)) };
        Some(Founder { node, address, client, version, key })
    }
}

fn read_all(messages: Vec<FounderMessage>) -> Option<Vec<Founder>> {
    messages.into_iter().map(FounderMessage::read).collect()
}

impl Question {
    /// The bytes of a frame.
    pub fn encode(&self) -> Vec<u8> {
        let message = match self.clone() {
            Self::Probe(Probe { address, peers }) => {
                let itself = Some(FounderMessage { address, ..Default::default() });
                QuestionMessage { kind: 1, itself, peers, ..Default::default() }
            }
            Self::Join(JoinRequest { token, itself }) => {
                let (token, secret) =
                    token.map_or((0, Vec::new()), |token| (token.id.0, token.secret.to_vec()));
                QuestionMessage { kind: 2, itself: Some(itself.into()), token, secret, ..Default::default() }
            }
            Self::Standing => QuestionMessage { kind: 3, ..Default::default() },
        };
        message.encode_to_vec()
    }

    /// Reads a frame; `None`: no question that this program knows.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let message = QuestionMessage::decode(bytes).ok()?;
        Some(match message.kind {
            1 => Self::Probe(Probe { address: message.itself?.address, peers: message.peers }),
            2 => {
                let token = match message.secret {
                    secret if secret.is_empty() => None,
                    secret => {
                        let id = TokenId(message.token);
                        Some(PresentedToken { id, secret: secret.try_into().ok()? })
                    }
                };
                Self::Join(JoinRequest { token, itself: message.itself?.read()? })
            }
            3 => Self::Standing,
            _ => return None,
        })
    }
}

impl Answer {
    /// The bytes of a frame.
    pub fn encode(self) -> Vec<u8> {
        let id = |cluster: Option<ClusterId>| cluster.map_or_else(Vec::new, |id| id.0.to_be_bytes().to_vec());
        let message = match self {
            Self::Probe(ProbeAnswer { cluster, has_data, itself, peers, members }) => AnswerMessage {
                kind: 1,
                cluster: id(cluster),
                has_data,
                itself: Some(itself.into()),
                peers,
                members: members.into_iter().map(Into::into).collect(),
                ..Default::default()
            },
            Self::Joined(Joined { node, cluster, authority, members }) => AnswerMessage {
                kind: 2,
                cluster: id(Some(cluster)),
                node: node.0,
                bytes: authority.unwrap_or_default(),
                members: members.into_iter().map(Into::into).collect(),
                ..Default::default()
            },
            Self::Standing(bytes) => AnswerMessage { kind: 3, bytes, ..Default::default() },
            Self::Refused(text) => AnswerMessage { kind: 4, text, ..Default::default() },
        };
        message.encode_to_vec()
    }

    /// Reads a frame; `None`: no answer that this program knows.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let message = AnswerMessage::decode(bytes).ok()?;
        let cluster = match message.cluster {
            none if none.is_empty() => None,
            id => Some(ClusterId(u128::from_be_bytes(id.try_into().ok()?))),
        };
        let members = read_all(message.members)?;
        Some(match message.kind {
            1 => Self::Probe(ProbeAnswer {
                cluster,
                has_data: message.has_data,
                itself: message.itself?.read()?,
                peers: message.peers,
                members,
            }),
            2 => Self::Joined(Joined {
                node: NodeId(message.node),
                cluster: cluster?,
                authority: (!message.bytes.is_empty()).then_some(message.bytes),
                members,
            }),
            3 => Self::Standing(message.bytes),
            4 => Self::Refused(message.text),
            _ => return None,
        })
    }
}

/// Asks a node.
pub async fn ask(
    links: &Links,
    to: Option<NodeId>,
    address: &str,
    question: &Question,
) -> Result<Answer, LinkError> {
    let broken = |error| LinkError::Broken { address: address.to_owned(), error };
    let mut link = links.connect(to, address, Purpose::Join).await?;
    let asking = async {
        link.send(&question.encode()).await?;
        let answer = link.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let unknown = || io::Error::new(io::ErrorKind::InvalidData, "an answer of a newer version");
        Answer::decode(&answer).ok_or_else(unknown)
    };
    let answer = tokio::time::timeout(ANSWER_WITHIN, asking).await;
    answer.map_err(|_| broken(io::ErrorKind::TimedOut.into()))?.map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn founder(node: u64) -> Founder {
        Founder {
            node,
            address: "10.0.0.1:7848".into(),
            client: "10.0.0.1:8848".into(),
            version: "1".into(),
            key: (node > 1).then(|| KeyHash::of(b"key")),
        }
    }

    #[test]
    fn what_is_said_comes_back() {
        let token = JoinToken::new(KeyHash::of(b"ca"));
        let probe = Probe { address: "a:1".into(), peers: vec!["a:1".into(), "b:1".into()] };
        for question in [
            Question::Probe(probe),
            Question::Join(JoinRequest::new(Some(&token), founder(0))),
            Question::Join(JoinRequest::new(None, founder(2))),
            Question::Standing,
        ] {
            let again = Question::decode(&question.encode()).unwrap();
            assert_eq!(format!("{again:?}"), format!("{question:?}"));
        }
        let probe = ProbeAnswer {
            cluster: Some(ClusterId(7)),
            has_data: true,
            itself: founder(1),
            peers: vec!["a".into()],
            members: vec![founder(1), founder(2)],
        };
        let authority = Some(vec![1, 2]);
        let joined = Joined { node: NodeId(4), cluster: ClusterId(7), authority, members: vec![founder(1)] };
        for answer in [
            Answer::Probe(probe),
            Answer::Probe(ProbeAnswer::default()),
            Answer::Joined(joined),
            Answer::Standing(vec![3]),
            Answer::Refused("no".into()),
        ] {
            let again = Answer::decode(&answer.clone().encode()).unwrap();
            assert_eq!(format!("{again:?}"), format!("{answer:?}"));
        }
        assert!(Question::decode(b"\x08\x63").is_none() && Answer::decode(b"\x08\x63").is_none());
    }
}
