//! The row of a history entry.

use super::{
    AuthorMessage, DetailsMessage, GrayMessage, by_number, decode, encode, number_of, parse_md5,
    parse_revision_key,
};
use crate::{ContentKey, Gray, HistoryOp, HistoryRow, LoadError};
use bytes::Bytes;
use muster_model::{ConfigType, Revision, Timestamp};
use prost::Message;

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
    #[prost(uint64, tag = "13")]
    config_id: u64,
    #[prost(uint64, optional, tag = "14")]
    taken_over: Option<u64>,
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
        config_id: entry.config_id,
        taken_over: entry.taken_over.map(|time| time.0),
    })
}

pub(crate) fn decode_history(key: &[u8], value: Bytes) -> Result<HistoryRow, LoadError> {
    let what = "config history";
    let message: HistoryMessage = decode(what, value)?;
    let (key, revision) = parse_revision_key(key)?;
    let gray = message.gray.map(|gray| gray.parse()).transpose()?;
    Ok(HistoryRow {
        content: ContentKey { key, revision: Revision(message.content_revision) },
        revision,
        config_id: message.config_id,
        op: by_number(what, &HistoryOp::ALL, message.op)?,
        time: Timestamp(message.time),
        taken_over: message.taken_over.map(Timestamp),
        author: message.author.unwrap_or_default().into(),
        gray: gray.map(|(name, rule)| Gray { name, rule }),
        md5: parse_md5(what, &message.md5)?,
        kind: by_number(what, &ConfigType::ALL, message.kind)?,
        app_name: message.app_name,
        tags: message.tags,
        details: message.details.unwrap_or_default().into(),
        encrypted_data_key: message.encrypted_data_key,
        published_by: message.published_by.unwrap_or_default().into(),
    })
}
