//! Configs as administrators look for them: by parts of names, by tags, by what their content says.

mod like;

pub use like::Like;

use crate::{FoundConfig, Node, NodeError};
use muster_config::{Config, VariantName};
use muster_model::{ConfigKey, Namespace};
use std::sync::Arc;

/// Entries looked at before others get the lock, and the thread, in between.
const STRIDE: usize = 1_024;
/// Bytes of contents looked at before others get the thread in between.
const READ_STRIDE_BYTES: u64 = 1 << 20;
/// Bytes of contents that one page may show.
const PAGE_BYTES_MAX: u64 = 64 << 20;

/// What configs are looked for by. Only those with a formal version are found.
#[derive(Clone, Debug)]
pub struct ConfigSearch {
    /// The namespace.
    pub namespace: Namespace,
    /// The data id.
    pub data_id: Like,
    /// The group.
    pub group: Like,
    /// The application, to the letter; "" is any.
    pub app_name: String,
    /// Tags: a config that has several of them is found as often, as Nacos's join gives it (recording
    /// `v1-cs-search-accurate`). Without any the tags do not matter.
    pub tags: Vec<Like>,
    /// Types by their declared names; without any the type does not matter.
    pub kinds: Vec<String>,
    /// What the content is like; it costs a look at each content that the rest does not rule out.
    pub content: Option<Like>,
}

impl ConfigSearch {
    /// Everything in a namespace.
    pub fn all_of(namespace: Namespace) -> Self {
        Self {
            namespace,
            data_id: Like::any(),
            group: Like::any(),
            app_name: String::new(),
            tags: Vec::new(),
            kinds: Vec::new(),
            content: None,
        }
    }

    /// How often a config is found, its content aside. Names first: most configs are left where they are in memory.
    fn finds(&self, key: &ConfigKey, config: &Config) -> usize {
        if !self.data_id.matches(key.data_id().as_str()) || !self.group.matches(key.group().as_str()) {
            return 0;
        }
        let Some(formal) = config.formal() else { return 0 };
        let is_meant = (self.app_name.is_empty() || self.app_name == config.app_name())
            && (self.kinds.is_empty()
                || formal.kind.declared().is_some_and(|kind| self.kinds.iter().any(|wanted| wanted == kind)));
        if !is_meant {
            0
        } else if self.tags.is_empty() {
            1
        } else {
            let has = |tag: &&String| self.tags.iter().any(|wanted| wanted.matches(tag));
            config.tags().iter().filter(has).count()
        }
    }
}

/// Which page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The first is 1.
    pub number: usize,
    /// At least 1; it may be more than there is.
    pub size: usize,
}

impl PageRequest {
    /// The places of this page among so many.
    pub fn range(self, total: usize) -> std::ops::Range<usize> {
        let start = self.number.saturating_sub(1).saturating_mul(self.size).min(total);
        start..start.saturating_add(self.size).min(total)
    }
}

/// One page of what was found, oldest config first.
#[derive(Clone, Debug)]
pub struct ConfigPage<T> {
    /// How much was found.
    pub total: usize,
    /// What is on the page.
    pub items: Vec<T>,
}

/// A config with the content of its formal version.
#[derive(Debug)]
pub struct ShownConfig {
    /// The config.
    pub config: Arc<Config>,
    /// Its formal version.
    pub found: FoundConfig,
}

impl Node {
    /// One page of the configs that are like this, in the order of their creation. Others publish meanwhile: what
    /// comes or goes during the search may be in it or not.
    pub async fn search_configs(
        &self,
        search: &ConfigSearch,
        page: PageRequest,
    ) -> Result<ConfigPage<Arc<Config>>, NodeError> {
        let mut found = self.found_by(search).await?;
        let total = found.len();
        let range = page.range(total);
        // Only the page needs to be in order.
        if range.start > 0 && range.start < total {
            found.select_nth_unstable(range.start);
        }
        let rest = &mut found[range.start..];
        if range.len() < rest.len() && !range.is_empty() {
            rest.select_nth_unstable(range.len());
        }
        let shown = &mut rest[..range.len()];
        shown.sort_unstable();
        Ok(ConfigPage { total, items: self.numbered(shown).await })
    }

