//! Puts the commit into the binary: `MUSTER_BUILD_COMMIT` says it where the sources are no git checkout.

use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "a build script has no other way to be told")]
fn main() {
    println!("cargo:rerun-if-changed=../../.git/HEAD");
    println!("cargo:rerun-if-changed=../../.git/refs/heads");
    println!("cargo:rerun-if-env-changed=MUSTER_BUILD_COMMIT");
    let given = std::env::var("MUSTER_BUILD_COMMIT").ok().filter(|commit| !commit.is_empty());
    println!("cargo:rustc-env=MUSTER_BUILD_COMMIT={}", given.unwrap_or_else(of_checkout));
}

fn of_checkout() -> String {
    Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
