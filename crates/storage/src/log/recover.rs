//! Opening a log: what is valid, what was torn, what is corrupt.

use std::path::PathBuf;

/// What opening a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Entries in the log.
    pub entries: u64,
    /// The torn tail that was cut, if there was one: say so to the operator.
    pub cut: Option<Cut>,
    /// Small files of which one of the two copies was damaged and has been restored from the other.
    pub repaired: Vec<PathBuf>,
}

/// A torn tail: the last append was not complete, so it was not acknowledged, unless the disk damaged it
/// afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment file.
    pub segment: PathBuf,
    /// Where the valid part of it ends.
    pub offset: u64,
    /// Bytes from there to the last one that is not zero.
    pub bytes: u64,
    /// The index of the first entry that was cut.
    pub first: u64,
    /// How many entries were cut, as far as it can be told; at least 1.
    pub entries: u64,
}
