//! Config contents in memory: a bounded cache over the state store, and what is applied but not yet stored.

use crate::read_map::read_map;
use bytes::Bytes;
use muster_config::{ContentKey, Effect};
use muster_model::{HashMap, HashState, Row, Table};
use muster_storage::state::{StateError, StateStore};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A content, and the answer an edge rendered with it.
#[derive(Debug)]
pub struct CachedContent {
    /// The bytes as published.
    pub bytes: Bytes,
    rendered: OnceLock<Bytes>,
    used: AtomicBool,
}

impl CachedContent {
    fn new(bytes: Bytes) -> Arc<Self> {
        Arc::new(Self { bytes, rendered: OnceLock::new(), used: AtomicBool::new(true) })
    }

    /// The rendered answer, made by whoever asks first. Only for answers that depend on nothing but what was
    /// published with this content: those of the formal variant.
    pub fn rendered(&self, render: impl FnOnce() -> Bytes) -> Bytes {
        self.rendered.get_or_init(render).clone()
    }
}

/// What an entry costs besides its content: keys, maps, and the answer around the content.
const ENTRY_BYTES: usize = 1_024;

/// Searches through contents at one moment, as in Nacos; further ones are refused.
const SEARCHES_MAX: usize = 4;

/// The bytes an entry is counted at: its content twice, because an answer may be rendered from it. Without a price for
/// the entry itself the versions of a small config that changes often would fill the memory.
fn charge(content: &CachedContent) -> usize {
    ENTRY_BYTES + 2 * content.bytes.len()
}

/// The cache. A content never changes under its key, so nothing is ever invalidated; entries go when there are
/// too many bytes, those first that were not read since they were last passed over.
#[derive(Debug)]
pub(crate) struct Contents {
    bytes_max: usize,
    cached: papaya::HashMap<ContentKey, Arc<CachedContent>, HashState>,
    /// Held by those who look through contents.
    searches: Semaphore,
    /// Each entry as [`charge`] counts it.
    bytes: AtomicUsize,
    order: Mutex<VecDeque<ContentKey>>,
    /// Rows of contents and of the history whose operations are applied and not committed yet.
    unstored: Mutex<HashMap<(Table, Bytes), Bytes>>,
}

impl Contents {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            cached: read_map(),
            searches: Semaphore::new(SEARCHES_MAX),
            bytes: AtomicUsize::new(0),
            order: Mutex::default(),
            unstored: Mutex::default(),
        }
    }

    /// Leave to look through contents, for as long as it is held.
    pub(crate) fn begin_search(&self) -> Option<SemaphorePermit<'_>> {
        self.searches.try_acquire().ok()
    }

    /// Keeps the rows that will be written with the commit that comes.
    pub(crate) fn follow(&self, effects: &[Effect]) {
        let mut unstored = self.unstored.lock();
        for effect in effects {
            if let Effect::Persist(Row { table, key, value: Some(value) }) = effect
                && matches!(table, Table::ConfigContent | Table::ConfigHistory)
            {
                unstored.insert((*table, key.clone()), value.clone());
            }
        }
    }

    /// The rows are committed: the store has them now.
    pub(crate) fn committed(&self) {
        self.unstored.lock().clear();
    }

    /// Forgets everything, because the store was replaced.
    pub(crate) fn clear(&self) {
        self.cached.pin().clear();
        self.order.lock().clear();
        self.bytes.store(0, Ordering::Relaxed);
        self.unstored.lock().clear();
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// A content if it is in memory.
    pub(crate) fn peek(&self, key: &ContentKey) -> Option<Arc<CachedContent>> {
        let cached = self.cached.pin();
        let content = cached.get(key)?;
        content.used.store(true, Ordering::Relaxed);
        Some(content.clone())
    }

    /// A content from memory or from the store; `None` if its row is gone, because the config changed meanwhile.
    /// It may read a file.
    pub(crate) fn get(
        &self,
        key: &ContentKey,
        state: &dyn StateStore,
    ) -> Result<Option<Arc<CachedContent>>, StateError> {
        if let Some(content) = self.peek(key) {
            return Ok(Some(content));
        }
        let Some(bytes) = self.read(key, state)? else { return Ok(None) };
        let content = CachedContent::new(bytes);
        self.insert(key.clone(), content.clone());
        Ok(Some(content))
    }

    /// As [`get`](Self::get), without keeping it: for those who look at many once.
    pub(crate) fn pass(&self, key: &ContentKey, state: &dyn StateStore) -> Result<Option<Bytes>, StateError> {
        match self.peek(key) {
            Some(content) => Ok(Some(content.bytes.clone())),
            None => self.read(key, state),
        }
    }

    fn read(&self, key: &ContentKey, state: &dyn StateStore) -> Result<Option<Bytes>, StateError> {
        let Some(value) = self.row(Table::ConfigContent, key.row_key(), state)? else { return Ok(None) };
        let bytes = ContentKey::content_of(value).map_err(|error| StateError::Damaged(error.to_string()))?;
        Ok(Some(bytes))
    }

    /// A row of contents or of the history, stored or about to be. It may read a file.
    pub(crate) fn row(
        &self,
        table: Table,
        key: Bytes,
        state: &dyn StateStore,
    ) -> Result<Option<Bytes>, StateError> {
        let place = (table, key);
        let unstored = self.unstored.lock().get(&place).cloned();
        match unstored {
            Some(value) => Ok(Some(value)),
            None => state.get(table, &place.1),
        }
    }

    /// Drops what is cached, so that it is read from the store again.
    pub(crate) fn drop_cached(&self) {
        let mut order = self.order.lock();
        let cached = self.cached.pin();
        for key in order.drain(..) {
            if let Some(content) = cached.remove(&key) {
                self.bytes.fetch_sub(charge(content), Ordering::Relaxed);
            }
        }
    }

    fn insert(&self, key: ContentKey, content: Arc<CachedContent>) {
        let size = charge(&content);
        if size > self.bytes_max {
            return;
        }
        if self.cached.pin().try_insert(key.clone(), content).is_ok() {
            self.bytes.fetch_add(size, Ordering::Relaxed);
            self.order.lock().push_back(key);
        }
        let mut chances = 2 * self.order.lock().len();
        while self.bytes() > self.bytes_max && chances > 0 {
            chances -= 1;
            let Some(oldest) = self.order.lock().pop_front() else { return };
            let cached = self.cached.pin();
            let Some(content) = cached.get(&oldest) else { continue };
            if content.used.swap(false, Ordering::Relaxed) {
                self.order.lock().push_back(oldest);
            } else if cached.remove(&oldest).is_some() {
                self.bytes.fetch_sub(charge(content), Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{ConfigKey, DataId, GroupName, Namespace, Revision};

    fn version(revision: u64) -> ContentKey {
        let data_id = DataId::new("flag").unwrap();
        let key = ConfigKey::new(Namespace::default(), GroupName::default(), data_id);
        ContentKey { key, revision: Revision(revision) }
    }

    #[test]
    fn the_versions_of_a_small_config_do_not_pile_up() {
        let contents = Contents::new(64 << 10);
        for revision in 1..=10_000 {
            contents.insert(version(revision), CachedContent::new(Bytes::from_static(b"1")));
        }
        assert!(contents.cached.len() <= 64, "{} are held", contents.cached.len());
        assert_eq!(contents.cached.len(), contents.order.lock().len());
        assert!(contents.peek(&version(10_000)).is_some(), "the newest is held");
    }
}
