//! Exit codes, as `muster --help` documents them.

use muster_storage::data_dir::DataDirError;
use muster_transport::BindError;
use std::process::ExitCode;

/// Wrong usage or settings.
pub(crate) const USAGE: u8 = 2;
/// What was asked for does not exist.
pub(crate) const NOT_FOUND: u8 = 3;
/// The data directory is in use, damaged, too new or not writable.
pub(crate) const DATA_DIR: u8 = 4;
/// An address can't be opened.
pub(crate) const ADDRESS: u8 = 5;

/// An error that knows its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Exit {
    code: u8,
    message: String,
}

impl Exit {
    /// An error with a code of its own.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The exit code of a failure.
pub(crate) fn code_of(error: &anyhow::Error) -> ExitCode {
    let code = error.chain().find_map(|cause| {
        if let Some(exit) = cause.downcast_ref::<Exit>() {
            Some(exit.code)
        } else if cause.is::<DataDirError>() {
            Some(DATA_DIR)
        } else if cause.is::<BindError>() {
            Some(ADDRESS)
        } else {
            None
        }
    });
    ExitCode::from(code.unwrap_or(1))
}
