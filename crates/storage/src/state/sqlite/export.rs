//! Reading everything as of one moment.

use super::{
    Head, checked,
    failure::sort,
    verify::{begin_view, blob, compare, sum_and_value},
};
use crate::state::{Export, StateError};
use bytes::Bytes;
use muster_model::{Row, Table};
use rusqlite::{Connection, params};
use std::path::Path;

/// Bytes of values that are fetched at once, at least one row.
const PAGE_BYTES: usize = 1 << 20;
/// Rows that are fetched at once.
const PAGE_ROWS: i64 = 1_000;

pub(super) fn export(path: &Path) -> Result<Export, StateError> {
    let (connection, head) = begin_view(path)?;
    let applied = head.applied.clone();
    let found = Head { applied: applied.clone(), ..Head::default() };
    let view = View { connection, head, found, page: Vec::new().into_iter(), after: None, over: false };
    Ok(Export { applied, rows: Box::new(view) })
}

/// The rows of a read transaction, which ends when this is dropped.
struct View {
    connection: Connection,
    head: Head,
    /// What has been read so far; in the end it must be what the head says.
    found: Head,
    page: std::vec::IntoIter<Row>,
    after: Option<(u8, Bytes)>,
    over: bool,
}

impl View {
    fn fetch(&mut self) -> Result<Vec<Row>, StateError> {
        let sql = "SELECT kind, key, sum, value FROM row WHERE (kind, key) > (?1, ?2) \
                   ORDER BY kind, key LIMIT ?3";
        let (kind, key) = self.after.clone().unwrap_or_default();
        let mut statement = self.connection.prepare_cached(sql).map_err(sort)?;
        let mut found = statement.query(params![kind, &key[..], PAGE_ROWS]).map_err(sort)?;
        let mut page = Vec::new();
        let mut bytes = 0;
        while bytes < PAGE_BYTES
            && let Some(row) = found.next().map_err(sort)?
        {
            let kind: u8 = row.get(0).map_err(sort)?;
            let key = blob(row, 1).map_err(sort)?;
            let (sum, value) = sum_and_value(row, 2).map_err(sort)?;
            let table = Table::from_number(kind)
                .ok_or_else(|| StateError::Damaged(format!("there is no table {kind}")))?;
            let value = checked(kind, key, sum, value)?;
            bytes += value.len();
            self.found.add(sum);
            page.push(Row { table, key: Bytes::copy_from_slice(key), value: Some(value) });
        }
        self.after = page.last().map(|row| (row.table as u8, row.key.clone()));
        Ok(page)
    }

    fn step(&mut self) -> Result<Option<Row>, StateError> {
        if let Some(row) = self.page.next() {
            return Ok(Some(row));
        }
        let page = self.fetch()?;
        if page.is_empty() {
            compare(&self.head, &self.found)?;
        }
        self.page = page.into_iter();
        Ok(self.page.next())
    }
}

impl Iterator for View {
    type Item = Result<Row, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let step = self.step();
        self.over = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}
