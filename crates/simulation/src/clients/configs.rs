//! A client that publishes, swaps, removes and reads configs.

use super::{Desk, Reply, pause};
use crate::{
    history::{Answer, Asked, Call, NOTHING, Value},
    record::{Acknowledged, Key, Observed, Server, now_ms},
};
use bytes::Bytes;
use muster_consensus::ProposeError;
use muster_model::{ConfigKey, DataId, GroupName, Md5, Namespace};
use muster_node::{
    Node, NodeError,
    config::{Author, ClientLabels, Condition, ConfigError, Content, Outcome, Publish, RemoveTarget},
};
use muster_runtime::Rng;
use std::sync::Arc;

/// How many configs all clients share.
pub(crate) const KEYS: Key = 4;

pub(crate) struct Client {
    number: u32,
    desk: Desk,
    rng: Rng,
    node: usize,
    contents: Value,
    /// What it saw last of each config.
    known: Vec<Value>,
}

/// What a node said of a question.
enum Said {
    /// The answer, and the revision of the config since.
    Answer(Answer, u64),
    /// Surely nothing was done.
    Nothing,
}

impl Client {
    pub(crate) fn new(number: u32, desk: Desk, rng: Rng) -> Self {
        let node = 1 + (number as usize % desk.machines.len());
        Self { number, desk, rng, node, contents: 0, known: vec![NOTHING; KEYS as usize + 1] }
    }

    /// Goes on until a moment, so that everything that was asked for is decided at the end.
    pub(crate) async fn run(mut self, until_ms: u64) {
        while now_ms() < until_ms {
            pause(&mut self.rng, 30, 400).await;
            let key = 1 + self.rng.below(u64::from(KEYS)) as Key;
            if self.rng.below(4) == 0 {
                self.look(key).await;
            } else {
                self.act(key).await;
            }
        }
    }

    fn choose(&mut self, key: Key) -> Asked {
        self.contents += 1;
        let new = self.number * 1_000_000 + self.contents;
        match self.rng.below(10) {
            0..=2 => Asked::Publish(new),
            3 | 4 => Asked::Swap { expected: self.known[key as usize].max(1), new },
            5 => Asked::Create(new),
            6 => Asked::Remove,
            _ => Asked::Read,
        }
    }

    async fn act(&mut self, key: Key) {
        let asked = self.choose(key);
        let began = self.desk.recorder.moment();
        let reply =
            self.desk.ask(self.node, move |node| async move { perform(&node, key, asked).await }).await;
        let ended = self.desk.recorder.moment();
        let (number, node) = (self.number, self.node);
        let (answer, revision) = match reply {
            Reply::Answer(Said::Answer(answer, revision), server) => {
                self.note_revision(key, revision, server);
                (answer, revision)
            }
            Reply::Answer(Said::Nothing, _) | Reply::Unreachable => {
                self.desk.recorder.note(&format_args!("c{number} n{node} k{key} {asked:?}: nothing"));
                return self.move_on();
            }
            Reply::Lost => (Answer::Unknown, 0),
        };
        self.desk.recorder.note(&format_args!("c{number} n{node} k{key} {asked:?}: {answer:?} {revision}"));
        let call = Call { client: number, asked, began, ended, answer };
        self.desk.recorder.with(|seen| seen.calls.entry(key).or_default().push(call));
        let written = match (asked, answer) {
            (Asked::Publish(new) | Asked::Create(new) | Asked::Swap { new, .. }, Answer::Published) => {
                Some(new)
            }
            (Asked::Remove, Answer::Removed(_)) => Some(NOTHING),
            _ => None,
        };
        if let Some(value) = written {
            self.known[key as usize] = value;
            let acknowledged = Acknowledged { key, value, revision, began, ended };
            self.desk.recorder.with(|seen| seen.acknowledged.push(acknowledged));
        }
        if let Answer::Found(value) = answer {
            self.known[key as usize] = value;
        }
        if answer == Answer::Unknown {
            self.move_on();
        }
    }

    /// Reads without a barrier, as clients do.
    async fn look(&mut self, key: Key) {
        let reply = self.desk.ask(self.node, move |node| async move { read(&node, key) }).await;
        let (number, node) = (self.number, self.node);
        match reply {
            Reply::Answer(Said::Answer(answer, revision), server) => {
                self.desk
                    .recorder
                    .note(&format_args!("c{number} n{node} k{key} look: {answer:?} {revision}"));
                if let Answer::Found(value) = answer {
                    self.known[key as usize] = value;
                }
                self.note_revision(key, revision, server);
            }
            Reply::Answer(Said::Nothing, _) | Reply::Unreachable | Reply::Lost => self.move_on(),
        }
    }

    fn note_revision(&self, key: Key, revision: u64, server: Server) {
        if revision == 0 {
            return;
        }
        let what = format!("config {key}");
        let observed = Observed { at_ms: now_ms(), client: self.number, server, what, revision };
        self.desk.recorder.with(|seen| seen.observed.push(observed));
    }

    fn move_on(&mut self) {
        self.node = self.desk.any(&mut self.rng);
    }
}

/// The key of a config.
pub(crate) fn config_key(key: Key) -> ConfigKey {
    let data_id = DataId::new(&format!("k{key}")).expect("a short name of letters and digits");
    ConfigKey::new(Namespace::default(), GroupName::default(), data_id)
}

/// The bytes of a value.
fn content(value: Value) -> Bytes {
    Bytes::from(format!("{value}"))
}

/// The value of bytes.
pub(crate) fn value(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).unwrap_or(Value::MAX)
}

async fn perform(node: &Arc<Node>, key: Key, asked: Asked) -> Said {
    let publish = |new, condition| {
        let content = Content::new(content(new)).expect("a number is a content");
        let publish = Publish::new(config_key(key), content, Author::default(), node.config_bounds());
        Publish { condition, ..publish }
    };
    let done = match asked {
        Asked::Publish(new) => node.publish_config(publish(new, Condition::None)).await,
        Asked::Swap { expected, new } => {
            let expected = Md5::of(&content(expected)).to_string();
            node.publish_config(publish(new, Condition::Md5(expected))).await
        }
        Asked::Create(new) => node.publish_config(publish(new, Condition::Absent)).await,
        Asked::Remove => node.remove_config(config_key(key), RemoveTarget::All, Author::default()).await,
        Asked::Read => {
            return match node.read_barrier().await {
                Ok(()) => read(node, key),
                Err(_) => Said::Nothing,
            };
        }
    };
    match done {
        Ok(Outcome::Published { revision, .. }) => Said::Answer(Answer::Published, revision.0),
        Ok(Outcome::Removed { existed }) => Said::Answer(Answer::Removed(existed), 0),
        Err(NodeError::Config(ConfigError::Conflict | ConfigError::Exists)) => {
            Said::Answer(Answer::Refused, 0)
        }
        Err(NodeError::Starting) => Said::Nothing,
        Err(NodeError::Propose(error)) if error != ProposeError::Timeout => Said::Nothing,
        Ok(_) | Err(_) => Said::Answer(Answer::Unknown, 0),
    }
}

fn read(node: &Arc<Node>, key: Key) -> Said {
    let key = config_key(key);
    match node.query_config(&key, &ClientLabels::default(), None) {
        Ok(found) => {
            let value = found.map_or(NOTHING, |found| value(&found.content.bytes));
            Said::Answer(Answer::Found(value), node.config_revision(&key).0)
        }
        Err(_) => Said::Nothing,
    }
}
