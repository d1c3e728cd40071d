//! A state store in memory, for tests and simulation.

use super::{Export, StateError, StateStore};
use bytes::Bytes;
use muster_model::{Row, Table};
use muster_runtime::Rng;
use parking_lot::Mutex;
use std::{collections::BTreeMap, ops::Bound};

/// A state store in memory with an explicit synced point: [`MemoryStore::power_cut`] goes back to a commit that
/// was not checkpointed over.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    now: Content,
    durable: Content,
    /// Commits since the last checkpoint, oldest first.
    pending: Vec<(Vec<Row>, Bytes)>,
    full: bool,
}

#[derive(Clone, Debug, Default)]
struct Content {
    rows: BTreeMap<(Table, Bytes), Bytes>,
    applied: Option<Bytes>,
}

impl Content {
    fn apply(&mut self, rows: &[Row], applied: &[u8]) {
        for row in rows {
            let key = (row.table, row.key.clone());
            match &row.value {
                Some(value) => _ = self.rows.insert(key, value.clone()),
                None => _ = self.rows.remove(&key),
            }
        }
        self.applied = Some(Bytes::copy_from_slice(applied));
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes back to a commit that may survive a power cut: any from the last checkpoint on.
    pub fn power_cut(&self, rng: &mut Rng) {
        let mut inner = self.0.lock();
        let inner = &mut *inner;
        let kept = rng.below(inner.pending.len() as u64 + 1) as usize;
        for (rows, applied) in inner.pending.drain(..).take(kept) {
            inner.durable.apply(&rows, &applied);
        }
        inner.now = inner.durable.clone();
    }

    /// Loses everything, durably.
    pub fn wipe(&self) {
        *self.0.lock() = Inner::default();
    }

    /// Lets commits and imports fail with [`StateError::Full`] until it is taken back.
    pub fn set_full(&self, full: bool) {
        self.0.lock().full = full;
    }
}

impl StateStore for MemoryStore {
    fn applied(&self) -> Result<Option<Bytes>, StateError> {
        Ok(self.0.lock().now.applied.clone())
    }

    fn commit(&self, rows: &[Row], applied: &[u8]) -> Result<(), StateError> {
        let mut inner = self.0.lock();
        if inner.full {
            return Err(StateError::Full);
        }
        inner.now.apply(rows, applied);
        inner.pending.push((rows.to_owned(), Bytes::copy_from_slice(applied)));
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        Ok(self.0.lock().now.rows.get(&(table, Bytes::copy_from_slice(key))).cloned())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StateError> {
        let inner = self.0.lock();
        let start = Bound::Included((table, Bytes::copy_from_slice(from)));
        let rows = inner.now.rows.range((start, Bound::Unbounded));
        let rows = rows.take_while(|((its, _), _)| *its == table).take(limit);
        Ok(rows.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn checkpoint(&self) -> Result<Option<Bytes>, StateError> {
        let mut inner = self.0.lock();
        let inner = &mut *inner;
        for (rows, applied) in inner.pending.drain(..) {
            inner.durable.apply(&rows, &applied);
        }
        Ok(inner.durable.applied.clone())
    }

    fn export(&self) -> Result<Export, StateError> {
        let Content { rows, applied } = self.0.lock().now.clone();
        let rows = rows.into_iter().map(|((table, key), value)| Ok(Row { table, key, value: Some(value) }));
        Ok(Export { applied, rows: Box::new(rows) })
    }

    fn import(
        &self,
        applied: &[u8],
        rows: &mut dyn Iterator<Item = Result<Row, StateError>>,
    ) -> Result<(), StateError> {
        let mut content = Content::default();
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        content.apply(&rows, applied);
        let mut inner = self.0.lock();
        if inner.full {
            return Err(StateError::Full);
        }
        inner.pending.clear();
        inner.durable = content.clone();
        inner.now = content;
        Ok(())
    }
}
