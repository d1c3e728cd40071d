//! What a view is of, and what operators may choose of it.

use muster_model::{GroupName, Namespace, ServiceKey};
use std::sync::Arc;

/// The part of the registry that one Eureka view shows: the services of one group of one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EurekaBase {
    /// The namespace; `public` for the plain base.
    pub namespace: Namespace,
    /// The group; `DEFAULT_GROUP` for the plain base.
    pub group: GroupName,
}

impl EurekaBase {
    /// The view that a service is in.
    pub(crate) fn of(service: &ServiceKey) -> Self {
        Self { namespace: service.namespace().clone(), group: service.group().clone() }
    }
}

/// What an operator may choose of how Eureka and Nacos see each other. `Default` is the one place of the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EurekaRules {
    /// Shows an instance as UP until it is removed, as the real server does, instead of DOWN from the moment its lease is
    /// over (false).
    pub compat_eviction: bool,
    /// Registers an Eureka instance into the Nacos cluster named by its metadata `zone` instead of `DEFAULT` (false). Nacos
    /// consumers that ask for `DEFAULT` no longer find it then.
    pub zone_as_cluster: bool,
    /// Names of services that are not shown to Eureka clients unless they registered over Eureka; `*` stands for any
    /// text. The default hides names with `:` or `/`, which are Dubbo's and no names of applications.
    pub hidden: Vec<Arc<str>>,
}

impl Default for EurekaRules {
    fn default() -> Self {
        Self {
            compat_eviction: false,
            zone_as_cluster: false,
            hidden: vec![Arc::from("*:*"), Arc::from("*/*")],
        }
    }
}

impl EurekaRules {
    /// Whether a service of this name is kept from Eureka clients.
    pub(crate) fn hides(&self, name: &str) -> bool {
        self.hidden.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether a text is of the form of a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*:*", "providers:x", true),
            ("*:*", "order", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
