//! Taking over configs and their history from another server. Doing it again changes nothing.

use crate::{Node, NodeError, levels};
use futures_util::future::join_all;
use muster_config::{Condition, Config, ConfigError, GrayName, HistoryOp, HistoryRow, Op, Publish, TakeOver};
use muster_model::{ConfigKey, HashMap, Md5, Table, Timestamp};
use std::sync::Arc;

/// Configs in flight: enough to share the log's syncs. The operations on one config wait for each other.
const IN_FLIGHT_MAX: usize = 32;

/// A config as another server has it.
#[derive(Clone, Debug)]
pub struct ForeignConfig {
    /// The config.
    pub key: ConfigKey,
    /// What was done to it there.
    pub history: Vec<TakeOver>,
    /// Its versions, the formal one first.
    pub versions: Vec<Publish>,
}

/// How to take over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakeOverOptions {
    /// Replace what differs; else it stays as it is.
    pub overwrite: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What came of one thing that was to be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenOver {
    /// It was not here.
    Created,
    /// It is here, just so.
    Same,
    /// It is here and differs in this; it was left alone.
    Differs(Vec<&'static str>),
    /// It differed in this and was replaced.
    Replaced(Vec<&'static str>),
    /// It can't be here.
    Refused(String),
}

/// Entries of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryTakenOver {
    /// Those added.
    pub added: usize,
    /// Those that are here already.
    pub same: usize,
    /// Older ones than are kept of a config.
    pub beyond: usize,
    /// Those older than what was done here: the config, or a later history, exists.
    pub late: usize,
    /// Those that can't be here.
    pub refused: usize,
}

/// What came of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigTakenOver {
    /// Of each version, in order.
    pub versions: Vec<TakenOver>,
    /// Of its history.
    pub history: HistoryTakenOver,
}

impl Node {
    /// Takes over configs: the history of each first, then its versions. What one of them can't have is in its report;
    /// an error ends it all, and what was done until then stays.
    pub async fn take_over_configs(
        &self,
        configs: Vec<ForeignConfig>,
        options: TakeOverOptions,
    ) -> Result<Vec<ConfigTakenOver>, NodeError> {
        self.ready()?;
        // Before anything is done: a history can't come later than its config.
        if !options.dry_run && configs.iter().any(|config| !config.history.is_empty()) {
            self.needs_level(levels::TAKE_OVER)?;
        }
        let mut reports = Vec::with_capacity(configs.len());
        let mut rest = configs.into_iter();
        loop {
            let some: Vec<_> = rest.by_ref().take(IN_FLIGHT_MAX).collect();
            if some.is_empty() {
                return Ok(reports);
            }
            let taken = join_all(some.into_iter().map(|config| self.take_over_config(config, options))).await;
            reports.extend(taken.into_iter().collect::<Result<Vec<_>, _>>()?);
        }
    }

    async fn take_over_config(
        &self,
        config: ForeignConfig,
        options: TakeOverOptions,
    ) -> Result<ConfigTakenOver, NodeError> {
        let history = self.take_over_history(&config.key, config.history, options).await?;
        let mut versions = Vec::with_capacity(config.versions.len());
        for version in config.versions {
            versions.push(self.take_over_version(version, options).await?);
        }
        Ok(ConfigTakenOver { versions, history })
    }

