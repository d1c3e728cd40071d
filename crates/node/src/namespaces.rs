//! Namespaces as a list that people keep. Nothing needs an entry in it: clients write to namespaces that nobody
//! created, and what is in a namespace stays when its entry is removed.

use crate::{Node, NodeError};
use muster_model::Namespace;
use muster_registry::{NamespaceSpec, Op, RegistryError};

impl Node {
    /// The namespaces that were created, by id; `public` always exists and is not among them.
    pub fn namespaces(&self) -> Vec<(Namespace, NamespaceSpec)> {
        self.registry.lock().namespaces().map(|(id, spec)| (id.clone(), spec.clone())).collect()
    }

    /// One of them.
    pub fn namespace(&self, id: &Namespace) -> Option<NamespaceSpec> {
        self.registry.lock().namespace(id).cloned()
    }

    /// Creates a namespace, with a random id (a UUID) if none is given. One that exists, as `public` does, is an
    /// error.
    pub async fn create_namespace(
        &self,
        id: Option<Namespace>,
        spec: NamespaceSpec,
    ) -> Result<Namespace, NodeError> {
        let id = id.unwrap_or_else(|| self.random_namespace());
        self.durable(Op::CreateNamespace { id: id.clone(), spec }).await?;
        Ok(id)
    }

    /// Changes a namespace's name and description; false if there is none of this id, or it is `public`.
    pub async fn update_namespace(&self, id: Namespace, spec: NamespaceSpec) -> Result<bool, NodeError> {
        found(self.durable(Op::UpdateNamespace { id, spec }).await)
    }

    /// Takes a namespace off the list; false if there is none of this id, or it is `public`. Its configs and services
    /// stay.
    pub async fn remove_namespace(&self, id: Namespace) -> Result<bool, NodeError> {
        found(self.durable(Op::RemoveNamespace { id }).await)
    }

    fn random_namespace(&self) -> Namespace {
        let mut rng = self.rng.lock();
        // The bits of RFC 9562 that say version 4.
        let high = rng.next_u64() & !0xF000 | 0x4000;
        let low = rng.next_u64() & !(0b11 << 62) | 0b10 << 62;
        let text = format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        );
        Namespace::new(&text).expect("hexadecimal digits and hyphens are allowed in names")
    }
}

fn found(done: Result<(), NodeError>) -> Result<bool, NodeError> {
    match done {
        Ok(()) => Ok(true),
        Err(NodeError::Registry(RegistryError::NamespaceUnknown(_))) => Ok(false),
        Err(error) => Err(error),
    }
}
