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
    /// None was declared, which only imports of the first format can do: clients take it for `text`, administrators
    /// see that there is none (recording `v1-cs-import`).
    Undeclared,
}

impl ConfigType {
    /// Every type, in the order of their stored numbers.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Json,
        Self::Xml,
        Self::Yaml,
        Self::Html,
        Self::Properties,
        Self::Toml,
        Self::Unset,
        Self::Undeclared,
    ];

    /// The type a client names, lower case; anything unknown or blank is text, as in Nacos.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).unwrap_or_default()
    }

    /// The name as administrators see it; `None` where none was declared.
    pub fn declared(self) -> Option<&'static str> {
        (self != Self::Undeclared).then(|| self.as_str())
    }

    /// The name as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text | Self::Undeclared => "text",
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

    /// The digest that 32 hex digits name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit =
                |letter: u8| char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
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
        let digest = Md5::of(b"hello");
        assert_eq!(Md5::parse("5D41402ABC4B2A76b9719d911017c592"), Some(digest));
        for text in ["", "5d41", "5d41402abc4b2a76b9719d911017c59g", "5d41402abc4b2a76b9719d911017c5922"] {
            assert_eq!(Md5::parse(text), None, "{text}");
        }
    }

    #[test]
    fn unknown_types_are_text() {
        assert_eq!(ConfigType::parse("yml"), ConfigType::Text);
        assert_eq!(ConfigType::parse("YAML"), ConfigType::Text);
        for kind in ConfigType::ALL.into_iter().filter(|kind| *kind != ConfigType::Undeclared) {
            assert_eq!(ConfigType::parse(kind.as_str()), kind);
            assert_eq!(kind.declared(), Some(kind.as_str()));
        }
        assert_eq!(ConfigType::Undeclared.as_str(), "text");
        assert_eq!(ConfigType::Undeclared.declared(), None);
    }
}
