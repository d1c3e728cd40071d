//! Namespaces as a list that people keep; registering needs no entry in it.

use std::sync::Arc;

/// What a namespace carries besides its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceSpec {
    /// The name shown to people.
    pub name: Arc<str>,
    /// A description, may be empty.
    pub description: Arc<str>,
}
