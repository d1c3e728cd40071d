//! Exit codes, as `muster --help` documents them.

use muster_storage::data_dir::DataDirError;
use muster_transport::BindError;
use std::{error::Error, process::ExitCode};

/// The command failed.
pub(crate) const FAILED: u8 = 1;
/// Wrong usage or settings.
pub(crate) const USAGE: u8 = 2;
/// What was asked for does not exist.
pub(crate) const NOT_FOUND: u8 = 3;
/// The data directory is in use, damaged, too new or can't be written.
pub(crate) const DATA_DIR: u8 = 4;
/// An address can't be opened.
pub(crate) const ADDRESS: u8 = 5;
/// A second signal ended the process before the drain was over; by convention 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

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

/// The error and its causes in one line. A cause whose words the line has already is left out: many errors name
/// their cause themselves.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let inner = std::io::Error::other("disk gone");
        let outer = anyhow::Error::new(inner).context("read a: disk gone").context("start");
        assert_eq!(chain(outer.as_ref()), "start: read a: disk gone");
    }
}
