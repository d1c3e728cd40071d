//! Keys and values of stored rows.
//!
//! A value is a version byte and a protobuf message (for a content: its bytes). Fields may be added; a change of
//! meaning is a new version. A key is `namespace 0 group 0 data_id`, for contents and history behind the revision,
//! 8 bytes, highest first: so new rows go to the end of their table, where they share its last pages, instead of
//! each to a page of its own.

mod config;
mod history;
mod message;

pub(crate) use config::{decode_config, encode_config};
pub(crate) use history::{decode_history, encode_history};
pub(crate) use message::{AuthorMessage, DetailsMessage, GrayMessage};

use crate::LoadError;
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::{ConfigKey, DataId, GroupName, Md5, Namespace, Revision};
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
    let mut buffer = BytesMut::with_capacity(8 + key_size(key));
    buffer.put_u64(revision.0);
    write_key(&mut buffer, key);
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
    match bytes.split_first_chunk::<8>() {
        Some((revision, key)) => Ok((parse_config_key(key)?, Revision(u64::from_be_bytes(*revision)))),
        None => Err(damaged("config revision key", "no revision")),
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
