//! What `--version` says.

/// Version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Version, commit and stored format, as `muster --version` prints them.
pub(crate) const LONG: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("MUSTER_BUILD_COMMIT"), ", stored format 1)");

#[cfg(test)]
mod tests {
    /// `LONG` must be a constant, so the number stands there as text; this keeps it true.
    #[test]
    fn the_stored_format_is_the_one_storage_writes() {
        let expected = format!("stored format {})", muster_storage::FORMAT_VERSION);
        assert!(super::LONG.ends_with(&expected), "{} should end with {expected}", super::LONG);
    }
}
