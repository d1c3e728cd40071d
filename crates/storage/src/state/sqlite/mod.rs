//! The state in a SQLite database.
//!
//! One table holds all rows, each with a checksum over table, key and value; one more row holds the marker, the
//! number of rows and the sum of their checksums. So not only a changed row is noticed but also a missing or
//! an older one, whatever page of the file was damaged.

mod export;
mod failure;
mod verify;

use super::{Export, StateError, StateStore};
use crate::FORMAT_VERSION;
use bytes::Bytes;
use failure::sort;
use muster_model::{Row, Table};
use muster_runtime::disk::{Disk as _, DiskError, Open, RealDisk, beside};
use parking_lot::Mutex;
use rusqlite::{
    Connection, OptionalExtension as _, Transaction, TransactionBehavior, config::DbConfig, params,
};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How long a connection waits for another one of this process, which never holds a lock for long.
const BUSY_MAX: Duration = Duration::from_secs(10);

/// Beyond so many bytes a checkpoint is due and the write-ahead log is begun anew; so long it may stay.
const WAL_BYTES_MAX: u64 = 64 << 20;
/// While a reader keeps it from being begun anew, it is tried again each time it grew by this.
const WAL_BYTES_MORE: u64 = 16 << 20;
/// How long commits wait for readers to let go of the write-ahead log before it is begun anew another time.
const READERS_MAX: Duration = Duration::from_millis(20);

const SCHEMA: &str = "
    CREATE TABLE row (
        kind  INTEGER NOT NULL,
        key   BLOB NOT NULL,
        sum   INTEGER NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (kind, key)
    ) WITHOUT ROWID;
    CREATE TABLE head (
        id      INTEGER PRIMARY KEY CHECK (id = 1),
        version INTEGER NOT NULL,
        applied BLOB,
        rows    INTEGER NOT NULL,
        digest  INTEGER NOT NULL,
        sum     INTEGER NOT NULL
    );";

/// The state in a SQLite database of this process alone (the data directory is locked).
///
/// Lock order: `checkpointer` before `writer` before `head`; `reader` alone.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Mutex<Connection>,
    /// What the last commit has written; changed only under `writer`.
    head: Mutex<Head>,
    reader: Mutex<Connection>,
    checkpointer: Mutex<Connection>,
    /// How long the write-ahead log may be before a checkpoint is due.
    wal_bytes_due: AtomicU64,
}

/// The row about all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Head {
    applied: Option<Bytes>,
    rows: u64,
    /// Sum of the checksums of all rows, wrapping.
    digest: u64,
}

impl Head {
    fn add(&mut self, sum: u32) {
        self.rows += 1;
        self.digest = self.digest.wrapping_add(spread(sum));
    }

    fn take(&mut self, sum: u32) {
        self.rows = self.rows.wrapping_sub(1);
        self.digest = self.digest.wrapping_sub(spread(sum));
    }

    fn sum(&self, version: u8) -> u32 {
        let crc = crc32c::crc32c(&[version, u8::from(self.applied.is_some())]);
        let crc = crc32c::crc32c_append(crc, self.applied.as_deref().unwrap_or_default());
        crc32c::crc32c_append(
            crc32c::crc32c_append(crc, &self.rows.to_le_bytes()),
            &self.digest.to_le_bytes(),
        )
    }

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO head (id, version, applied, rows, digest, sum) \
                   VALUES (1, ?1, ?2, ?3, ?4, ?5)";
        connection.prepare_cached(sql)?.execute(params![
            FORMAT_VERSION,
            self.applied.as_deref(),
            self.rows as i64,
            self.digest as i64,
            self.sum(FORMAT_VERSION)
        ])?;
        Ok(())
    }
}

fn unusable(error: DiskError) -> StateError {
    if error.is_full() { StateError::Full } else { StateError::Failed(error.to_string()) }
}

