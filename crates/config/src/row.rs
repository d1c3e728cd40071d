//! Keys and values of stored rows.
//!
//! A value is a version byte and a protobuf message (for a content: its bytes). Fields may be added; a change of
//! meaning is a new version. A key is `namespace 0 group 0 data_id`, for contents and history followed by `0` and
//! the revision, 8 bytes, highest first: so the rows of one config are together, in order.

use crate::{
    Author, Config, Details, GrayName, GrayRule, HistoryOp, HistoryRow, LoadError, RuleKind, Variant,
};
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::{ConfigKey, ConfigType, DataId, GroupName, Md5, Namespace, Revision, Timestamp};
use prost::Message;

const VERSION: u8 = 1;

/// A value: the version, and what the closure writes.
pub(crate) fn versioned(size: usize, write: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut buffer = BytesMut::with_capacity(1 + size);
    buffer.put_u8(VERSION);
    write(&mut buffer);
    buffer.freeze()
}

/// What follows the version of a value.
pub(crate) fn unversioned(what: &'static str, mut value: Bytes) -> Result<Bytes, LoadError> {
    match value.first() {
        Some(&VERSION) => Ok(value.split_off(1)),
        Some(&version) if version > VERSION => {
            Err(LoadError::NewerVersion { what, version, newest: VERSION })
        }
        Some(_) | None => Err(damaged(what, "no version")),
    }
}

pub(crate) fn encode(message: &impl Message) -> Bytes {
    versioned(message.encoded_len(), |buffer| {
        message.encode(buffer).expect("a growing buffer has room");
    })
}

pub(crate) fn decode<M: Message + Default>(what: &'static str, value: Bytes) -> Result<M, LoadError> {
    M::decode(unversioned(what, value)?).map_err(|error| damaged(what, error))
}

pub(crate) fn damaged(what: &'static str, detail: impl ToString) -> LoadError {
    LoadError::Damaged { what, detail: detail.to_string() }
}

fn write_key(buffer: &mut BytesMut, key: &ConfigKey) {
    buffer.put_slice(key.namespace().as_str().as_bytes());
    buffer.put_u8(0);
    buffer.put_slice(key.group().as_str().as_bytes());
    buffer.put_u8(0);
    buffer.put_slice(key.data_id().as_str().as_bytes());
}

fn key_size(key: &ConfigKey) -> usize {
    key.namespace().as_str().len() + key.group().as_str().len() + key.data_id().as_str().len() + 2
}

/// The key of a config's metadata.
pub(crate) fn config_key(key: &ConfigKey) -> Bytes {
    let mut buffer = BytesMut::with_capacity(key_size(key));
    write_key(&mut buffer, key);
    buffer.freeze()
}

/// The key of a config's row at a revision.
pub(crate) fn revision_key(key: &ConfigKey, revision: Revision) -> Bytes {
    let mut buffer = BytesMut::with_capacity(key_size(key) + 9);
    write_key(&mut buffer, key);
    buffer.put_u8(0);
    buffer.put_u64(revision.0);
    buffer.freeze()
}

pub(crate) fn parse_config_key(bytes: &[u8]) -> Result<ConfigKey, LoadError> {
    let what = "config key";
    let text = std::str::from_utf8(bytes).map_err(|error| damaged(what, error))?;
    let mut parts = text.split('\0');
    let (Some(namespace), Some(group), Some(data_id), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(damaged(what, "not three parts"));
    };
    key_of(what, namespace, group, data_id)
}

pub(crate) fn key_of(
    what: &'static str,
    namespace: &str,
    group: &str,
    data_id: &str,
) -> Result<ConfigKey, LoadError> {
    let name = |error| damaged(what, error);
    Ok(ConfigKey::new(
        Namespace::new(namespace).map_err(name)?,
        GroupName::new(group).map_err(name)?,
        DataId::new(data_id).map_err(name)?,
    ))
}

pub(crate) fn parse_revision_key(bytes: &[u8]) -> Result<(ConfigKey, Revision), LoadError> {
    match bytes.split_last_chunk::<8>() {
        Some(([key @ .., 0], revision)) => {
            Ok((parse_config_key(key)?, Revision(u64::from_be_bytes(*revision))))
        }
        Some(_) | None => Err(damaged("config revision key", "no revision")),
    }
}

/// A person and an address.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AuthorMessage {
    #[prost(string, optional, tag = "1")]
    user: Option<String>,
    #[prost(string, tag = "2")]
    ip: String,
}

impl From<&Author> for AuthorMessage {
    fn from(author: &Author) -> Self {
        Self { user: author.user.clone(), ip: author.ip.clone() }
    }
}

