//! Ops and results as bytes, for the log.

use crate::{
    Author, Bounds, CapacityOf, Condition, ConfigError, Content, Describe, ExpireHistory, Gray, HistoryOp,
    LoadError, Op, Outcome, Publish, QuotaOf, Remove, RemoveTarget, TakeOver,
    capacity::{CapacityMessage, QuotaMessage},
    row::{
        AuthorMessage, DetailsMessage, GrayMessage, by_number, damaged, decode, encode, key_of, number_of,
        parse_md5,
    },
};
use bytes::Bytes;
use muster_model::{ConfigKey, ConfigType, Revision, Timestamp};
use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
struct KeyMessage {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    group: String,
    #[prost(string, tag = "3")]
    data_id: String,
}

impl KeyMessage {
    fn of(key: &ConfigKey) -> Self {
        Self {
            namespace: key.namespace().as_str().to_owned(),
            group: key.group().as_str().to_owned(),
            data_id: key.data_id().as_str().to_owned(),
        }
    }

    fn parse(key: Option<Self>) -> Result<ConfigKey, LoadError> {
        let key = key.ok_or_else(|| damaged("config op", "no key"))?;
        key_of("config op", &key.namespace, &key.group, &key.data_id)
    }
}

#[derive(Clone, PartialEq, Message)]
struct TagsMessage {
    #[prost(string, repeated, tag = "1")]
    tags: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct PublishMessage {
    #[prost(message, optional, tag = "1")]
    key: Option<KeyMessage>,
    #[prost(bytes = "bytes", tag = "2")]
    content: Bytes,
    #[prost(bytes = "vec", tag = "3")]
    md5: Vec<u8>,
    #[prost(string, optional, tag = "4")]
    expected_md5: Option<String>,
    #[prost(bool, tag = "5")]
    absent: bool,
    #[prost(message, optional, tag = "6")]
    gray: Option<GrayMessage>,
    #[prost(uint32, tag = "7")]
    kind: u32,
    #[prost(string, optional, tag = "8")]
    app_name: Option<String>,
    #[prost(message, optional, tag = "9")]
    tags: Option<TagsMessage>,
    #[prost(message, optional, tag = "10")]
    details: Option<DetailsMessage>,
    #[prost(string, tag = "11")]
    encrypted_data_key: String,
    #[prost(message, optional, tag = "12")]
    author: Option<AuthorMessage>,
    #[prost(uint32, tag = "13")]
    gray_versions_max: u32,
    #[prost(uint32, tag = "14")]
    history_entries_max: u32,
    #[prost(message, optional, tag = "15")]
    quota: Option<QuotaMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct RemoveMessage {
    #[prost(message, optional, tag = "1")]
    key: Option<KeyMessage>,
    #[prost(string, optional, tag = "2")]
    gray: Option<String>,
    #[prost(message, optional, tag = "3")]
    author: Option<AuthorMessage>,
    #[prost(uint32, tag = "4")]
    gray_versions_max: u32,
    #[prost(uint32, tag = "5")]
    history_entries_max: u32,
}

#[derive(Clone, PartialEq, Message)]
struct ExpireMessage {
    #[prost(uint64, tag = "1")]
    before: u64,
    #[prost(uint32, tag = "2")]
    entries_max: u32,
}

#[derive(Clone, PartialEq, Message)]
struct DescribeMessage {
    #[prost(message, optional, tag = "1")]
    key: Option<KeyMessage>,
    #[prost(string, optional, tag = "2")]
    description: Option<String>,
    #[prost(message, optional, tag = "3")]
    tags: Option<TagsMessage>,
    #[prost(message, optional, tag = "4")]
    author: Option<AuthorMessage>,
    #[prost(uint32, tag = "5")]
    gray_versions_max: u32,
    #[prost(uint32, tag = "6")]
    history_entries_max: u32,
}

#[derive(Clone, PartialEq, Message)]
struct SetCapacityMessage {
    #[prost(bytes = "bytes", tag = "1")]
    of: Bytes,
    #[prost(message, optional, tag = "2")]
    change: Option<CapacityMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct TakeOverMessage {
    #[prost(message, optional, tag = "1")]
    key: Option<KeyMessage>,
    #[prost(uint32, tag = "2")]
    op: u32,
    #[prost(uint64, tag = "3")]
    time: u64,
    #[prost(message, optional, tag = "4")]
    author: Option<AuthorMessage>,
    #[prost(message, optional, tag = "5")]
    gray: Option<GrayMessage>,
    #[prost(bytes = "bytes", tag = "6")]
    content: Bytes,
    #[prost(bytes = "vec", tag = "7")]
    md5: Vec<u8>,
    #[prost(uint32, tag = "8")]
    kind: u32,
    #[prost(string, tag = "9")]
    app_name: String,
    #[prost(string, repeated, tag = "10")]
    tags: Vec<String>,
    #[prost(message, optional, tag = "11")]
    details: Option<DetailsMessage>,
    #[prost(string, tag = "12")]
    encrypted_data_key: String,
    #[prost(message, optional, tag = "13")]
    published_by: Option<AuthorMessage>,
    #[prost(uint32, tag = "14")]
    gray_versions_max: u32,
    #[prost(uint32, tag = "15")]
    history_entries_max: u32,
}

#[derive(Clone, PartialEq, Oneof)]
enum OpKind {
    #[prost(message, boxed, tag = "1")]
    Publish(Box<PublishMessage>),
    #[prost(message, tag = "2")]
    Remove(RemoveMessage),
    #[prost(message, tag = "3")]
    Expire(ExpireMessage),
    #[prost(message, boxed, tag = "4")]
    Describe(Box<DescribeMessage>),
    #[prost(message, tag = "5")]
    SetCapacity(SetCapacityMessage),
    #[prost(message, boxed, tag = "6")]
    TakeOver(Box<TakeOverMessage>),
}

#[derive(Clone, PartialEq, Message)]
struct OpMessage {
    #[prost(oneof = "OpKind", tags = "1, 2, 3, 4, 5, 6")]
    op: Option<OpKind>,
}

impl Op {
    /// The op as a log entry carries it: a version byte and a message.
    pub fn encode(&self) -> Bytes {
        let op = match self {
            Self::Publish(publish) => OpKind::Publish(Box::new(publish_message(publish))),
            Self::Remove(remove) => OpKind::Remove(RemoveMessage {
                key: Some(KeyMessage::of(&remove.key)),
                gray: match &remove.target {
                    RemoveTarget::All => None,
                    RemoveTarget::Gray(name) => Some(name.clone()),
                },
                author: Some((&remove.author).into()),
                gray_versions_max: remove.bounds.gray_versions_max,
                history_entries_max: remove.bounds.history_entries_max,
            }),
            Self::ExpireHistory(expire) => {
                OpKind::Expire(ExpireMessage { before: expire.before.0, entries_max: expire.entries_max })
            }
            Self::Describe(describe) => OpKind::Describe(Box::new(DescribeMessage {
                key: Some(KeyMessage::of(&describe.key)),
                description: describe.description.clone(),
                tags: describe.tags.clone().map(|tags| TagsMessage { tags }),
                author: Some((&describe.author).into()),
                gray_versions_max: describe.bounds.gray_versions_max,
                history_entries_max: describe.bounds.history_entries_max,
            })),
            Self::SetCapacity(of, change) => OpKind::SetCapacity(SetCapacityMessage {
                of: of.row_key(),
                change: Some(CapacityMessage::of(0, *change)),
            }),
            Self::TakeOver(past) => OpKind::TakeOver(Box::new(take_over_message(past))),
        };
        encode(&OpMessage { op: Some(op) })
    }

    /// Reads an op; the content shares the bytes given.
    pub fn decode(bytes: Bytes) -> Result<Self, LoadError> {
        let message: OpMessage = decode("config op", bytes)?;
        match message.op {
            Some(OpKind::Publish(publish)) => Ok(Self::Publish(Box::new(parse_publish(*publish)?))),
            Some(OpKind::Remove(remove)) => Ok(Self::Remove(Remove {
                key: KeyMessage::parse(remove.key)?,
                target: remove.gray.map_or(RemoveTarget::All, RemoveTarget::Gray),
                author: author_of(remove.author),
                bounds: Bounds {
                    gray_versions_max: remove.gray_versions_max,
                    history_entries_max: remove.history_entries_max,
                },
            })),
            Some(OpKind::Expire(expire)) => Ok(Self::ExpireHistory(ExpireHistory {
                before: Timestamp(expire.before),
                entries_max: expire.entries_max,
            })),
            Some(OpKind::Describe(describe)) => Ok(Self::Describe(Describe {
                key: KeyMessage::parse(describe.key)?,
                description: describe.description,
                tags: describe.tags.map(|tags| tags.tags),
                author: author_of(describe.author),
                bounds: Bounds {
                    gray_versions_max: describe.gray_versions_max,
                    history_entries_max: describe.history_entries_max,
                },
            })),
            Some(OpKind::SetCapacity(set)) => {
                Ok(Self::SetCapacity(CapacityOf::parse(&set.of)?, set.change.unwrap_or_default().change()))
            }
            Some(OpKind::TakeOver(past)) => Ok(Self::TakeOver(Box::new(parse_take_over(*past)?))),
            None => Err(damaged("config op", "unknown op")),
        }
    }
}

fn author_of(message: Option<AuthorMessage>) -> Author {
    message.unwrap_or_default().into()
}

fn publish_message(publish: &Publish) -> PublishMessage {
    PublishMessage {
        key: Some(KeyMessage::of(&publish.key)),
        content: publish.content.bytes().clone(),
        md5: publish.content.md5().as_bytes().to_vec(),
        expected_md5: match &publish.condition {
            Condition::Md5(md5) => Some(md5.clone()),
            Condition::None | Condition::Absent => None,
        },
        absent: publish.condition == Condition::Absent,
        gray: publish.gray.as_ref().map(|gray| GrayMessage::of(&gray.name, &gray.rule)),
        kind: number_of(&ConfigType::ALL, publish.kind),
        app_name: publish.app_name.clone(),
        tags: publish.tags.clone().map(|tags| TagsMessage { tags }),
        details: (!publish.details.is_empty()).then(|| (&publish.details).into()),
        encrypted_data_key: publish.encrypted_data_key.clone(),
        author: Some((&publish.author).into()),
        gray_versions_max: publish.bounds.gray_versions_max,
        history_entries_max: publish.bounds.history_entries_max,
        quota: publish.quota.map(Into::into),
    }
}

fn parse_publish(message: PublishMessage) -> Result<Publish, LoadError> {
    let what = "config op";
    let gray = message.gray.map(|gray| gray.parse()).transpose()?;
    Ok(Publish {
        key: KeyMessage::parse(message.key)?,
        content: Content::trusted(message.content, parse_md5(what, &message.md5)?),
        condition: match (message.expected_md5, message.absent) {
            (Some(md5), _) => Condition::Md5(md5),
            (None, true) => Condition::Absent,
            (None, false) => Condition::None,
        },
        gray: gray.map(|(name, rule)| Gray { name, rule }),
        kind: by_number(what, &ConfigType::ALL, message.kind)?,
        app_name: message.app_name,
        tags: message.tags.map(|tags| tags.tags),
        details: message.details.unwrap_or_default().into(),
        encrypted_data_key: message.encrypted_data_key,
        author: author_of(message.author),
        bounds: Bounds {
            gray_versions_max: message.gray_versions_max,
            history_entries_max: message.history_entries_max,
        },
        quota: message.quota.map(Into::into),
    })
}

fn take_over_message(past: &TakeOver) -> TakeOverMessage {
    TakeOverMessage {
        key: Some(KeyMessage::of(&past.key)),
        op: number_of(&HistoryOp::ALL, past.op),
        time: past.time.0,
        author: Some((&past.author).into()),
        gray: past.gray.as_ref().map(|gray| GrayMessage::of(&gray.name, &gray.rule)),
        content: past.content.bytes().clone(),
        md5: past.content.md5().as_bytes().to_vec(),
        kind: number_of(&ConfigType::ALL, past.kind),
        app_name: past.app_name.clone(),
        tags: past.tags.clone(),
        details: (!past.details.is_empty()).then(|| (&past.details).into()),
        encrypted_data_key: past.encrypted_data_key.clone(),
        published_by: Some((&past.published_by).into()),
        gray_versions_max: past.bounds.gray_versions_max,
        history_entries_max: past.bounds.history_entries_max,
    }
}

fn parse_take_over(message: TakeOverMessage) -> Result<TakeOver, LoadError> {
    let what = "config op";
    let gray = message.gray.map(|gray| gray.parse()).transpose()?;
    Ok(TakeOver {
        key: KeyMessage::parse(message.key)?,
        op: by_number(what, &HistoryOp::ALL, message.op)?,
        time: Timestamp(message.time),
        author: author_of(message.author),
        gray: gray.map(|(name, rule)| Gray { name, rule }),
        content: Content::trusted(message.content, parse_md5(what, &message.md5)?),
        kind: by_number(what, &ConfigType::ALL, message.kind)?,
        app_name: message.app_name,
        tags: message.tags,
        details: message.details.unwrap_or_default().into(),
        encrypted_data_key: message.encrypted_data_key,
        published_by: author_of(message.published_by),
        bounds: Bounds {
            gray_versions_max: message.gray_versions_max,
            history_entries_max: message.history_entries_max,
        },
    })
}

#[derive(Clone, PartialEq, Message)]
struct ResultMessage {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(bool, tag = "3")]
    flag: bool,
    #[prost(uint32, tag = "4")]
    quota_of: u32,
}

/// What an op came to, as a few bytes of the replicated state: whoever proposed it may be another node, or ask again
/// later. They are equal on every node, so a change of them needs a format level of its own.
pub fn encode_result(result: &Result<Outcome, ConfigError>) -> Bytes {
    let (kind, number, flag, quota_of) = match *result {
        Ok(Outcome::Published { revision, created }) => (1, revision.0, created, 0),
        Ok(Outcome::Removed { existed }) => (2, 0, existed, 0),
        Ok(Outcome::HistoryExpired { removed, more }) => (3, u64::from(removed), more, 0),
        Err(ConfigError::Conflict) => (4, 0, false, 0),
        Err(ConfigError::Exists) => (5, 0, false, 0),
        Err(ConfigError::TooManyGrays { max }) => (6, u64::from(max), false, 0),
        Err(ConfigError::NotFound) => (7, 0, false, 0),
        Err(ConfigError::QuotaReached { of, max }) => {
            (8, u64::from(max), false, number_of(&QuotaOf::ALL, of))
        }
        Err(ConfigError::ContentOverQuota { max }) => (9, u64::from(max), false, 0),
        Ok(Outcome::Done) => (10, 0, false, 0),
    };
    encode(&ResultMessage { kind, number, flag, quota_of })
}

/// Reads what [`encode_result`] wrote.
pub fn decode_result(bytes: Bytes) -> Result<Result<Outcome, ConfigError>, LoadError> {
    let what = "config result";
    let message: ResultMessage = decode(what, bytes)?;
    let number = || u32::try_from(message.number).map_err(|error| damaged(what, error));
    Ok(match message.kind {
        1 => Ok(Outcome::Published { revision: Revision(message.number), created: message.flag }),
        2 => Ok(Outcome::Removed { existed: message.flag }),
        3 => Ok(Outcome::HistoryExpired { removed: number()?, more: message.flag }),
        4 => Err(ConfigError::Conflict),
        5 => Err(ConfigError::Exists),
        6 => Err(ConfigError::TooManyGrays { max: number()? }),
        7 => Err(ConfigError::NotFound),
        8 => {
            let of = by_number(what, &QuotaOf::ALL, message.quota_of)?;
            Err(ConfigError::QuotaReached { of, max: number()? })
        }
        9 => Err(ConfigError::ContentOverQuota { max: number()? }),
        10 => Ok(Outcome::Done),
        kind => return Err(damaged(what, format!("unknown kind {kind}"))),
    })
}