/// Spreads a checksum over 64 bits, so that sums of different sets of them differ.
fn spread(sum: u32) -> u64 {
    let mixed = (u64::from(sum) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// The checksum of a row.
fn row_sum(kind: u8, key: &[u8], value: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&[kind]);
    let crc = crc32c::crc32c_append(crc, &(key.len() as u64).to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(crc, key), value)
}

impl SqliteStore {
    /// Opens or creates the database and verifies all of it: [`StateError::Damaged`] if any row, or the set of
    /// rows as a whole, is not what was written.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        // SQLite would let everybody read what it creates; its other files take after this one.
        RealDisk.open(path, Open::OrCreate).map_err(unusable)?;
        let writer = verify::connect(path)?;
        let head = verify::verify(&writer, path)?;
        let dir = path.parent().unwrap_or(Path::new("."));
        RealDisk.sync_dir(dir).map_err(unusable)?;
        let reader = verify::connect(path)?;
        let checkpointer = verify::connect(path)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            head: Mutex::new(head),
            reader: Mutex::new(reader),
            checkpointer: Mutex::new(checkpointer),
            wal_bytes_due: AtomicU64::new(WAL_BYTES_MAX),
        })
    }

    /// The files of a database: its own, the write-ahead log and that one's index.
    pub fn files(path: &Path) -> [PathBuf; 3] {
        [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")]
    }

    /// Ends without moving the write-ahead log, which the end of the last connection does else.
    pub fn close_untouched(self) -> Result<(), StateError> {
        for connection in [&self.writer, &self.reader, &self.checkpointer] {
            let connection = connection.lock();
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sort)?;
        }
        Ok(())
    }

    /// Runs a transaction that turns the head into another one.
    fn transact(
        &self,
        act: impl FnOnce(&Transaction<'_>, &mut Head) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let mut writer = self.writer.lock();
        let mut head = self.head.lock().clone();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sort)?;
        act(&transaction, &mut head)?;
        head.write(&transaction).map_err(sort)?;
        transaction.commit().map_err(sort)?;
        *self.head.lock() = head;
        Ok(())
    }

    /// Everything the write-ahead log holds is durable afterwards, also what a reader keeps from being moved.
    fn sync_wal(&self) -> Result<(), StateError> {
        let path = beside(&self.path, "-wal");
        let synced = File::open(&path).and_then(|wal| wal.sync_data());
        match synced {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|error| StateError::Failed(format!("sync {}: {error}", path.display()))),
        }
    }

    fn wal_bytes(&self) -> Result<u64, StateError> {
        let path = beside(&self.path, "-wal");
        match std::fs::metadata(&path) {
            Ok(wal) => Ok(wal.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(StateError::Failed(format!("look at {}: {error}", path.display()))),
        }
    }

    /// Has the next commit write to the beginning of the write-ahead log. SQLite does so only when all of it was
    /// moved, and a commit that comes while it is being moved never lets that happen: so the last of it is moved
    /// while commits wait. A reader that stays, such as an export, puts it off: false.
    fn begin_wal_anew(&self) -> Result<bool, StateError> {
        let checkpointer = self.checkpointer.lock();
        // What came while the bulk was moved, so that little is left for the moment when commits wait.
        move_wal(&checkpointer, "PASSIVE")?;
        let writer = self.writer.lock();
        checkpointer.busy_timeout(READERS_MAX).map_err(sort)?;
        let moved = move_wal(&checkpointer, "RESTART");
        drop(writer);
        checkpointer.busy_timeout(BUSY_MAX).map_err(sort)?;
        moved
    }
}

/// Whether nothing was in the way.
fn move_wal(checkpointer: &Connection, mode: &str) -> Result<bool, StateError> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    checkpointer.query_row(&sql, [], |row| Ok(row.get::<_, i64>(0)? == 0)).map_err(sort)
}

fn write_row(transaction: &Transaction<'_>, row: &Row, head: &mut Head) -> rusqlite::Result<()> {
    let (kind, key) = (row.table as u8, &row.key[..]);
    let sql = "SELECT sum FROM row WHERE kind = ?1 AND key = ?2";
    let old: Option<u32> =
        transaction.prepare_cached(sql)?.query_row(params![kind, key], |found| found.get(0)).optional()?;
    if let Some(old) = old {
        head.take(old);
    }
    match (&row.value, old) {
        (Some(value), _) => {
            let sum = row_sum(kind, key, value);
            let sql = "INSERT INTO row (kind, key, sum, value) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT (kind, key) DO UPDATE SET sum = excluded.sum, value = excluded.value";
            transaction.prepare_cached(sql)?.execute(params![kind, key, sum, &value[..]])?;
            head.add(sum);
        }
        (None, Some(_)) => {
            let sql = "DELETE FROM row WHERE kind = ?1 AND key = ?2";
            transaction.prepare_cached(sql)?.execute(params![kind, key])?;
        }
        (None, None) => {}
    }
    Ok(())
}

