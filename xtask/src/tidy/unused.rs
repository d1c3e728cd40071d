//! Dependencies that a manifest asks for and no source of the crate names.

use super::{Metadata, Package};

/// The unused dependencies of our crates; `texts` are all files, by their path from `root`.
pub(super) fn breaches(metadata: &Metadata, root: &std::path::Path, texts: &[(&str, String)]) -> Vec<String> {
    let of_member = |package: &Package| {
        let folder = package.manifest_path.parent().and_then(|path| path.strip_prefix(root).ok());
        let folder = format!("{}/", folder.unwrap_or(root).display());
        let sources = texts.iter().filter(|(name, _)| name.starts_with(&folder) && name.ends_with(".rs"));
        of_package(
            package,
            |name| metadata.library(name),
            &sources.map(|(_, text)| text.as_str()).collect::<Vec<_>>(),
        )
    };
    metadata.members().flat_map(of_member).collect()
}

fn of_package(package: &Package, library: impl Fn(&str) -> String, sources: &[&str]) -> Vec<String> {
    let names = |ident: &str| sources.iter().any(|text| mentions(text, ident));
    let unused = package.dependencies.iter().filter(|dependency| !names(&library(&dependency.name)));
    unused
        .map(|dependency| format!("{}: does not use its dependency {}", package.name, dependency.name))
        .collect()
}

/// Whether a text holds a word that is not part of a longer one.
fn mentions(text: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_used_when_a_source_names_it() {
        let dependencies =
            serde_json::json!([{"name": "tokio-util", "kind": null}, {"name": "http", "kind": "dev"}]);
        let package = serde_json::json!(
            {"id": "a", "name": "a", "version": "0.0.0", "license": null, "dependencies": dependencies}
        );
        let package: Package = serde_json::from_value(package).unwrap();
        let library = |name: &str| name.replace('-', "_");
        assert_eq!(
            of_package(&package, library, &["use tokio_util::task;", "use http::Uri;"]),
            Vec::<String>::new()
        );
        let unused = of_package(
            &package,
            library,
            &["use tokio_util_more::task;", "use http_body::Body; use axum::http;"],
        );
        assert_eq!(unused, ["a: does not use its dependency tokio-util"]);
    }
}
