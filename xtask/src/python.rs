//! Python environments under the target folder, one a set of pinned requirements.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use crate::{process, workspace};

/// The interpreter of an environment that holds what the file at `requirements` pins; made anew when it changed. One is
/// made at a time, as suites that start together may want the same.
pub(crate) fn environment(name: &str, requirements: &Path) -> anyhow::Result<PathBuf> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted =
        fs::read_to_string(requirements).with_context(|| format!("read {}", requirements.display()))?;
    let folder = workspace::target().join("python").join(name);
    let (interpreter, stamp) = (folder.join("bin").join("python"), folder.join("requirements.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|held| held == wanted) {
        return Ok(interpreter);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).context("remove an outdated Python environment")?;
    }
    process::quiet(process::command("python3").args(["-m", "venv"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    process::quiet(process::command(&interpreter).args(install).arg(requirements))?;
    fs::write(&stamp, wanted).context("mark the Python environment as complete")?;
    Ok(interpreter)
}
