//! Patterns over names: `namespace>>group>>name`.

use crate::FuzzyKey;
use muster_model::Namespace;
use std::{fmt, sync::Arc};

/// A text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It has not three parts divided by `>>`, or one of them is empty.
    #[error("pattern must be namespace>>group>>name")]
    Parts,
    /// It is longer than any key, hence matches nothing (limit: 1,024 bytes).
    #[error("pattern must not exceed {0} bytes")]
    TooLong(usize),
}

/// One part of a pattern: `*` everything, `a*` prefix, `*a` suffix, `*a*` contains, else exactly the text. A star
/// elsewhere is a plain character, as in Nacos (`ord*ice` matches no order service).
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Any,
    Prefix(Box<str>),
    Suffix(Box<str>),
    Contains(Box<str>),
    Exact(Box<str>),
}

impl Part {
    fn parse(text: &str) -> Self {
        match (text.strip_prefix('*'), text.strip_suffix('*')) {
            _ if text == "*" => Self::Any,
            (Some(rest), Some(_)) => Self::Contains(rest.strip_suffix('*').unwrap_or_default().into()),
            (Some(suffix), None) => Self::Suffix(suffix.into()),
            (None, Some(prefix)) => Self::Prefix(prefix.into()),
            (None, None) => Self::Exact(text.into()),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Suffix(suffix) => text.ends_with(&**suffix),
            Self::Contains(part) => text.contains(&**part),
            Self::Exact(whole) => text == &**whole,
        }
    }
}

/// A fuzzy watch pattern, for example `public>>DEFAULT_GROUP>>order*`. The namespace is exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Arc<str>,
    namespace: Box<str>,
    group: Part,
    name: Part,
}

impl Pattern {
    /// The longest pattern, bytes.
    pub const BYTES_MAX: usize = 1_024;

    /// Reads a pattern. An empty namespace is the default one; the text is kept as it was given.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > Self::BYTES_MAX {
            return Err(PatternError::TooLong(Self::BYTES_MAX));
        }
        let mut parts = text.split(">>");
        let (Some(namespace), Some(group), Some(name), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(PatternError::Parts);
        };
        if group.is_empty() || name.is_empty() {
            return Err(PatternError::Parts);
        }
        let namespace = if namespace.is_empty() { Namespace::PUBLIC } else { namespace };
        Ok(Self {
            text: text.into(),
            namespace: namespace.into(),
            group: Part::parse(group),
            name: Part::parse(name),
        })
    }

    /// The pattern as its client wrote it: pushes repeat it.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The namespace it is about, exact; `public` where none was given.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether a key is meant.
    pub fn matches<K: FuzzyKey>(&self, key: &K) -> bool {
        key.namespace() == &*self.namespace
            && self.group.matches(key.group())
            && self.name.matches(key.name())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{GroupName, ServiceKey, ServiceName};

    fn key(group: &str, name: &str) -> ServiceKey {
        ServiceKey::new(Namespace::default(), GroupName::new(group).unwrap(), ServiceName::new(name).unwrap())
    }

    #[test]
    fn stars_mean_prefix_suffix_and_contains() {
        let matches = |pattern: &str, group: &str, name: &str| {
            Pattern::parse(pattern).unwrap().matches(&key(group, name))
        };
        assert!(matches("public>>g>>*", "g", "order-service"));
        assert!(matches("public>>g>>order*", "g", "order-service"));
        assert!(matches("public>>g>>*service", "g", "order-service"));
        assert!(matches("public>>g>>*ser*", "g", "order-service"));
        assert!(matches("public>>*>>order-service", "g", "order-service"));
        assert!(matches(">>g>>order-service", "g", "order-service"), "no namespace is the default one");
        assert!(matches("public>>g>>**", "g", "order-service"));
        assert!(!matches("public>>g>>ord*ice", "g", "order-service"), "a star inside is a plain character");
        assert!(!matches("dev>>g>>*", "g", "order-service"));
        assert!(!matches("*>>g>>*", "g", "order-service"), "the namespace is exact");
        assert!(!matches("public>>G>>*", "g", "order-service"));
        assert!(!matches("public>>g>>order", "g", "order-service"));
    }

    #[test]
    fn a_pattern_has_three_parts() {
        for text in ["", "abc", "a>>b", "a>>b>>c>>d", "public>>>>*", "public>>g>>"] {
            assert_eq!(Pattern::parse(text), Err(PatternError::Parts), "{text}");
        }
        assert_eq!(Pattern::parse(&"x".repeat(1_025)), Err(PatternError::TooLong(1_024)));
        assert_eq!(&**Pattern::parse(">>g>>*").unwrap().text(), ">>g>>*", "the client's spelling is kept");
    }
}
