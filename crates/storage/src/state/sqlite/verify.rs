//! Connecting, and looking at every row once.

use super::{
    BUSY_MAX, Head, SCHEMA, checked,
    failure::{sort, sort_opening},
    row_sum,
};
use crate::{FORMAT_VERSION, state::StateError};
use bytes::Bytes;
use rusqlite::{Connection, Row};
use std::path::Path;

/// Opens a connection with our settings, creating the file if need be.
pub(super) fn connect(path: &Path) -> Result<Connection, StateError> {
    let connection = Connection::open(path).map_err(sort_opening)?;
    configure(&connection).map_err(sort_opening)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_MAX)?;
    // Page size before the first write: a row of 1 KiB stays inside its page.
    connection.execute_batch(
        "PRAGMA page_size = 8192;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -1024;
         PRAGMA temp_store = MEMORY;",
    )
}

/// Reads everything and compares it with its checksums; an empty file becomes an empty store.
pub(super) fn verify(connection: &Connection, path: &Path) -> Result<Head, StateError> {
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(sort_opening)?;
    if tables == 0 {
        let head = Head::default();
        connection.execute_batch("BEGIN IMMEDIATE").map_err(sort_opening)?;
        connection.execute_batch(SCHEMA).map_err(sort_opening)?;
        head.write(connection).map_err(sort_opening)?;
        connection.execute_batch("COMMIT").map_err(sort_opening)?;
        return Ok(head);
    }
    let head = read_head(connection, path)?;
    let problem: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sort_opening)?;
    if problem != "ok" {
        return Err(StateError::Damaged(problem.replace('\n', " ")));
    }
    let mut found = Head { applied: head.applied.clone(), ..Head::default() };
    let sql = "SELECT kind, key, sum, value FROM row";
    let mut statement = connection.prepare(sql).map_err(sort_opening)?;
    let mut rows = statement.query([]).map_err(sort_opening)?;
    while let Some(row) = rows.next().map_err(sort_opening)? {
        let kind: u8 = row.get(0).map_err(sort_opening)?;
        let key = blob(row, 1).map_err(sort_opening)?;
        let (sum, value) = sum_and_value(row, 2).map_err(sort_opening)?;
        if row_sum(kind, key, value) != sum {
            checked(kind, key, sum, value)?;
        }
        found.add(sum);
    }
    compare(&head, &found)?;
    Ok(head)
}

/// Whether the rows that were found are all that were written.
pub(super) fn compare(head: &Head, found: &Head) -> Result<(), StateError> {
    if head == found {
        return Ok(());
    }
    let (wanted, found) = (head.rows, found.rows);
    Err(StateError::Damaged(format!("{found} rows were found which are not the {wanted} that were written")))
}

pub(super) fn read_head(connection: &Connection, path: &Path) -> Result<Head, StateError> {
    let sql = "SELECT version, applied, rows, digest, sum FROM head WHERE id = 1";
    let read = |row: &Row<'_>| {
        let applied = row.get_ref(1)?.as_blob_or_null()?.map(Bytes::copy_from_slice);
        let head = Head { applied, rows: row.get::<_, i64>(2)? as u64, digest: row.get::<_, i64>(3)? as u64 };
        Ok((row.get::<_, u8>(0)?, head, row.get::<_, u32>(4)?))
    };
    let (version, head, sum) = connection.query_row(sql, [], read).map_err(sort_opening)?;
    if head.sum(version) != sum {
        return Err(StateError::Damaged("the row about all rows has a wrong checksum".into()));
    }
    if version != FORMAT_VERSION {
        return Err(StateError::NewerFormat { path: path.to_owned(), found: version.into() });
    }
    Ok(head)
}

/// A checksum and the value it belongs to, from two columns side by side.
pub(super) fn sum_and_value<'a>(row: &'a Row<'_>, at: usize) -> rusqlite::Result<(u32, &'a [u8])> {
    Ok((row.get(at)?, blob(row, at + 1)?))
}

pub(super) fn blob<'a>(row: &'a Row<'_>, at: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(row.get_ref(at)?.as_blob()?)
}

/// A connection for reading one consistent view, begun.
pub(super) fn begin_view(path: &Path) -> Result<(Connection, Head), StateError> {
    let connection = connect(path)?;
    connection.execute_batch("BEGIN").map_err(sort)?;
    let head = read_head(&connection, path)?;
    Ok((connection, head))
}
