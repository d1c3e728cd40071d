//! What became of the requests that were applied, so that one that comes again is not applied again.
//!
//! A proposer that does not know what became of its operation proposes it again under the same id. The results are part
//! of the replicated state: one row for each log entry, kept for the newest [`IDS_MAX`] ids and no longer than
//! [`AGE_MAX_MS`] by the times of the entries. What is forgotten leaves a floor behind for its session: an id below it
//! may have been applied, so it is refused.
//!
//! ```text
//! key 'r' | index: u64 big-endian     → version: u8 = 1 | time: u64 | count: u32 | count × (session, number: u64 | result)
//! key 'f' | session: u64 big-endian   → version: u8 = 1 | time: u64 | floor: u64
//! ```

use crate::codec::{Reader, put_bytes};
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::{HashMap, Row, Table, Timestamp};
use muster_storage::state::{StateError, StateStore};
use std::collections::{BTreeMap, VecDeque};

/// So many ids are remembered.
pub(crate) const IDS_MAX: usize = 100_000;
/// So long, milliseconds.
pub(crate) const AGE_MAX_MS: u64 = 600_000;
/// So long a session's floor is kept after it was raised last: longer than any request may wait.
const FLOOR_AGE_MAX_MS: u64 = 3_600_000;
const VERSION: u8 = 1;
const RESULTS: u8 = b'r';
const FLOOR: u8 = b'f';
/// Rows read at once.
const PAGE: usize = 1_024;

/// Names a request, whoever hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RequestId {
    /// Drawn anew in each life of a node.
    pub(crate) session: u64,
    /// Counted up.
    pub(crate) number: u64,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was not applied.
    New,
    /// It was, with this result.
    Done(Bytes),
    /// It may have been, too long ago to know.
    Forgotten,
}

/// The results of the newest requests.
#[derive(Default)]
pub(crate) struct Requests {
    results: HashMap<RequestId, Bytes>,
    /// The entries that brought them, the oldest first.
    entries: VecDeque<Entry>,
    floors: BTreeMap<u64, Floor>,
}

struct Entry {
    index: u64,
    time: Timestamp,
    ids: Vec<RequestId>,
}

#[derive(Clone, Copy)]
struct Floor {
    number: u64,
    time: Timestamp,
}

impl Requests {
    /// What a store holds.
    pub(crate) fn load(state: &dyn StateStore) -> Result<Self, StateError> {
        let mut requests = Self::default();
        let mut from = Vec::new();
        loop {
            let rows = state.scan(Table::Consensus, &from, PAGE)?;
            for (key, value) in &rows {
                let taken = requests.take(key, value.clone());
                taken.ok_or_else(|| StateError::Damaged("the row of a request".to_owned()))?;
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE => from = last.iter().copied().chain([0]).collect(),
                Some(_) | None => return Ok(requests),
            }
        }
    }

    fn take(&mut self, key: &[u8], value: Bytes) -> Option<()> {
        let (kind, number) = key.split_first()?;
        let number = u64::from_be_bytes(number.try_into().ok()?);
        let mut reader = Reader::new(value);
        let version = reader.u8()?;
        let time = Timestamp(reader.u64()?);
        match (*kind, version) {
            (RESULTS, VERSION) => {
                let mut ids = Vec::new();
                for _ in 0..reader.u32()? {
                    let id = RequestId { session: reader.u64()?, number: reader.u64()? };
                    // Not a slice of the row: that would keep all of it.
                    self.results.insert(id, Bytes::copy_from_slice(&reader.bytes()?));
                    ids.push(id);
                }
                self.entries.push_back(Entry { index: number, time, ids });
            }
            (FLOOR, VERSION) => {
                self.floors.insert(number, Floor { number: reader.u64()?, time });
            }
            _ => return None,
        }
        reader.end()
    }

    /// What is known of a request.
    pub(crate) fn fate(&self, id: RequestId) -> Fate {
        if let Some(result) = self.results.get(&id) {
            return Fate::Done(result.clone());
        }
        let is_below = self.floors.get(&id.session).is_some_and(|floor| id.number < floor.number);
        if is_below { Fate::Forgotten } else { Fate::New }
    }

    /// Remembers the result of a request of the entry that is being applied; [`Requests::finish`] is next.
    pub(crate) fn record(&mut self, id: RequestId, result: Bytes) {
        self.results.insert(id, result);
    }

