//! What identifies a config, its type and its digest.

use crate::{DataId, GroupName, Namespace};
use std::{fmt, sync::Arc};

/// Namespace, group and data id of a config. A clone is one reference count.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigKey(Arc<(Namespace, GroupName, DataId)>);

impl ConfigKey {
    /// Puts a key together.
    pub fn new(namespace: Namespace, group: GroupName, data_id: DataId) -> Self {
        Self(Arc::new((namespace, group, data_id)))
    }

    /// The namespace (Nacos: tenant), canonical.
    pub fn namespace(&self) -> &Namespace {
        &self.0.0
    }

    /// The group.
    pub fn group(&self) -> &GroupName {
        &self.0.1
    }

    /// The data id.
    pub fn data_id(&self) -> &DataId {
        &self.0.2
    }
}

impl fmt::Display for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace(), self.group(), self.data_id())
    }
}

impl fmt::Debug for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The declared type of a config's content. It is a label; the content is never parsed by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConfigType {
    /// `text`, also for every unknown or absent type.
    #[default]
    Text,
    /// `json`
    Json,
    /// `xml`
    Xml,
    /// `yaml` (`yml` is unknown to Nacos, hence text)
    Yaml,
    /// `html`
    Html,
    /// `properties`
    Properties,
    /// `toml`
    Toml,
    /// `unset`
    Unset,
}

impl ConfigType {
    /// Every type, in the order of their stored numbers.
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Json,
        Self::Xml,
        Self::Yaml,
        Self::Html,
        Self::Properties,
        Self::Toml,
        Self::Unset,
    ];

    /// The type a client names, lower case; anything unknown or blank is text, as in Nacos.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).unwrap_or_default()
    }

    /// The name on every wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Yaml => "yaml",
            Self::Html => "html",
            Self::Properties => "properties",
            Self::Toml => "toml",
            Self::Unset => "unset",
        }
    }
}

/// The MD5 digest of a config's content (its UTF-8 bytes, exactly as stored); shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Md5([u8; 16]);

impl Md5 {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use md5::Digest as _;
        Self(md5::Md5::digest(bytes).into())
    }

    /// A digest from its stored 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether a client's text (32 hex digits, any case) names this digest.
    pub fn matches(&self, text: &str) -> bool {
        text.len() == 32 && self.to_string().eq_ignore_ascii_case(text)
    }
}

impl fmt::Display for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).expect("hex digits are ASCII"))
    }
}

impl fmt::Debug for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_is_lower_case_hex_of_the_bytes() {
        assert_eq!(Md5::of(b"hello").to_string(), "5d41402abc4b2a76b9719d911017c592");
        assert!(Md5::of(b"hello").matches("5D41402ABC4B2A76B9719D911017C592"));
        assert!(!Md5::of(b"hello").matches(""));
    }

    #[test]
    fn unknown_types_are_text() {
        assert_eq!(ConfigType::parse("yml"), ConfigType::Text);
        assert_eq!(ConfigType::parse("YAML"), ConfigType::Text);
        for kind in ConfigType::ALL {
            assert_eq!(ConfigType::parse(kind.as_str()), kind);
        }
    }
}
