//! Where things lie in this repository.

use std::path::{Path, PathBuf};

/// The root of the repository: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map(Path::to_path_buf).expect("this crate lies one folder below the root")
}

/// The folder that every step builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |set| root().join(set))
}

/// The server under test, as `cargo build --release` leaves it.
pub(crate) fn muster() -> PathBuf {
    target().join("release").join("muster")
}

/// Whether this run is CI, where a real client that cannot be tried counts as a failure.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
