//! The parts of `cargo metadata` that the checks look at, less what is in the lock file but never built.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context;
use serde::Deserialize;

use crate::process;

/// The platform CI and the container image run on.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Every package of the lock file, and which of them are built.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    /// `name vVERSION`; metadata also lists optional packages that no feature switches on.
    #[serde(skip)]
    built: BTreeSet<String>,
}

/// One package.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    /// Its unique id.
    pub(crate) id: String,
    /// Its name, as in its manifest.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Where its manifest lies.
    #[serde(default)]
    pub(crate) manifest_path: PathBuf,
    /// Its licence expression.
    pub(crate) license: Option<String>,
    /// What it builds.
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
    /// What its manifest asks for.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One thing that a package builds.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Target {
    /// Its name; a library's is the one that sources use.
    pub(crate) name: String,
    /// `lib`, `bin`, `proc-macro`, …
    pub(crate) kind: Vec<String>,
}

/// One line of a manifest's dependencies.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// Absent for an ordinary dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// Asks cargo.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let ask = ["metadata", "--format-version", "1", "--filter-platform", PLATFORM];
        let answer = process::quiet(&mut process::cargo(&ask))?;
        let mut metadata: Self =
            serde_json::from_slice(&answer.stdout).context("read the answer of cargo metadata")?;
        let ask =
            ["tree", "--workspace", "--target", PLATFORM, "--edges", "normal,build,dev", "--prefix", "none"];
        let answer = process::quiet(process::cargo(&ask).args(["--format", "{p}"]))?;
        let tree = String::from_utf8(answer.stdout).context("read the answer of cargo tree")?;
        let name = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        metadata.built = tree.lines().map(name).collect();
        Ok(metadata)
    }

    /// What sources call a package: the name of its library.
    pub(crate) fn library(&self, name: &str) -> String {
        let package = self.packages.iter().find(|package| package.name == name);
        let is_library =
            |target: &&Target| target.kind.iter().any(|kind| kind.contains("lib") || kind == "proc-macro");
        let library = package.and_then(|package| package.targets.iter().find(is_library));
        library.map_or(name, |target| target.name.as_str()).replace('-', "_")
    }

    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The packages of others that are built.
    pub(crate) fn foreign(&self) -> Vec<&Package> {
        let built =
            |package: &&Package| self.built.contains(&format!("{} v{}", package.name, package.version));
        let ours = |package: &&Package| self.workspace_members.contains(&package.id);
        self.packages.iter().filter(|package| built(package) && !ours(package)).collect()
    }
}