/// A value, if its checksum is right.
fn checked(kind: u8, key: &[u8], sum: u32, value: &[u8]) -> Result<Bytes, StateError> {
    if row_sum(kind, key, value) == sum {
        return Ok(Bytes::copy_from_slice(value));
    }
    let key = String::from_utf8_lossy(key);
    Err(StateError::Damaged(format!("the row {key:?} of table {kind} has a wrong checksum")))
}

impl StateStore for SqliteStore {
    fn applied(&self) -> Result<Option<Bytes>, StateError> {
        Ok(self.head.lock().applied.clone())
    }

    fn commit(&self, rows: &[Row], applied: &[u8]) -> Result<(), StateError> {
        self.transact(|transaction, head| {
            rows.iter().try_for_each(|row| write_row(transaction, row, head)).map_err(sort)?;
            head.applied = Some(Bytes::copy_from_slice(applied));
            Ok(())
        })
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        let reader = self.reader.lock();
        let sql = "SELECT sum, value FROM row WHERE kind = ?1 AND key = ?2";
        let mut statement = reader.prepare_cached(sql).map_err(sort)?;
        let mut found = statement.query(params![table as u8, key]).map_err(sort)?;
        let Some(row) = found.next().map_err(sort)? else { return Ok(None) };
        let (sum, value) = verify::sum_and_value(row, 0).map_err(sort)?;
        checked(table as u8, key, sum, value).map(Some)
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StateError> {
        let reader = self.reader.lock();
        let sql = "SELECT sum, value, key FROM row WHERE kind = ?1 AND key >= ?2 ORDER BY key LIMIT ?3";
        let mut statement = reader.prepare_cached(sql).map_err(sort)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = statement.query(params![table as u8, from, limit]).map_err(sort)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(sort)? {
            let (sum, value) = verify::sum_and_value(row, 0).map_err(sort)?;
            let key = verify::blob(row, 2).map_err(sort)?;
            rows.push((Bytes::copy_from_slice(key), checked(table as u8, key, sum, value)?));
        }
        Ok(rows)
    }

    fn checkpoint(&self) -> Result<Option<Bytes>, StateError> {
        let applied = self.applied()?;
        self.sync_wal()?;
        // Passive: it waits for nobody and moves what it can; the rest is durable where it is.
        move_wal(&self.checkpointer.lock(), "PASSIVE")?;
        let wal_bytes = self.wal_bytes()?;
        if wal_bytes > WAL_BYTES_MAX {
            let is_anew = self.begin_wal_anew()?;
            let due = if is_anew { WAL_BYTES_MAX } else { wal_bytes + WAL_BYTES_MORE };
            self.wal_bytes_due.store(due, Relaxed);
        }
        Ok(applied)
    }

    fn is_checkpoint_due(&self) -> bool {
        // Where that can't be said, the next checkpoint tells why.
        self.wal_bytes().is_ok_and(|bytes| bytes > self.wal_bytes_due.load(Relaxed))
    }

    fn export(&self) -> Result<Export, StateError> {
        export::export(&self.path)
    }

    fn import(
        &self,
        applied: &[u8],
        rows: &mut dyn Iterator<Item = Result<Row, StateError>>,
    ) -> Result<(), StateError> {
        self.transact(|transaction, head| {
            transaction.execute("DELETE FROM row", []).map_err(sort)?;
            *head = Head { applied: Some(Bytes::copy_from_slice(applied)), ..Head::default() };
            for row in rows {
                write_row(transaction, &row?, head).map_err(sort)?;
            }
            Ok(())
        })?;
        self.sync_wal()?;
        move_wal(&self.checkpointer.lock(), "TRUNCATE").map(drop)
    }
}

#[cfg(test)]
impl SqliteStore {
    /// Lets the database behave as on a disk of so many pages.
    pub(in crate::state) fn limit_pages(&self, pages: u64) {
        let writer = self.writer.lock();
        writer.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    }

    /// Writes what another version would.
    pub(in crate::state) fn write_version(&self, version: u8) {
        let sum = self.head.lock().sum(version);
        self.writer.lock().execute("UPDATE head SET version = ?1, sum = ?2", params![version, sum]).unwrap();
    }
}
