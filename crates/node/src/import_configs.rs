//! Publishing many configs at once: imports and clones.

use crate::{Node, NodeError};
use futures_util::future::join_all;
use muster_config::{Author, Condition, ConfigError, Publish, VariantName};
use muster_model::{ConfigKey, DataId, GroupName, Namespace};
use std::collections::HashSet;

/// Publications in flight: enough to share the log's syncs.
const IN_FLIGHT_MAX: usize = 32;

/// What to do where the config is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportPolicy {
    /// End there. What came before stays: an import is no transaction.
    #[default]
    Abort,
    /// Leave it as it is.
    Skip,
    /// Replace it.
    Overwrite,
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Configs that were published.
    pub published: usize,
    /// Those that were left alone: that existed, or came after the one that ended it.
    pub skipped: Vec<ConfigKey>,
    /// The one that existed and ended the import.
    pub failed: Option<ConfigKey>,
}

/// One config to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloneItem {
    /// The number of the config.
    pub id: u64,
    /// The copy's data id, if not the same.
    pub data_id: Option<DataId>,
    /// The copy's group, if not the same.
    pub group: Option<GroupName>,
}

impl Node {
    /// Publishes configs one after the other, as far as the policy goes; `publication` gives each by its place. What is
    /// refused otherwise (a quota) ends it with that error; what came before stays, and so it does if the caller goes.
    pub async fn import_configs(
        &self,
        keys: &[ConfigKey],
        policy: ImportPolicy,
        mut publication: impl FnMut(usize) -> Result<Publish, NodeError> + Send,
    ) -> Result<ImportReport, NodeError> {
        self.ready()?;
        let mut ended_at = if policy == ImportPolicy::Abort { self.first_conflict(keys) } else { None };
        let mut report = ImportReport::default();
        let places: Vec<usize> = (0..ended_at.unwrap_or(keys.len())).collect();
        for some in places.chunks(IN_FLIGHT_MAX) {
            let mut writes = Vec::with_capacity(some.len());
            for &place in some {
                let mut publish = publication(place)?;
                if policy != ImportPolicy::Overwrite {
                    publish.condition = Condition::Absent;
                }
                writes.push(self.import_one(publish));
            }
            for (&place, published) in some.iter().zip(join_all(writes).await) {
                match (published?, policy) {
                    (true, _) => report.published += 1,
                    // Somebody else published it meanwhile; what went with it is published, too.
                    (false, ImportPolicy::Abort) => {
                        ended_at = Some(ended_at.map_or(place, |end| end.min(place)))
                    }
                    (false, ImportPolicy::Skip | ImportPolicy::Overwrite) => {
                        report.skipped.push(keys[place].clone());
                    }
                }
            }
            if ended_at.is_some_and(|end| some.contains(&end)) {
                break;
            }
        }
        if let Some(place) = ended_at {
            report.failed = Some(keys[place].clone());
            report.skipped = keys[place + 1..].to_vec();
        }
        Ok(report)
    }

    /// Copies configs into a namespace: content, type, description, application, cipher key. Unknown numbers are left
    /// out; `None` if that leaves none.
    pub async fn clone_configs(
        &self,
        items: &[CloneItem],
        namespace: &Namespace,
        policy: ImportPolicy,
        author: &Author,
    ) -> Result<Option<ImportReport>, NodeError> {
        let mut sources = Vec::with_capacity(items.len());
        {
            let configs = self.configs.read();
            for item in items {
                if let Some(config) = configs.by_id(item.id).filter(|config| config.formal().is_some()) {
                    let key = config.key();
                    let data_id = item.data_id.as_ref().unwrap_or(key.data_id());
                    let group = item.group.as_ref().unwrap_or(key.group());
                    let target = ConfigKey::new(namespace.clone(), group.clone(), data_id.clone());
                    sources.push((target, config.clone()));
                }
            }
        }
        if sources.is_empty() {
            return Ok(None);
        }
        let keys: Vec<ConfigKey> = sources.iter().map(|(target, _)| target.clone()).collect();
        let copy = |place: usize| {
            let (target, config): &(ConfigKey, _) = &sources[place];
            let found = self.config_variant(config.key(), &VariantName::Formal)?;
            let found = found.ok_or(ConfigError::NotFound)?;
            let content = muster_config::Content::new(found.content.bytes.clone())?;
            let mut publish = Publish::new(target.clone(), content, author.clone(), self.config_bounds());
            publish.kind = found.selection.kind;
            publish.app_name = Some(config.app_name().to_owned());
            publish.details.description.clone_from(&config.details().description);
            publish.encrypted_data_key = found.selection.encrypted_data_key;
            Ok(publish)
        };
        self.import_configs(&keys, policy, copy).await.map(Some)
    }

    /// False: it exists.
    async fn import_one(&self, publish: Publish) -> Result<bool, NodeError> {
        match self.publish_config(publish).await {
            Ok(_) => Ok(true),
            Err(NodeError::Config(ConfigError::Exists)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The place of the first key that exists, or comes for the second time.
    fn first_conflict(&self, keys: &[ConfigKey]) -> Option<usize> {
        let mut seen = HashSet::with_capacity(keys.len());
        keys.iter().position(|key| {
            let exists = self.configs.read().get(key).is_some_and(|config| config.formal().is_some());
            exists || !seen.insert(key)
        })
    }
}
