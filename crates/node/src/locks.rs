//! Distributed locks (Nacos 3): a key is held until it is released or its time is over. There is no owner and no
//! reentrancy, as in the original: whoever knows the key may release it. Pure; time is that of the log entry.

use bytes::Bytes;
use muster_model::{HashMap, Row, Table, Timestamp};

/// How long a lock is held when the client names no duration (Nacos: `nacos.lock.default_expire_time`).
const HOLD_MS_DEFAULT: i64 = 30_000;
/// The longest a lock is held (Nacos: `nacos.lock.max_expire_time`).
const HOLD_MS_MAX: i64 = 1_800_000;
/// The version of a result.
const VERSION: u8 = 1;

/// What may be done to a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockOp {
    /// Take it if it is free; `hold_ms` is a duration, negative for the default, cut to 30 minutes.
    Acquire {
        /// Type and key of the lock, as one name.
        key: String,
        /// Duration in milliseconds.
        hold_ms: i64,
    },
    /// Give it back.
    Release {
        /// Type and key of the lock, as one name.
        key: String,
    },
}

/// The locks that are held, and until when.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: HashMap<String, Timestamp>,
}

impl Locks {
    /// Applies an operation; true: it was acquired, or was taken and is released. Whether its time was over does not
    /// matter to a release, as in the original (recording lock-expiry).
    pub(crate) fn apply(&mut self, op: &LockOp, now: Timestamp, rows: &mut Vec<Row>) -> bool {
        match op {
            LockOp::Acquire { key, hold_ms } => {
                if self.held.get(key).is_some_and(|until| *until > now) {
                    return false;
                }
                let hold_ms = if *hold_ms < 0 { HOLD_MS_DEFAULT } else { (*hold_ms).min(HOLD_MS_MAX) };
                let until = Timestamp(now.0 + hold_ms as u64);
                rows.push(row(key, Some(until)));
                self.held.insert(key.clone(), until);
                true
            }
            LockOp::Release { key } => {
                let was_taken = self.held.remove(key).is_some();
                if was_taken {
                    rows.push(row(key, None));
                }
                was_taken
            }
        }
    }

    /// Removes what was over at a moment, so that abandoned keys do not stay for ever.
    pub(crate) fn expire(&mut self, now: Timestamp, rows: &mut Vec<Row>) {
        self.held.retain(|key, until| {
            let held = *until > now;
            if !held {
                rows.push(row(key, None));
            }
            held
        });
    }

    /// Whether some lock is over at a moment.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.held.values().any(|until| *until <= now)
    }

    /// Takes up a stored row; false: it is not one of ours.
    pub(crate) fn load(&mut self, key: &[u8], value: &[u8]) -> bool {
        match (std::str::from_utf8(key), value.try_into().map(u64::from_be_bytes)) {
            (Ok(key), Ok(until)) => {
                self.held.insert(key.to_owned(), Timestamp(until));
                true
            }
            (Err(_), _) | (_, Err(_)) => false,
        }
    }
}

/// Whether an operation succeeded, as bytes of the replicated state: version, and 1 for yes.
pub(crate) fn encode_result(succeeded: bool) -> Bytes {
    Bytes::from_static(if succeeded { &[VERSION, 1] } else { &[VERSION, 0] })
}

/// Reads what [`encode_result`] wrote; `None`: malformed, or of a newer version.
pub(crate) fn decode_result(bytes: &[u8]) -> Option<bool> {
    match *bytes {
        [VERSION, succeeded @ (0 | 1)] => Some(succeeded == 1),
        _ => None,
    }
}

fn row(key: &str, until: Option<Timestamp>) -> Row {
    Row {
        table: Table::Lock,
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: until.map(|until| Bytes::copy_from_slice(&until.0.to_be_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquire(hold_ms: i64) -> LockOp {
        LockOp::Acquire { key: "k".into(), hold_ms }
    }

    #[test]
    fn is_free_after_release_and_after_its_time() {
        let (mut locks, mut rows) = (Locks::default(), Vec::new());
        let release = LockOp::Release { key: "k".into() };
        assert!(locks.apply(&acquire(100), Timestamp(0), &mut rows));
        assert!(!locks.apply(&acquire(100), Timestamp(99), &mut rows), "held, also for the one who holds it");
        assert!(locks.apply(&acquire(100), Timestamp(100), &mut rows));
        assert!(locks.apply(&release, Timestamp(101), &mut rows));
        assert!(!locks.apply(&release, Timestamp(101), &mut rows));
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn durations_have_a_default_and_a_most() {
        let (mut locks, mut rows) = (Locks::default(), Vec::new());
        locks.apply(&acquire(-1), Timestamp(0), &mut rows);
        assert_eq!(locks.held["k"], Timestamp(30_000));
        locks.apply(&acquire(i64::MAX), Timestamp(30_000), &mut rows);
        assert_eq!(locks.held["k"], Timestamp(1_830_000));
        locks.expire(Timestamp(1_830_000), &mut rows);
        assert!(locks.held.is_empty());
    }

    #[test]
    fn results_come_back() {
        for succeeded in [true, false] {
            assert_eq!(decode_result(&encode_result(succeeded)), Some(succeeded));
        }
        assert_eq!((decode_result(&[]), decode_result(&[2, 1]), decode_result(&[1, 2])), (None, None, None));
    }

    #[test]
    fn loads_what_it_wrote() {
        let (mut locks, mut rows) = (Locks::default(), Vec::new());
        locks.apply(&acquire(100), Timestamp(5), &mut rows);
        let mut again = Locks::default();
        assert!(again.load(&rows[0].key, rows[0].value.as_ref().unwrap()));
        assert_eq!(again.held, locks.held);
        assert!(!again.load(b"k", b"short"));
    }
}
