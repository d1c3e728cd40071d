//! `tidy`: the rules of this repository that no compiler knows. A ratchet: it measures every push and is
//! never loosened.

mod edges;
mod metadata;
mod repository;
mod text;
mod unused;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::report::Outcome;
use crate::{process, workspace};

pub(crate) use metadata::{Metadata, Package};

/// Checks all rules and prints each breach; the note counts the files.
pub(crate) fn tidy() -> anyhow::Result<Outcome> {
    let root = workspace::root();
    let files = repository_files(&root)?;
    let metadata = Metadata::read()?;
    let mut breaches = edges::breaches(&metadata);
    breaches.extend(repository::breaches(&root, &files));
    let texts = texts(&root, &files)?;
    let for_tests: HashSet<String> =
        texts.iter().flat_map(|(name, text)| text::test_modules(name, text)).collect();
    breaches.extend(unused::breaches(&metadata, &root, &texts));
    for (name, text) in &texts {
        breaches.extend(text::breaches(name, text));
        if !for_tests.contains(*name) {
            breaches.extend(text::unwraps_in(name, text));
        }
    }
    for breach in &breaches {
        println!("tidy: {breach}");
    }
    Ok(match breaches.len() {
        0 => Outcome::Passed(format!("{} files", files.len())),
        count => Outcome::Failed(format!("{count} breaches")),
    })
}

/// The files that are text, with it.
fn texts<'a>(root: &Path, files: &'a [String]) -> anyhow::Result<Vec<(&'a str, String)>> {
    let mut texts = Vec::with_capacity(files.len());
    for name in files {
        let bytes = fs::read(root.join(name)).with_context(|| format!("read {name}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            texts.push((name.as_str(), text));
        }
    }
    Ok(texts)
}

/// Every file that is in the repository or would be at the next `git add`, by its path from the root.
fn repository_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = process::quiet(process::command("git").args(list))?;
    let text = String::from_utf8(listed.stdout).context("read the list of files as UTF-8")?;
    let names = text.split_terminator('\0').filter(|name| root.join(name).is_file());
    Ok(names.map(str::to_owned).collect())
}
