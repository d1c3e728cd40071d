//! The address of an instance, without its port.

use crate::name::{NameError, is_cjk};
use std::{fmt, sync::Arc};

/// An IP address or host name as it was registered: at most 128 characters, no whitespace, no CJK script.
/// It may be empty: Nacos clients over gRPC may register one so, and it is stored as it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(Arc<str>);

impl Host {
    /// Checks and keeps an address.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.chars().count() > 128 {
            return Err(NameError::TooLong { what: "ip", max: 128 });
        }
        if text.chars().any(|c| c.is_whitespace() || is_cjk(c)) {
            return Err(NameError::IllegalCharacters("ip"));
        }
        Ok(Self(Arc::from(text)))
    }

    /// The address as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
