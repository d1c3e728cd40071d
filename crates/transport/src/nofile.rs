//! The limit of open files, one of which is every connection.

use rustix::{
    io::Errno,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

/// What [`raise_nofile_limit`] found and did; `u64::MAX` stands for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NofileLimit {
    /// The limit before.
    pub before: u64,
    /// The limit now.
    pub after: u64,
}

/// The limit could not be raised; the old one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot raise the limit of open files from {before} to {wanted}: {source}")]
pub struct NofileError {
    /// The limit as it is.
    pub before: u64,
    /// The limit asked for.
    pub wanted: u64,
    /// What the system said.
    pub source: Errno,
}

/// Raises the soft limit of open files of this process (`RLIMIT_NOFILE`) to its hard limit.
pub fn raise_nofile_limit() -> Result<NofileLimit, NofileError> {
    let limit = getrlimit(Resource::Nofile);
    let before = limit.current.unwrap_or(u64::MAX);
    let wanted = limit.maximum.unwrap_or(u64::MAX);
    if before >= wanted {
        return Ok(NofileLimit { before, after: before });
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => Ok(NofileLimit { before, after: wanted }),
        Err(source) => Err(NofileError { before, wanted, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raises_to_the_hard_limit() {
        let first = raise_nofile_limit().unwrap();
        let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        assert_eq!(first.after, hard);
        assert_eq!(raise_nofile_limit(), Ok(NofileLimit { before: hard, after: hard }));
    }
}
