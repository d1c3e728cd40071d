//! Reading configs.

use crate::{CachedContent, Node, NodeError};
use muster_config::{ClientLabels, Config, Selection};
use muster_model::{ConfigKey, Md5, Revision};
use std::sync::Arc;

/// How often a read starts again because the config changed under it, before it gives up. Each round needs a
/// publication of the same config and the loss of its previous history entry between two instructions.
const ROUNDS_MAX: usize = 16;

/// A variant of a config with its content.
#[derive(Debug)]
pub struct FoundConfig {
    /// The variant.
    pub selection: Selection,
    /// Its content.
    pub content: Arc<CachedContent>,
}

impl Node {
    /// What a client gets of a config: a tag's variant or nothing if it asks for a tag, else what the gray rules
    /// choose for its labels.
    pub fn query_config(
        &self,
        key: &ConfigKey,
        labels: &ClientLabels,
        tag: Option<&str>,
    ) -> Result<Option<FoundConfig>, NodeError> {
        self.find_config(key, |config| match tag {
            Some(tag) => config.select_tag(tag),
            None => config.select(labels),
        })
    }

    /// What is selected of a config, with its content.
    pub(crate) fn find_config(
        &self,
        key: &ConfigKey,
        select: impl Fn(&Config) -> Option<Selection>,
    ) -> Result<Option<FoundConfig>, NodeError> {
        self.ready()?;
        for _ in 0..ROUNDS_MAX {
            let selection = self.configs.read().get(key).and_then(|config| select(config));
            let Some(selection) = selection else { return Ok(None) };
            if let Some(content) = self.contents.get(&selection.content, &*self.state)? {
                return Ok(Some(FoundConfig { selection, content }));
            }
        }
        Err(NodeError::Defect("a config's content is missing"))
    }

    /// The digest of what a client gets of a config; `None` if that is nothing.
    pub fn config_md5(&self, key: &ConfigKey, labels: &ClientLabels) -> Option<Md5> {
        self.configs.read().get(key)?.select(labels).map(|selection| selection.md5)
    }

    /// A config with everything about it but its contents.
    pub fn config(&self, key: &ConfigKey) -> Option<Arc<Config>> {
        self.configs.read().get(key).cloned()
    }

    /// The revision of a config, 0 if there is none.
    pub fn config_revision(&self, key: &ConfigKey) -> Revision {
        self.configs.read().get(key).map_or(Revision(0), |config| config.revision())
    }

    /// How many configs there are.
    pub fn config_count(&self) -> usize {
        self.configs.read().len()
    }

    /// Bytes of contents that are held in memory.
    pub fn content_bytes(&self) -> usize {
        self.contents.bytes()
    }
}