impl From<AuthorMessage> for Author {
    fn from(message: AuthorMessage) -> Self {
        Self { user: message.user, ip: message.ip }
    }
}

/// What people wrote.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DetailsMessage {
    #[prost(string, optional, tag = "1")]
    description: Option<String>,
    #[prost(string, optional, tag = "2")]
    purpose: Option<String>,
    #[prost(string, optional, tag = "3")]
    effect: Option<String>,
    #[prost(string, optional, tag = "4")]
    schema: Option<String>,
}

impl From<&Details> for DetailsMessage {
    fn from(details: &Details) -> Self {
        let Details { description, purpose, effect, schema } = details.clone();
        Self { description, purpose, effect, schema }
    }
}

impl From<DetailsMessage> for Details {
    fn from(message: DetailsMessage) -> Self {
        let DetailsMessage { description, purpose, effect, schema } = message;
        Self { description, purpose, effect, schema }
    }
}

/// The name and rule of a gray version.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct GrayMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(string, tag = "3")]
    expression: String,
    #[prost(sint32, tag = "4")]
    priority: i32,
}

impl GrayMessage {
    pub(crate) fn of(name: &GrayName, rule: &GrayRule) -> Self {
        Self {
            name: name.as_str().to_owned(),
            kind: number_of(&RuleKind::ALL, rule.kind()),
            expression: rule.expression().to_owned(),
            priority: rule.priority(),
        }
    }

    pub(crate) fn parse(&self) -> Result<(GrayName, GrayRule), LoadError> {
        let kind = by_number("gray rule", &RuleKind::ALL, self.kind)?;
        Ok((GrayName::trusted(&self.name), GrayRule::trusted(kind, &self.expression, self.priority)))
    }
}

/// The place of a value in the list of all values is its stored number.
pub(crate) fn number_of<T: PartialEq>(all: &[T], value: T) -> u32 {
    let place = all.iter().position(|other| *other == value).expect("the list has every value");
    u32::try_from(place).expect("the list is short")
}

pub(crate) fn by_number<T: Copy>(what: &'static str, all: &[T], number: u32) -> Result<T, LoadError> {
    let place = usize::try_from(number).unwrap_or(usize::MAX);
    all.get(place).copied().ok_or_else(|| damaged(what, format!("unknown number {number}")))
}

pub(crate) fn parse_md5(what: &'static str, bytes: &[u8]) -> Result<Md5, LoadError> {
    bytes.try_into().map(Md5::from_bytes).map_err(|_| damaged(what, "digest is not 16 bytes"))
}

#[derive(Clone, PartialEq, Message)]
struct VariantMessage {
    #[prost(bytes = "vec", tag = "1")]
    md5: Vec<u8>,
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(uint64, tag = "3")]
    size: u64,
    #[prost(uint64, tag = "4")]
    modified: u64,
    #[prost(message, optional, tag = "5")]
    author: Option<AuthorMessage>,
    #[prost(string, tag = "6")]
    encrypted_data_key: String,
    #[prost(uint64, tag = "7")]
    revision: u64,
    /// Of gray versions.
    #[prost(message, optional, tag = "8")]
    gray: Option<GrayMessage>,
}

impl VariantMessage {
    fn of(variant: &Variant, gray: Option<GrayMessage>) -> Self {
        Self {
            md5: variant.md5.as_bytes().to_vec(),
            kind: number_of(&ConfigType::ALL, variant.kind),
            size: variant.size,
            modified: variant.modified.0,
            author: Some((&variant.author).into()),
            encrypted_data_key: variant.encrypted_data_key.clone(),
            revision: variant.revision.0,
            gray,
        }
    }

    fn parse(self) -> Result<Variant, LoadError> {
        let what = "config";
        Ok(Variant {
            md5: parse_md5(what, &self.md5)?,
            kind: by_number(what, &ConfigType::ALL, self.kind)?,
            size: self.size,
            modified: Timestamp(self.modified),
            author: self.author.unwrap_or_default().into(),
            encrypted_data_key: self.encrypted_data_key,
            revision: Revision(self.revision),
        })
    }
}

#[derive(Clone, PartialEq, Message)]
struct ConfigMessage {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    created: u64,
    #[prost(message, optional, tag = "3")]
    created_by: Option<AuthorMessage>,
    #[prost(uint64, tag = "4")]
    revision: u64,
    #[prost(string, tag = "5")]
    app_name: String,
    #[prost(string, repeated, tag = "6")]
    tags: Vec<String>,
    #[prost(message, optional, tag = "7")]
    details: Option<DetailsMessage>,
    #[prost(message, optional, tag = "8")]
    formal: Option<VariantMessage>,
    #[prost(message, repeated, tag = "9")]
    grays: Vec<VariantMessage>,
}

