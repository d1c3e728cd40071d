//! Known vulnerabilities, from a checkout of the RustSec database: `crates/<name>/RUSTSEC-*.md`, each opening
//! with a TOML block that lists the patched and the unaffected versions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::tidy::Package;

#[derive(Debug, Deserialize)]
struct Entry {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
}

#[derive(Debug, Deserialize)]
struct Advisory {
    id: String,
    /// Set on notices (`unmaintained`, `notice`), which are no vulnerabilities.
    informational: Option<String>,
    withdrawn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

/// Where a database lies, if there is one.
pub(super) fn database() -> Option<PathBuf> {
    let set = std::env::var_os("MUSTER_ADVISORY_DB").map(PathBuf::from);
    let usual = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo").join("advisory-db"));
    set.into_iter().chain(usual).find(|folder| folder.join("crates").is_dir())
}

/// The packages with an advisory that holds for their version.
pub(super) fn breaches(database: &Path, packages: &[&Package]) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for package in packages {
        let Ok(files) = fs::read_dir(database.join("crates").join(&package.name)) else { continue };
        for file in files {
            let path = file.context("list the advisories")?.path();
            let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            let entry = entry(&text).with_context(|| format!("read {}", path.display()))?;
            let version: Version = package.version.parse().context("read a version")?;
            if holds(&entry, &version) {
                found.push(format!("{} {version}: {}", package.name, entry.advisory.id));
            }
        }
    }
    Ok(found)
}

fn entry(text: &str) -> anyhow::Result<Entry> {
    let block = text.split("```").nth(1).context("no TOML block")?;
    toml::from_str(block.trim_start_matches("toml")).context("not the TOML of an advisory")
}

fn holds(entry: &Entry, version: &Version) -> bool {
    let safe = entry.versions.patched.iter().chain(&entry.versions.unaffected);
    let notice = entry.advisory.informational.as_deref().is_some_and(|kind| kind != "unsound");
    entry.advisory.withdrawn.is_none() && !notice && !safe.into_iter().any(|safe| safe.matches(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2024-0001\"\npackage = \"a\"\n\n[versions]\npatched = [\">= 1.2.3\"]\nunaffected = [\"< 1.0.0\"]\n```\n\n# Title\n";

    fn check(text: &str, version: &str) -> bool {
        holds(&entry(text).unwrap(), &version.parse().unwrap())
    }

    #[test]
    fn an_advisory_holds_between_unaffected_and_patched() {
        assert!(check(TEXT, "1.2.2"));
        assert!(!check(TEXT, "1.2.3"));
        assert!(!check(TEXT, "0.9.0"));
    }

    #[test]
    fn notices_and_withdrawn_advisories_do_not_hold() {
        assert!(!check(&TEXT.replace("package", "informational = \"unmaintained\"\npackage"), "1.2.2"));
        assert!(check(&TEXT.replace("package", "informational = \"unsound\"\npackage"), "1.2.2"));
        assert!(!check(&TEXT.replace("package", "withdrawn = \"2024-02-01\"\npackage"), "1.2.2"));
    }
}
