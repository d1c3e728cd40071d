//! The recordings: which there are, and what kind of server each wants.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

/// The server a recording is replayed against; each is a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// Default settings; it may hold what other recordings registered.
    Defaults,
    /// Default settings and nothing registered yet.
    Fresh,
    /// v1 and v2 of the Nacos API answered 410, as 3.x can.
    Gated,
    /// Leases end whatever share of them is lost.
    NoSelfPreservation,
}

/// Recordings of what the real servers do with other than their default settings; and one that needs a server to itself,
/// as it waits for the end of a lease, which the brake on mass expiry holds off while others leave theirs to end.
const SPECIAL: &[(&str, Wants)] = &[
    ("nacos-http/v3-compat-gated", Wants::Gated),
    ("eureka/expiry", Wants::NoSelfPreservation),
    ("nacos-http/v1-ns-beat-timeout-default", Wants::Fresh),
];

/// One recorded scenario over HTTP.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) path: PathBuf,
    /// Its folder, and for Nacos the version of the API: recordings are counted by it.
    pub(super) group: String,
    pub(super) wants: Wants,
}

/// The part of a recording that says what server it needs.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    fresh_server: bool,
}

/// All recordings over HTTP below a folder, in order of their names.
pub(super) fn over_http(conformance: &Path) -> anyhow::Result<Vec<Recording>> {
    let mut found = Vec::new();
    for folder in ["eureka", "nacos-http"] {
        let entries = fs::read_dir(conformance.join(folder)).with_context(|| format!("list {folder}"))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        paths.sort();
        if paths.is_empty() {
            bail!("no recordings in {folder}");
        }
        for path in paths {
            found.push(read(folder, path)?);
        }
    }
    Ok(found)
}

fn read(folder: &str, path: PathBuf) -> anyhow::Result<Recording> {
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let head: Head =
        serde_json::from_str(&text).with_context(|| format!("read the head of {}", path.display()))?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let whole = format!("{folder}/{name}");
    let special = SPECIAL.iter().find(|(special, _)| *special == whole).map(|(_, wants)| *wants);
    let plain = if head.fresh_server { Wants::Fresh } else { Wants::Defaults };
    let version = name.split('-').next().filter(|_| folder == "nacos-http");
    let group = version.map_or_else(|| folder.to_owned(), |version| format!("{folder} {version}"));
    Ok(Recording { path, group, wants: special.unwrap_or(plain) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn each_special_recording_is_there_and_nothing_else_is_special() {
        let all = over_http(&workspace::root().join("conformance")).unwrap();
        let count = |wants| all.iter().filter(|recording| recording.wants == wants).count();
        assert_eq!((count(Wants::Gated), count(Wants::NoSelfPreservation)), (1, 1));
        assert!(count(Wants::Fresh) >= 3, "delta, full fetch and self-preservation start from nothing");
        assert!(all.iter().any(|recording| recording.group == "nacos-http v2"));
    }
}
