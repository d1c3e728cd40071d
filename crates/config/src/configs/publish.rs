//! Publishing.

use super::{Configs, changed, persist_config};
use crate::{
    At, Condition, Config, ConfigError, ContentKey, Details, Effect, Gray, HistoryOp, HistoryRow, Outcome,
    Publish, Variant, VariantName,
};
use muster_model::{ConfigKey, Revision};
use std::{cmp::Reverse, sync::Arc};

impl Configs {
    pub(super) fn publish(
        &mut self,
        mut publish: Publish,
        at: At,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, ConfigError> {
        let key = self.shared(&publish.key);
        publish.key = key.clone();
        let old = self.get(&key).cloned();
        let name =
            publish.gray.as_ref().map_or(VariantName::Formal, |gray| VariantName::Gray(gray.name.clone()));
        let replaced = old.as_deref().and_then(|old| variant_of(old, &name));
        if let Some(current) = replaced.filter(|current| is_retry(&publish, current)) {
            return Ok(Outcome::Published { revision: current.revision, created: false });
        }
        admit(&publish, old.as_deref(), replaced)?;
        self.capacities.admit(&publish, replaced.is_none())?;

        let entry = self.entries.entry(key.clone()).or_default();
        let revision = entry.revision(at);
        let new = Arc::new(merge(&publish, old.as_deref(), revision, at));
        entry.config = Some(new.clone());
        self.capacities.count(&key, old.as_deref(), Some(&new));

        let content = ContentKey { key: key.clone(), revision };
        effects.push(Effect::Persist(content.put(publish.content.bytes())));
        effects.push(persist_config(&key, Some(&new)));
        let (op, shown) = match &old {
            Some(old) if replaced.is_some() => (HistoryOp::Update, old),
            Some(_) | None => (HistoryOp::Insert, &new),
        };
        let mut stored = history_of(shown, &name, op).expect("the variant was replaced or published");
        stored.revision = revision;
        stored.time = at.time;
        stored.author = publish.author;
        self.record(&key, &[stored], publish.bounds.history_entries_max, effects);

        let visible = is_visible(old.as_deref(), &new, &name);
        effects.push(changed(&key, revision, vec![name], visible));
        if old.is_none() {
            self.config_count += 1;
            self.ids.insert(new.id, key.clone());
            effects.push(Effect::Appeared(key));
        }
        Ok(Outcome::Published { revision, created: replaced.is_none() })
    }
}

/// Whether a comparison fails only because its own content is there already: most likely the same was published before
/// and the answer got lost.
fn is_retry(publish: &Publish, current: &Variant) -> bool {
    let Condition::Md5(expected) = &publish.condition else { return false };
    !current.md5.matches(expected) && current.md5 == publish.content.md5()
}

/// Whether the state allows a publication.
fn admit(publish: &Publish, old: Option<&Config>, replaced: Option<&Variant>) -> Result<(), ConfigError> {
    match (&publish.condition, replaced) {
        (Condition::Md5(expected), Some(variant)) if !variant.md5.matches(expected) => {
            return Err(ConfigError::Conflict);
        }
        (Condition::Absent, Some(_)) => return Err(ConfigError::Exists),
        (Condition::None | Condition::Md5(_) | Condition::Absent, _) => {}
    }
    let max = publish.bounds.gray_versions_max;
    let grays = old.map_or(0, |old| old.grays.len());
    let is_new_gray = publish.gray.is_some() && replaced.is_none();
    if is_new_gray && grays >= usize::try_from(max).unwrap_or(usize::MAX) {
        return Err(ConfigError::TooManyGrays { max });
    }
    Ok(())
}

/// The config as it is after a publication.
fn merge(publish: &Publish, old: Option<&Config>, revision: Revision, at: At) -> Config {
    let mut config = old.cloned().unwrap_or_else(|| Config {
        key: publish.key.clone(),
        // Not its revision: that may be the one of another config, after a removal that took several.
        id: Config::ID_BASE + at.revision.0,
        created: at.time,
        created_by: publish.author.clone(),
        revision,
        app_name: String::new(),
        tags: Vec::new(),
        details: Details::default(),
        formal: None,
        grays: Vec::new(),
    });
    config.revision = revision;
    let variant = Variant {
        md5: publish.content.md5(),
        kind: publish.kind,
        size: publish.content.bytes().len() as u64,
        modified: at.time,
        author: publish.author.clone(),
        encrypted_data_key: publish.encrypted_data_key.clone(),
        revision,
    };
    if let Some(gray) = &publish.gray {
        config.grays.retain(|(name, ..)| *name != gray.name);
        config.grays.push((gray.name.clone(), gray.rule.clone(), variant));
        config.grays.sort_by_key(|(name, rule, _)| (Reverse(rule.priority()), name.clone()));
    } else {
        config.formal = Some(variant);
        // What describes a config is the formal version's; a gray publication leaves it alone.
        if let Some(app_name) = &publish.app_name {
            config.app_name.clone_from(app_name);
        }
        if let Some(tags) = &publish.tags {
            config.tags.clone_from(tags);
        }
        config.details.clone_from(&publish.details);
    }
    config
}

/// Whether a client may see something else than before.
fn is_visible(old: Option<&Config>, new: &Config, name: &VariantName) -> bool {
    let look = |config: &Config| {
        let selection = config.select_variant(name)?;
        let rule = match name {
            VariantName::Formal => None,
            VariantName::Gray(gray) => config.gray(gray.as_str()).map(|(rule, _)| rule.clone()),
        };
        Some((selection.md5, selection.kind, selection.encrypted_data_key, rule))
    };
    old.and_then(look) != look(new)
}

pub(super) fn variant_of<'a>(config: &'a Config, name: &VariantName) -> Option<&'a Variant> {
    match name {
        VariantName::Formal => config.formal.as_ref(),
        VariantName::Gray(gray) => config.gray(gray.as_str()).map(|(_, variant)| variant),
    }
}

/// A history entry that shows a variant as it is in a config; the caller says when it was made and by whom.
pub(super) fn history_of(config: &Config, name: &VariantName, op: HistoryOp) -> Option<HistoryRow> {
    let variant = variant_of(config, name)?;
    let gray = match name {
        VariantName::Formal => None,
        VariantName::Gray(gray) => {
            let (rule, _) = config.gray(gray.as_str())?;
            Some(Gray { name: gray.clone(), rule: rule.clone() })
        }
    };
    let key: ConfigKey = config.key.clone();
    Some(HistoryRow {
        content: ContentKey { key, revision: variant.revision },
        revision: config.revision,
        config_id: if gray.is_none() { config.id } else { 0 },
        op,
        time: variant.modified,
        taken_over: None,
        author: variant.author.clone(),
        gray,
        md5: variant.md5,
        kind: variant.kind,
        app_name: config.app_name.clone(),
        tags: config.tags.clone(),
        details: config.details.clone(),
        encrypted_data_key: variant.encrypted_data_key.clone(),
        published_by: variant.author.clone(),
    })
}
