//! The name types. Each is a cheap clone (`Arc<str>`), valid by construction, compared case-sensitively.

use std::{borrow::Borrow, fmt, sync::Arc};

/// Why a text is not a name of its kind. Carries what an edge needs to say it in its protocol's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty or only whitespace, where a name is required.
    #[error("{0} must not be blank")]
    Blank(&'static str),
    /// The text has more characters than the kind of name allows.
    #[error("{what} must not exceed {max} characters")]
    TooLong {
        /// The kind of name: `namespaceId/tenant`, `group`, `serviceName`, `cluster`, `dataId`, `ip`.
        what: &'static str,
        /// The most characters allowed.
        max: usize,
    },
    /// The text has characters that the kind of name does not allow.
    #[error("{0} has characters that are not allowed")]
    IllegalCharacters(&'static str),
}

impl NameError {
    /// The kind of name the text should have been, in Nacos's words (`serviceName`, `dataId`, …).
    pub fn what(&self) -> &'static str {
        match *self {
            Self::Blank(what) | Self::IllegalCharacters(what) | Self::TooLong { what, .. } => what,
        }
    }
}

/// Whether a character is Chinese, Japanese or Korean script, which Nacos refuses in names.
pub(crate) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn config_word(c: char) -> bool {
    word(c) || c == ':' || c == '.'
}

fn check(text: &str, what: &'static str, max: usize, allowed: fn(char) -> bool) -> Result<(), NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Blank(what));
    }
    if text.chars().count() > max {
        return Err(NameError::TooLong { what, max });
    }
    if text.chars().all(allowed) { Ok(()) } else { Err(NameError::IllegalCharacters(what)) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks a text and makes it a name; what is refused, and how, is said at the type.
            pub fn new(text: &str) -> Result<Self, NameError> {
                Self::check(text)?;
                Ok(Self(Arc::from(text)))
            }

            /// Whether a text may be a name, without making it one.
            pub fn check(text: &str) -> Result<(), NameError> {
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(text)
            }

            /// The name as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The same name on a shared allocation, for interning.
            pub fn shared(&self) -> &Arc<str> {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name! {
    /// A namespace id in its one canonical spelling: the default namespace is `public`, never "".
    /// At most 64 characters of `[A-Za-z0-9_-]`. Use [`Namespace::canonical`] for what clients send.
    Namespace, |text| check(text, "namespaceId/tenant", 64, word)
}

name! {
    /// A group of services or configs: at most 128 characters of `[A-Za-z0-9-_:.]`.
    GroupName, |text| check(text, "group", 128, config_word)
}

name! {
    /// A bare service name (without `group@@`): at most 512 characters; no leading `@`, no `@@`, no
    /// whitespace, no CJK script; everything else passes, Dubbo's `providers:a.B:1.0:` too.
    ServiceName, |text| {
        check(text, "serviceName", 512, |c| !c.is_whitespace() && !is_cjk(c))?;
        if text.starts_with('@') || text.contains("@@") {
            return Err(NameError::IllegalCharacters("serviceName"));
        }
        Ok(())
    }
}

name! {
    /// A subset of a service's instances: at most 64 characters of `[A-Za-z0-9_-]`; `DEFAULT` if none is given.
    ClusterName, |text| check(text, "cluster", 64, word)
}

name! {
    /// The id of a config inside its group: at most 256 characters of `[A-Za-z0-9-_:.]`.
    DataId, |text| check(text, "dataId", 256, config_word)
}

impl Namespace {
    /// The id of the default namespace.
    pub const PUBLIC: &'static str = "public";

    /// The namespace a client means: a blank text is the default namespace, as is `public`.
    pub fn canonical(text: &str) -> Result<Self, NameError> {
        if text.trim().is_empty() { Ok(Self::default()) } else { Self::new(text) }
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self(Arc::from(Self::PUBLIC))
    }
}

impl GroupName {
    /// The group that is meant when a client names none.
    pub const DEFAULT: &'static str = "DEFAULT_GROUP";
}

impl Default for GroupName {
    fn default() -> Self {
        Self(Arc::from(Self::DEFAULT))
    }
}

impl ClusterName {
    /// The cluster that is meant when a client names none.
    pub const DEFAULT: &'static str = "DEFAULT";
}

impl Default for ClusterName {
    fn default() -> Self {
        Self(Arc::from(Self::DEFAULT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_namespace_is_public() {
        for spelling in ["", "  ", "public"] {
            assert_eq!(Namespace::canonical(spelling).unwrap(), Namespace::default());
        }
    }

    #[test]
    fn dubbo_service_names_pass() {
        ServiceName::new("providers:com.x.Y:1.0:").unwrap();
    }

    #[test]
    fn service_names_refuse_what_would_break_the_joined_form() {
        for text in ["a@@b", "@a", "a b", "服务"] {
            assert_eq!(ServiceName::new(text), Err(NameError::IllegalCharacters("serviceName")), "{text}");
        }
        assert_eq!(ServiceName::new(" "), Err(NameError::Blank("serviceName")));
        assert_eq!(
            ServiceName::new(&"x".repeat(513)),
            Err(NameError::TooLong { what: "serviceName", max: 512 })
        );
    }
}