    /// The entry is applied: writes down what these requests came to, and forgets what is too much or too old.
    pub(crate) fn finish(&mut self, index: u64, time: Timestamp, ids: Vec<RequestId>, rows: &mut Vec<Row>) {
        if !ids.is_empty() {
            let mut value = BytesMut::new();
            value.put_u8(VERSION);
            value.put_u64_le(time.0);
            value.put_u32_le(ids.len() as u32);
            for id in &ids {
                value.put_u64_le(id.session);
                value.put_u64_le(id.number);
                put_bytes(&mut value, &self.results[id]);
            }
            rows.push(row(RESULTS, index, Some(value.freeze())));
            self.entries.push_back(Entry { index, time, ids });
        }
        let mut raised = BTreeMap::new();
        let is_old = |then: Timestamp, age: u64| then.0 + age < time.0;
        while let Some(entry) = self.entries.front()
            && (self.results.len() > IDS_MAX || is_old(entry.time, AGE_MAX_MS))
        {
            let entry = self.entries.pop_front().expect("it is at the front");
            rows.push(row(RESULTS, entry.index, None));
            for id in entry.ids {
                self.results.remove(&id);
                let floor = raised.entry(id.session).or_insert(0);
                *floor = id.number.saturating_add(1).max(*floor);
            }
        }
        if !raised.is_empty() {
            self.raise(raised, time, rows);
        }
    }

    fn raise(&mut self, raised: BTreeMap<u64, u64>, time: Timestamp, rows: &mut Vec<Row>) {
        for (session, number) in raised {
            let number = self.floors.get(&session).map_or(number, |floor| floor.number.max(number));
            self.floors.insert(session, Floor { number, time });
            let mut value = BytesMut::with_capacity(17);
            value.put_u8(VERSION);
            value.put_u64_le(time.0);
            value.put_u64_le(number);
            rows.push(row(FLOOR, session, Some(value.freeze())));
        }
        self.floors.retain(|session, floor| {
            let stays = floor.time.0 + FLOOR_AGE_MAX_MS >= time.0;
            if !stays {
                rows.push(row(FLOOR, *session, None));
            }
            stays
        });
    }
}

fn row(kind: u8, number: u64, value: Option<Bytes>) -> Row {
    let mut key = BytesMut::with_capacity(9);
    key.put_u8(kind);
    key.put_u64(number);
    Row { table: Table::Consensus, key: key.freeze(), value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_storage::state::MemoryStore;

    fn id(session: u64, number: u64) -> RequestId {
        RequestId { session, number }
    }

    /// Applies an entry with these requests, and checks that a store that was written gives the same back.
    fn apply(requests: &mut Requests, store: &MemoryStore, index: u64, time: u64, ids: Vec<RequestId>) {
        for id in &ids {
            requests.record(*id, Bytes::from(format!("{}-{}", id.session, id.number)));
        }
        let mut rows = Vec::new();
        requests.finish(index, Timestamp(time), ids, &mut rows);
        store.commit(&rows, b"marker").unwrap();
        let loaded = Requests::load(store).unwrap();
        assert_eq!(loaded.results, requests.results);
        assert_eq!(loaded.entries.len(), requests.entries.len());
        let floors = |of: &Requests| -> Vec<_> {
            of.floors.iter().map(|(session, floor)| (*session, floor.number, floor.time)).collect()
        };
        assert_eq!(floors(&loaded), floors(requests));
    }

    #[test]
    fn what_was_applied_is_known_until_it_is_old_and_refused_then() {
        let (mut requests, store) = (Requests::default(), MemoryStore::new());
        apply(&mut requests, &store, 1, 1_000, vec![id(7, 1), id(8, 5)]);
        apply(&mut requests, &store, 2, 2_000, vec![id(7, 3)]);
        assert_eq!(requests.fate(id(7, 1)), Fate::Done(Bytes::from_static(b"7-1")));
        assert_eq!(requests.fate(id(7, 2)), Fate::New);
        apply(&mut requests, &store, 3, 1_000 + AGE_MAX_MS + 1, vec![]);
        assert_eq!(requests.fate(id(7, 1)), Fate::Forgotten);
        assert_eq!(requests.fate(id(7, 2)), Fate::New, "it may still come");
        assert_eq!(requests.fate(id(8, 4)), Fate::Forgotten, "below the floor");
        assert_eq!(requests.fate(id(7, 3)), Fate::Done(Bytes::from_static(b"7-3")));
        apply(&mut requests, &store, 4, 10 * FLOOR_AGE_MAX_MS, vec![]);
        assert_eq!(requests.fate(id(7, 2)), Fate::Forgotten);
        assert_eq!(requests.fate(id(8, 4)), Fate::New, "nobody waits for as long as that");
    }

    #[test]
    fn the_number_of_ids_is_bounded() {
        let (mut requests, mut rows) = (Requests::default(), Vec::new());
        for index in 0..200 {
            let ids: Vec<_> = (0..1_000).map(|number| id(1, index * 1_000 + number)).collect();
            ids.iter().for_each(|id| requests.record(*id, Bytes::new()));
            requests.finish(index, Timestamp(index), ids, &mut rows);
        }
        assert_eq!(requests.results.len(), IDS_MAX);
        assert_eq!(requests.fate(id(1, 99_999)), Fate::Forgotten);
        assert_eq!(requests.fate(id(1, 100_000)), Fate::Done(Bytes::new()));
    }
}