    /// As [`search_configs`](Self::search_configs), with the contents. Refused if they are more than 64 MiB.
    pub async fn search_contents(
        &self,
        search: &ConfigSearch,
        page: PageRequest,
    ) -> Result<ConfigPage<ShownConfig>, NodeError> {
        let ConfigPage { total, items } = self.search_configs(search, page).await?;
        let bytes: u64 = items.iter().filter_map(|config| Some(config.formal()?.size)).sum();
        if bytes > PAGE_BYTES_MAX {
            return Err(NodeError::PageTooLarge { bytes_max: PAGE_BYTES_MAX });
        }
        let mut shown = Vec::with_capacity(items.len());
        for config in items {
            // What was removed meanwhile is left out.
            if let Some(found) = self.config_variant(config.key(), &VariantName::Formal)? {
                shown.push(ShownConfig { config, found });
            }
        }
        Ok(ConfigPage { total, items: shown })
    }

    /// All configs that are like this, oldest first.
    pub async fn all_configs(&self, search: &ConfigSearch) -> Result<Vec<Arc<Config>>, NodeError> {
        let mut found = self.found_by(search).await?;
        found.sort_unstable();
        Ok(self.numbered(&found).await)
    }

    /// The configs with these numbers; those that went meanwhile are left out.
    async fn numbered(&self, ids: &[u64]) -> Vec<Arc<Config>> {
        let mut items = Vec::with_capacity(ids.len());
        for some in ids.chunks(STRIDE) {
            {
                let configs = self.configs.read();
                items.extend(some.iter().filter_map(|id| configs.by_id(*id)).cloned());
            }
            tokio::task::yield_now().await;
        }
        items
    }

    /// The numbers of what is found, in no order. The lock is held for a few entries at a time.
    async fn found_by(&self, search: &ConfigSearch) -> Result<Vec<u64>, NodeError> {
        self.ready()?;
        let _permit = match &search.content {
            Some(_) => Some(self.contents.begin_search().ok_or(NodeError::Busy)?),
            None => None,
        };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let mut candidates = Vec::new();
            after = self.configs.read().some_of(&search.namespace, after.as_ref(), STRIDE, |key, config| {
                let times = search.finds(key, config);
                if times > 0 && search.content.is_some() {
                    candidates.push((times, config.clone()));
                } else if times > 0 {
                    found.extend(std::iter::repeat_n(config.id(), times));
                }
            });
            if let Some(like) = &search.content {
                self.keep_those_saying(like, candidates, &mut found).await?;
            }
            if after.is_none() {
                return Ok(found);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn keep_those_saying(
        &self,
        like: &Like,
        candidates: Vec<(usize, Arc<Config>)>,
        found: &mut Vec<u64>,
    ) -> Result<(), NodeError> {
        let mut read = 0;
        for (times, config) in candidates {
            let Some(formal) = config.formal() else { continue };
            // A content that is gone was replaced or removed meanwhile.
            let content = self.contents.pass(&config.content_of(formal), &*self.state)?;
            if content.is_some_and(|content| like.matches(&String::from_utf8_lossy(&content))) {
                found.extend(std::iter::repeat_n(config.id(), times));
            }
            read += formal.size + 4_096;
            if read >= READ_STRIDE_BYTES {
                read = 0;
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::PageRequest;

    #[test]
    fn pages_end_where_the_list_does() {
        for (number, size, range) in
            [(1, 3, 0..3), (2, 3, 3..4), (3, 3, 4..4), (1, usize::MAX, 0..4), (usize::MAX, 3, 4..4)]
        {
            assert_eq!(PageRequest { number, size }.range(4), range, "{number} {size}");
        }
    }
}
