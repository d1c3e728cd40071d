//! Config contents in memory: a bounded cache over the state store, and what is applied but not yet stored.

use crate::read_map::read_map;
use bytes::Bytes;
use foldhash::{HashMap, fast::RandomState};
use muster_config::ContentKey;
use muster_model::{Row, Table};
use muster_storage::state::{StateError, StateStore};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

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

/// The cache. A content never changes under its key, so nothing is ever invalidated; entries go when there are
/// too many bytes, those first that were not read since they were last passed over.
#[derive(Debug)]
pub(crate) struct Contents {
    bytes_max: usize,
    cached: papaya::HashMap<ContentKey, Arc<CachedContent>, RandomState>,
    /// Each entry is counted at twice its content, because an answer may be rendered from it.
    bytes: AtomicUsize,
    order: Mutex<VecDeque<ContentKey>>,
    /// Contents of operations that are applied and not committed yet, by the key of their row.
    unstored: Mutex<HashMap<Bytes, Bytes>>,
}

impl Contents {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            cached: read_map(),
            bytes: AtomicUsize::new(0),
            order: Mutex::default(),
            unstored: Mutex::default(),
        }
    }

    /// Keeps the content of a row that will be written with the commit that comes.
    pub(crate) fn follow(&self, row: &Row) {
        if row.table == Table::ConfigContent
            && let Some(value) = &row.value
        {
            self.unstored.lock().insert(row.key.clone(), value.clone());
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
        let row_key = key.row_key();
        let unstored = self.unstored.lock().get(&row_key).cloned();
        let stored = match unstored {
            Some(value) => Some(value),
            None => state.get(Table::ConfigContent, &row_key)?,
        };
        let Some(value) = stored else { return Ok(None) };
        let bytes = ContentKey::content_of(value).map_err(|error| StateError::Damaged(error.to_string()))?;
        let content = CachedContent::new(bytes);
        self.insert(key.clone(), content.clone());
        Ok(Some(content))
    }

    fn insert(&self, key: ContentKey, content: Arc<CachedContent>) {
        let size = 2 * content.bytes.len();
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
                self.bytes.fetch_sub(2 * content.bytes.len(), Ordering::Relaxed);
            }
        }
    }
}
