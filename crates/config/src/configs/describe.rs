//! Describing anew.

use super::{Configs, changed, persist_config, publish::history_of};
use crate::{At, ConfigError, Describe, Effect, HistoryOp, Outcome, VariantName};
use std::sync::Arc;

impl Configs {
    /// Replaces tags and description. The history shows what they were; no client is told, because none sees them.
    pub(super) fn describe(
        &mut self,
        describe: Describe,
        at: At,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, ConfigError> {
        let old = self.get(&describe.key).cloned().ok_or(ConfigError::NotFound)?;
        let key = old.key();
        let mut stored =
            history_of(&old, &VariantName::Formal, HistoryOp::Update).ok_or(ConfigError::NotFound)?;
        let entry = self.entries.entry(key.clone()).or_default();
        let revision = entry.revision(at);
        let mut new = (*old).clone();
        new.revision = revision;
        if let Some(tags) = describe.tags {
            new.tags = tags;
        }
        if let Some(description) = describe.description {
            new.details.description = Some(description);
        }
        effects.push(persist_config(key, Some(&new)));
        entry.config = Some(Arc::new(new));
        stored.revision = revision;
        stored.time = at.time;
        stored.author = describe.author;
        self.record(key, &[stored], describe.bounds.history_entries_max, effects);
        effects.push(changed(key, revision, vec![VariantName::Formal], false));
        Ok(Outcome::Done)
    }
}
