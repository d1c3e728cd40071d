//! The programs of `interop/jvm`: one build, a class path a module.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context, anyhow};

use super::client::Launch;
use super::suites;
use crate::{process, workspace};

/// A program of a module, by its main class.
pub(super) fn program(module: &str, class: &str) -> anyhow::Result<Launch> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    // One build for all suites, whoever needs it first.
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.clone().map_err(|why| anyhow!(why))?;
    let output = output();
    let libraries = output.join(module).join("classpath");
    let libraries =
        fs::read_to_string(&libraries).with_context(|| format!("read {}", libraries.display()))?;
    let own = [module, "harness"].map(|module| output.join(module).join("classes").display().to_string());
    let path = format!("{}:{}", own.join(":"), libraries.trim());
    Ok(suites::java_program("-Xmx160m", &path, &[], &format!("muster.interop.{class}")))
}

fn output() -> PathBuf {
    workspace::target().join("interop-jvm")
}

fn build() -> anyhow::Result<()> {
    let mut maven = process::command("mvn");
    maven.args(["--quiet", "--batch-mode", "process-classes", "--file"]);
    maven.arg(suites::sources("jvm").join("pom.xml")).arg(format!("-Dout={}", output().display()));
    suites::with_maven(|| process::quiet(&mut maven)).map(drop)
}
