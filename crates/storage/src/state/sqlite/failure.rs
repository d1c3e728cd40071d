//! SQLite's errors, by what can be done.

use crate::state::StateError;
use rusqlite::{Error, ErrorCode, ffi};

/// Sorts an error of a store that has been verified.
pub(super) fn sort(error: Error) -> StateError {
    classify(&error, StateError::Failed)
}

/// Sorts an error of a store that is being opened. It has been ours and writable before, so whatever SQLite
/// does not understand now is damage.
pub(super) fn sort_opening(error: Error) -> StateError {
    let of_the_system = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
        )
    );
    classify(&error, if of_the_system { StateError::Failed } else { StateError::Damaged })
}

/// The error that is meant, or `other` with its text.
fn classify(error: &Error, other: fn(String) -> StateError) -> StateError {
    let text = error.to_string();
    let Error::SqliteFailure(failure, _) = error else {
        // A column of another type or range than was written.
        return StateError::Damaged(text);
    };
    let (code, extended) = (failure.code, failure.extended_code);
    // The index of the write-ahead log grows by a write that reports a full disk in a way of its own.
    if code == ErrorCode::DiskFull || extended == ffi::SQLITE_IOERR_SHMSIZE {
        return StateError::Full;
    }
    let is_damage =
        matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation)
            || extended == ffi::SQLITE_IOERR_SHORT_READ
            || extended == ffi::SQLITE_IOERR_CORRUPTFS;
    if is_damage { StateError::Damaged(text) } else { other(text) }
}