/// The value of a config's metadata row.
pub(crate) fn encode_config(config: &Config) -> Bytes {
    let details = &config.details;
    encode(&ConfigMessage {
        id: config.id,
        created: config.created.0,
        created_by: Some((&config.created_by).into()),
        revision: config.revision.0,
        app_name: config.app_name.clone(),
        tags: config.tags.clone(),
        details: (!details.is_empty()).then(|| details.into()),
        formal: config.formal.as_ref().map(|variant| VariantMessage::of(variant, None)),
        grays: config
            .grays
            .iter()
            .map(|(name, rule, variant)| VariantMessage::of(variant, Some(GrayMessage::of(name, rule))))
            .collect(),
    })
}

pub(crate) fn decode_config(key: &[u8], value: Bytes) -> Result<Config, LoadError> {
    let message: ConfigMessage = decode("config", value)?;
    let mut grays = Vec::with_capacity(message.grays.len());
    for mut gray in message.grays {
        let named = gray.gray.take().ok_or_else(|| damaged("config", "a gray version without a name"))?;
        let (name, rule) = named.parse()?;
        grays.push((name, rule, gray.parse()?));
    }
    Ok(Config {
        key: parse_config_key(key)?,
        id: message.id,
        created: Timestamp(message.created),
        created_by: message.created_by.unwrap_or_default().into(),
        revision: Revision(message.revision),
        app_name: message.app_name,
        tags: message.tags,
        details: message.details.unwrap_or_default().into(),
        formal: message.formal.map(VariantMessage::parse).transpose()?,
        grays,
    })
}

#[derive(Clone, PartialEq, Message)]
struct HistoryMessage {
    #[prost(uint32, tag = "1")]
    op: u32,
    #[prost(uint64, tag = "2")]
    time: u64,
    #[prost(message, optional, tag = "3")]
    author: Option<AuthorMessage>,
    #[prost(message, optional, tag = "4")]
    gray: Option<GrayMessage>,
    #[prost(uint64, tag = "5")]
    content_revision: u64,
    #[prost(bytes = "vec", tag = "6")]
    md5: Vec<u8>,
    #[prost(uint32, tag = "7")]
    kind: u32,
    #[prost(string, tag = "8")]
    app_name: String,
    #[prost(string, repeated, tag = "9")]
    tags: Vec<String>,
    #[prost(message, optional, tag = "10")]
    details: Option<DetailsMessage>,
    #[prost(string, tag = "11")]
    encrypted_data_key: String,
    #[prost(message, optional, tag = "12")]
    published_by: Option<AuthorMessage>,
}

/// The value of a history row.
pub(crate) fn encode_history(entry: &HistoryRow) -> Bytes {
    encode(&HistoryMessage {
        op: number_of(&HistoryOp::ALL, entry.op),
        time: entry.time.0,
        author: Some((&entry.author).into()),
        gray: entry.gray.as_ref().map(|gray| GrayMessage::of(&gray.name, &gray.rule)),
        content_revision: entry.content.revision.0,
        md5: entry.md5.as_bytes().to_vec(),
        kind: number_of(&ConfigType::ALL, entry.kind),
        app_name: entry.app_name.clone(),
        tags: entry.tags.clone(),
        details: (!entry.details.is_empty()).then(|| (&entry.details).into()),
        encrypted_data_key: entry.encrypted_data_key.clone(),
        published_by: Some((&entry.published_by).into()),
    })
}

pub(crate) fn decode_history(key: &[u8], value: Bytes) -> Result<HistoryRow, LoadError> {
    let what = "config history";
    let message: HistoryMessage = decode(what, value)?;
    let (key, revision) = parse_revision_key(key)?;
    let gray = message.gray.map(|gray| gray.parse()).transpose()?;
    Ok(HistoryRow {
        content: crate::ContentKey { key, revision: Revision(message.content_revision) },
        revision,
        op: by_number(what, &HistoryOp::ALL, message.op)?,
        time: Timestamp(message.time),
        author: message.author.unwrap_or_default().into(),
        gray: gray.map(|(name, rule)| crate::Gray { name, rule }),
        md5: parse_md5(what, &message.md5)?,
        kind: by_number(what, &ConfigType::ALL, message.kind)?,
        app_name: message.app_name,
        tags: message.tags,
        details: message.details.unwrap_or_default().into(),
        encrypted_data_key: message.encrypted_data_key,
        published_by: message.published_by.unwrap_or_default().into(),
    })
}
