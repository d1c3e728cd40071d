//! The row of a config's metadata.

use super::{
    AuthorMessage, DetailsMessage, GrayMessage, by_number, damaged, decode, encode, number_of,
    parse_config_key, parse_md5,
};
use crate::{Config, LoadError, Variant};
use bytes::Bytes;
use muster_model::{ConfigType, Revision, Timestamp};
use prost::Message;

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