    async fn take_over_history(
        &self,
        key: &ConfigKey,
        past: Vec<TakeOver>,
        options: TakeOverOptions,
    ) -> Result<HistoryTakenOver, NodeError> {
        if past.is_empty() {
            return Ok(HistoryTakenOver::default());
        }
        let is_here = self.configs.read().get(key).is_some();
        let kept_max = usize::try_from(self.config_bounds().history_entries_max).unwrap_or(usize::MAX);
        let (mut report, wanted) = plan(&self.history_rows(key)?, past, is_here, kept_max);
        for entry in wanted {
            if entry.check(&self.settings.limits).is_err() {
                report.refused += 1;
            } else if options.dry_run {
                report.added += 1;
            } else {
                match self.propose_config(Op::TakeOver(Box::new(entry))).await {
                    Ok(_) => report.added += 1,
                    // Somebody published it meanwhile.
                    Err(NodeError::Config(ConfigError::Exists)) => report.late += 1,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(report)
    }

    /// The history of a config, newest first.
    fn history_rows(&self, key: &ConfigKey) -> Result<Vec<HistoryRow>, NodeError> {
        let refs: Vec<_> = self.configs.read().history(key).collect();
        let mut rows = Vec::with_capacity(refs.len());
        for entry in refs {
            let row_key = entry.row_key();
            let Some(value) = self.contents.row(Table::ConfigHistory, row_key.clone(), &*self.state)? else {
                continue;
            };
            rows.push(
                HistoryRow::decode(&row_key, value)
                    .map_err(|error| muster_storage::state::StateError::Damaged(error.to_string()))?,
            );
        }
        Ok(rows)
    }

    async fn take_over_version(
        &self,
        mut publish: Publish,
        options: TakeOverOptions,
    ) -> Result<TakenOver, NodeError> {
        if let Err(error) = publish.check(&self.settings.limits) {
            return Ok(TakenOver::Refused(error.to_string()));
        }
        let here = self.configs.read().get(&publish.key).cloned();
        let (md5, differences) = match here.as_ref().and_then(|config| differences(config, &publish)) {
            None => (None, Vec::new()),
            Some((_, differences)) if differences.is_empty() => return Ok(TakenOver::Same),
            Some((_, differences)) if !options.overwrite => return Ok(TakenOver::Differs(differences)),
            Some((md5, differences)) => (Some(md5), differences),
        };
        let taken = if md5.is_some() { TakenOver::Replaced(differences) } else { TakenOver::Created };
        if options.dry_run {
            return Ok(taken);
        }
        // Whatever somebody publishes meanwhile is not written over unseen.
        publish.condition = md5.map_or(Condition::Absent, |md5| Condition::Md5(md5.to_string()));
        match self.publish_config(publish).await {
            Ok(_) => Ok(taken),
            Err(NodeError::Config(ConfigError::Exists | ConfigError::Conflict)) => {
                Ok(TakenOver::Refused("it was changed meanwhile".into()))
            }
            Err(NodeError::Config(error)) => Ok(TakenOver::Refused(error.to_string())),
            Err(error) => Err(error),
        }
    }
}

/// What is to be added, oldest first, and what is said of the rest.
fn plan(
    here: &[HistoryRow],
    mut past: Vec<TakeOver>,
    is_here: bool,
    kept_max: usize,
) -> (HistoryTakenOver, Vec<TakeOver>) {
    type Mark = (&'static str, Timestamp, Md5, Option<GrayName>);
    let mut known: HashMap<Mark, usize> = HashMap::default();
    for row in here {
        let gray = row.gray.as_ref().map(|gray| gray.name.clone());
        *known.entry((row.op.as_str(), row.time, row.md5, gray)).or_default() += 1;
    }
    let newest = here.iter().map(|row| row.time).max().unwrap_or_default();
    let oldest = here.iter().map(|row| row.time).min().unwrap_or_default();
    // A stable sort: entries of one moment keep their order.
    past.sort_by_key(|entry| entry.time);
    let mut report = HistoryTakenOver { beyond: past.len().saturating_sub(kept_max), ..Default::default() };
    let mut wanted = Vec::new();
    for entry in past.drain(..).skip(report.beyond) {
        let gray = entry.gray.as_ref().map(|gray| gray.name.clone());
        let mark = (entry.op.as_str(), entry.time, entry.content.md5(), gray);
        match known.get_mut(&mark) {
            Some(count) if *count > 0 => {
                *count -= 1;
                report.same += 1;
            }
            Some(_) | None if here.len() >= kept_max && entry.time <= oldest => report.beyond += 1,
            Some(_) | None if is_here || entry.time < newest => report.late += 1,
            Some(_) | None => wanted.push(entry),
        }
    }
    (report, wanted)
}

/// The digest of the version that is here, and in what it differs; `None` if it is not here.
fn differences(config: &Arc<Config>, publish: &Publish) -> Option<(Md5, Vec<&'static str>)> {
    let (rule, variant) = match &publish.gray {
        Some(gray) => {
            let (rule, variant) = config.gray(gray.name.as_str())?;
            (Some((rule, &gray.rule)), variant)
        }
        None => (None, config.formal()?),
    };
    let details = config.details();
    let is_formal = publish.gray.is_none();
    let differs = [
        ("content", variant.md5 != publish.content.md5()),
        ("cipher key", variant.encrypted_data_key != publish.encrypted_data_key),
        ("rule", rule.is_some_and(|(here, there)| here != there)),
        // A gray version has no type and no description of its own.
        ("type", is_formal && variant.kind != publish.kind),
        ("application", is_formal && publish.app_name.as_deref().is_some_and(|app| app != config.app_name())),
        (
            "tags",
            is_formal && publish.tags.as_deref().is_some_and(|tags| sorted(tags) != sorted(config.tags())),
        ),
        ("description", is_formal && details.description != publish.details.description),
        ("use", is_formal && details.purpose != publish.details.purpose),
        ("effect", is_formal && details.effect != publish.details.effect),
        ("schema", is_formal && details.schema != publish.details.schema),
    ];
    Some((variant.md5, differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()))
}

/// Tags have no order.
fn sorted(tags: &[String]) -> Vec<&String> {
    let mut tags: Vec<_> = tags.iter().collect();
    tags.sort();
    tags
}

impl ForeignConfig {
    /// What was done, by the letter of Nacos (which its database pads with blanks): `I`, `U`, `D`.
    pub fn history_op(letter: &str) -> Option<HistoryOp> {
        HistoryOp::ALL.into_iter().find(|op| op.as_str() == letter.trim())
    }
}
