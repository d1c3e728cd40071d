//! The reserve of free space below which nothing new is accepted.

use muster_runtime::disk::{Disk, DiskError};
use std::path::Path;

/// Free space that is kept for what was accepted already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// Bytes that must stay free (64 MiB).
    pub bytes: u64,
}

impl Default for Reserve {
    fn default() -> Self {
        Self { bytes: 64 << 20 }
    }
}

impl Reserve {
    /// Whether `incoming` more bytes leave the reserve whole.
    pub fn allows(&self, disk: &dyn Disk, dir: &Path, incoming: u64) -> Result<bool, DiskError> {
        Ok(disk.free_bytes(dir)?.saturating_sub(incoming) >= self.bytes)
    }
}
