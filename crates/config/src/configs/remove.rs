//! Removing.

use super::{
    Configs, changed, persist_config,
    publish::{history_of, variant_of},
};
use crate::{At, Config, Effect, GrayName, HistoryOp, Outcome, Remove, RemoveTarget, VariantName};
use muster_model::Revision;
use std::sync::Arc;

impl Configs {
    pub(super) fn remove(&mut self, remove: Remove, at: At, effects: &mut Vec<Effect>) -> Outcome {
        let Some(old) = self.get(&remove.key).cloned() else { return Outcome::Removed { existed: false } };
        let touched = match &remove.target {
            RemoveTarget::All => every_variant(&old),
            RemoveTarget::Gray(text) => gray_named(&old, text).into_iter().collect(),
        };
        if touched.is_empty() {
            return Outcome::Removed { existed: false };
        }
        let key = old.key();
        let entry = self.entries.entry(key.clone()).or_default();
        let first = entry.revision(at);
        // Each removed variant has a history entry of its own, hence a revision.
        let last = Revision(first.0 + touched.len() as u64 - 1);
        entry.config = without(&old, &touched, last).map(Arc::new);
        let new = entry.config.clone();
        let is_gone = new.is_none();
        effects.push(persist_config(key, new.as_deref()));
        self.capacities.count(key, Some(&old), new.as_deref());
        let mut removed = Vec::with_capacity(touched.len());
        for (revision, name) in (first.0..).zip(&touched) {
            let mut stored = history_of(&old, name, HistoryOp::Delete).expect("the variant was there");
            stored.revision = Revision(revision);
            stored.time = at.time;
            stored.author = remove.author.clone();
            removed.push(stored);
        }
        self.record(key, &removed, remove.bounds.history_entries_max, effects);
        effects.push(changed(key, last, touched, true));
        if is_gone {
            self.config_count -= 1;
            self.ids.remove(&old.id);
            effects.push(Effect::Vanished(key.clone()));
        }
        Outcome::Removed { existed: true }
    }
}

fn every_variant(config: &Config) -> Vec<VariantName> {
    let formal = config.formal().map(|_| VariantName::Formal);
    formal.into_iter().chain(config.grays().map(|(name, ..)| VariantName::Gray(name.clone()))).collect()
}

/// The gray version that a text names: by its name, or as a bare tag (which the original refuses with a Java
/// text; recording `config-tag`).
fn gray_named(config: &Config, text: &str) -> Option<VariantName> {
    let names = [text.to_owned(), format!("{}{text}", GrayName::TAG_PREFIX)];
    names
        .iter()
        .map(|name| VariantName::Gray(GrayName::trusted(name)))
        .find(|name| variant_of(config, name).is_some())
}

/// What is left of a config; `None` if nothing is.
fn without(old: &Config, removed: &[VariantName], revision: Revision) -> Option<Config> {
    let mut config = old.clone();
    config.revision = revision;
    if removed.contains(&VariantName::Formal) {
        config.formal = None;
    }
    config.grays.retain(|(name, ..)| !removed.contains(&VariantName::Gray(name.clone())));
    (config.formal.is_some() || !config.grays.is_empty()).then_some(config)
}
