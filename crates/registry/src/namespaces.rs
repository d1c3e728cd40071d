//! Namespaces as a list that people keep; registering needs no entry in it.

use crate::{Effect, Outcome, Registry, RegistryError, rows};
use muster_model::Namespace;
use std::sync::Arc;

/// What a namespace carries besides its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceSpec {
    /// The name shown to people.
    pub name: Arc<str>,
    /// A description, may be empty.
    pub description: Arc<str>,
}

impl Registry {
    /// The namespaces that were created, by id; `public` is not among them.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Namespace, &NamespaceSpec)> {
        self.namespaces.iter()
    }

    /// One of them.
    pub fn namespace(&self, id: &Namespace) -> Option<&NamespaceSpec> {
        self.namespaces.get(id)
    }

    pub(crate) fn check_namespace_free(&self, id: &Namespace) -> Result<(), RegistryError> {
        if id.as_str() == Namespace::PUBLIC || self.namespaces.contains_key(id) {
            return Err(RegistryError::NamespaceExists(id.clone()));
        }
        Ok(())
    }

    pub(crate) fn check_namespace_known(&self, id: &Namespace) -> Result<(), RegistryError> {
        match self.namespaces.contains_key(id) {
            true => Ok(()),
            false => Err(RegistryError::NamespaceUnknown(id.clone())),
        }
    }

    pub(crate) fn create_namespace(
        &mut self,
        id: Namespace,
        spec: NamespaceSpec,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        self.check_namespace_free(&id)?;
        Ok(self.put_namespace(id, spec, effects))
    }

    pub(crate) fn update_namespace(
        &mut self,
        id: Namespace,
        spec: NamespaceSpec,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        self.check_namespace_known(&id)?;
        Ok(self.put_namespace(id, spec, effects))
    }

    pub(crate) fn remove_namespace(
        &mut self,
        id: &Namespace,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        self.check_namespace_known(id)?;
        self.namespaces.remove(id);
        effects.push(Effect::Persist(rows::delete_namespace(id)));
        Ok(Outcome::Done)
    }

    fn put_namespace(&mut self, id: Namespace, spec: NamespaceSpec, effects: &mut Vec<Effect>) -> Outcome {
        effects.push(Effect::Persist(rows::put_namespace(&id, &spec)));
        self.namespaces.insert(id, spec);
        Outcome::Done
    }
}
