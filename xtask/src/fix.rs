//! `fix`: writes what a machine can write.

use crate::process;

/// Formats everything and applies clippy's own suggestions.
pub(crate) fn fix() -> anyhow::Result<bool> {
    process::run(&mut process::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--fix",
        "--allow-dirty",
        "--allow-staged",
    ]))?;
    process::run(&mut process::cargo(&["fmt", "--all"]))?;
    process::run(&mut process::cargo(&["fmt", "--manifest-path", "interop/rust/Cargo.toml"]))?;
    Ok(true)
}
