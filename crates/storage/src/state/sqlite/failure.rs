//! SQLite's errors, by what can be done.

use crate::state::StateError;
use rusqlite::{Error, ErrorCode, ffi};

/// Sorts an error of a store that has been verified.
pub(super) fn sort(error: Error) -> StateError {
    let text = error.to_string();
    let Error::SqliteFailure(failure, _) = &error else {
        // A column of another type or range than was written.
        return StateError::Damaged(text);
    };
    match failure.code {
        ErrorCode::DiskFull => StateError::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation => {
            StateError::Damaged(text)
        }
        ErrorCode::SystemIoFailure => match failure.extended_code {
            // The index of the write-ahead log grows by a file write that reports a full disk this way.
            ffi::SQLITE_IOERR_SHMSIZE => StateError::Full,
            ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS => StateError::Damaged(text),
            _ => StateError::Failed(text),
        },
        _ => StateError::Failed(text),
    }
}

/// Sorts an error of a store that is being opened: it has been ours and writable before, so that whatever SQLite
/// does not understand is damage.
pub(super) fn sort_opening(error: Error) -> StateError {
    let text = error.to_string();
    match sort(error) {
        StateError::Failed(_) if !is_of_the_system(&text) => StateError::Damaged(text),
        sorted => sorted,
    }
}

fn is_of_the_system(text: &str) -> bool {
    ["disk I/O error", "unable to open database file", "database is locked", "access permission denied"]
        .iter()
        .any(|known| text.contains(known))
}
