//! Digests of durable state: sums of hashes of rows, by table and bucket, so that two nodes that have the same rows come to
//! the same, whatever the order; and names of rows where they do not.

use bytes::Bytes;
use md5::Digest as _;
use muster_model::{Row, Table};
use muster_storage::state::StateError;
use std::collections::BTreeMap;

/// Buckets of a table.
pub(crate) const BUCKETS: usize = 256;
/// The most rows of a bucket that are named; there are more only in buckets of very large tables.
pub(crate) const ROWS_NAMED_MAX: usize = 20_000;

/// Which rows are meant: a table's number and a bucket.
pub(crate) type Place = (u8, u8);

/// Rows of a bucket: the key and the hash of the row.
pub(crate) type NamedRows = Vec<(Bytes, u64)>;

/// What one table comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableDigest {
    /// How many rows.
    pub(crate) rows: u64,
    /// Sums of their hashes.
    pub(crate) buckets: Vec<u64>,
}

impl Default for TableDigest {
    fn default() -> Self {
        Self { rows: 0, buckets: vec![0; BUCKETS] }
    }
}

/// What all tables come to that every node must have alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StateDigest {
    /// By the table's number.
    pub(crate) tables: BTreeMap<u8, TableDigest>,
    /// The rows of the buckets that were to be named.
    pub(crate) named: BTreeMap<Place, NamedRows>,
    /// What is wrong with the store it was read from: some rows may be missing here.
    pub(crate) damage: Option<String>,
}

/// Whether every node has the same rows in a table. What consensus keeps is the engine's own.
fn is_compared(table: Table) -> bool {
    table != Table::Consensus
}

/// The bucket of a key.
fn bucket_of(table: Table, key: &[u8]) -> u8 {
    let digest = md5::Md5::new().chain_update([table as u8]).chain_update(key).finalize();
    digest[0]
}

/// The hash of a row, the same in every version of this program.
fn hash_of(table: Table, key: &[u8], value: &[u8]) -> u64 {
    let length = (key.len() as u64).to_le_bytes();
    let digest = md5::Md5::new().chain_update([table as u8]).chain_update(length);
    let digest: [u8; 16] = digest.chain_update(key).chain_update(value).finalize().into();
    let (half, _) = digest.split_first_chunk::<8>().expect("sixteen bytes have eight");
    u64::from_le_bytes(*half)
}

impl StateDigest {
    /// Reads all rows of a view, with later changes laid over it: the last change of a row counts.
    pub(crate) fn of(
        view: impl Iterator<Item = Result<Row, StateError>>,
        changes: &[Row],
        name: &[Place],
    ) -> Self {
        let over: BTreeMap<(u8, &[u8]), &Option<Bytes>> =
            changes.iter().map(|row| ((row.table as u8, &row.key[..]), &row.value)).collect();
        let mut digest = Self::default();
        for row in view {
            let Row { table, key, value } = match row {
                Ok(row) => row,
                Err(error) => {
                    digest.damage = Some(error.to_string());
                    break;
                }
            };
            if let (false, Some(value)) = (over.contains_key(&(table as u8, &key[..])), value) {
                digest.add(table, &key, &value, name);
            }
        }
        for ((table, key), value) in over {
            if let (Some(table), Some(value)) = (Table::from_number(table), value) {
                digest.add(table, &Bytes::copy_from_slice(key), value, name);
            }
        }
        digest
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }

    fn add(&mut self, table: Table, key: &Bytes, value: &[u8], name: &[Place]) {
        if !is_compared(table) {
            return;
        }
        let (number, bucket) = (table as u8, bucket_of(table, key));
        let hash = hash_of(table, key, value);
        let of_table = self.tables.entry(number).or_default();
        of_table.rows += 1;
        of_table.buckets[usize::from(bucket)] = of_table.buckets[usize::from(bucket)].wrapping_add(hash);
        if name.contains(&(number, bucket)) {
            let rows = self.named.entry((number, bucket)).or_default();
            if rows.len() < ROWS_NAMED_MAX {
                rows.push((key.clone(), hash));
            }
        }
    }

    /// The buckets in which two digests differ.
    pub(crate) fn differing(&self, other: &Self) -> Vec<Place> {
        let empty = TableDigest::default();
        let numbers = self.tables.keys().chain(other.tables.keys());
        let mut numbers: Vec<u8> = numbers.copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut places = Vec::new();
        for number in numbers {
            let one = self.tables.get(&number).unwrap_or(&empty);
            let two = other.tables.get(&number).unwrap_or(&empty);
            let pairs = one.buckets.iter().zip(&two.buckets).enumerate();
            let differing = pairs.filter(|(_, (one, two))| one != two);
            places.extend(differing.filter_map(|(bucket, _)| Some((number, u8::try_from(bucket).ok()?))));
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(table: Table, key: &str, value: Option<&str>) -> Row {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Row { table, key: bytes(key), value: value.map(bytes) }
    }

    fn digest(rows: &[Row], changes: &[Row], name: &[Place]) -> StateDigest {
        StateDigest::of(rows.iter().cloned().map(Ok), changes, name)
    }

    #[test]
    fn order_and_way_do_not_count() {
        let (a, b) = (row(Table::Config, "a", Some("1")), row(Table::Service, "b", Some("2")));
        let both = digest(&[a.clone(), b.clone()], &[], &[]);
        assert_eq!(both, digest(&[b.clone(), a.clone()], &[], &[]));
        assert_eq!(both, digest(std::slice::from_ref(&b), std::slice::from_ref(&a), &[]));
        let older = row(Table::Config, "a", Some("0"));
        assert_eq!(both, digest(&[older.clone(), b.clone()], std::slice::from_ref(&a), &[]));
        let gone = row(Table::Config, "c", Some("3"));
        let removed = row(Table::Config, "c", None);
        assert_eq!(both, digest(&[gone, b.clone()], &[older, removed, a], &[]), "the last change counts");
    }

    #[test]
    fn one_flipped_value_differs_in_its_bucket_and_is_named() {
        let rows: Vec<Row> =
            (0..1_000).map(|number| row(Table::Config, &format!("key{number}"), Some("value"))).collect();
        let mut other = rows.clone();
        other[7] = row(Table::Config, "key7", Some("valuf"));
        let places = digest(&rows, &[], &[]).differing(&digest(&other, &[], &[]));
        let place = (Table::Config as u8, bucket_of(Table::Config, b"key7"));
        assert_eq!(places, [place]);
        let (one, two) = (digest(&rows, &[], &places), digest(&other, &[], &places));
        let differing: Vec<_> =
            one.named[&place].iter().zip(&two.named[&place]).filter(|(one, two)| one != two).collect();
        assert_eq!(differing.len(), 1);
        assert_eq!(&differing[0].0.0[..], b"key7");
        assert!(digest(&rows, &[], &[]).differing(&digest(&rows, &[], &[])).is_empty());
        let consensus = row(Table::Consensus, "x", Some("own"));
        assert!(digest(&[consensus], &[], &[]).tables.is_empty(), "what is not the same anyway");
    }

    #[test]
    fn hashes_are_those_of_every_version() {
        // A mixed cluster compares digests: another hash would be an alarm.
        assert_eq!(hash_of(Table::Config, b"a", b"b"), 9_740_128_114_820_535_457);
        assert_eq!(bucket_of(Table::Config, b"a"), 177);
    }
}
