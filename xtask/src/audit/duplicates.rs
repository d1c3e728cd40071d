//! Versions of one crate that are built twice: each is known, with the reason, or is a breach.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::Package;

/// Crates that stand twice in the tree, and who holds the older one. An entry that is no longer needed is a
/// breach too, so that the list only shrinks by itself.
const KNOWN: &[(&str, &str)] = &[
    ("base64", "tonic 0.14 is on 0.22; pem, which rcgen writes keys with, on 0.23"),
    ("getrandom", "openraft 0.9 is on rand 0.8; proptest and its kin, for tests only, on later ones"),
    ("rand", "openraft 0.9 is on 0.8; proptest, for tests only, on later ones"),
    ("rand_chacha", "follows rand: turmoil, for simulation only, is on 0.9"),
    ("rand_core", "follows rand"),
    ("syn", "derive macros are moving from 2 to 3; it is not linked"),
    ("thiserror", "openraft 0.9 is on 1"),
    ("thiserror-impl", "follows thiserror; it is not linked"),
];

/// Unknown duplicates, and known ones that are gone.
pub(super) fn breaches(packages: &[&Package]) -> Vec<String> {
    check(&duplicates(packages), KNOWN)
}

fn check(found: &BTreeMap<String, BTreeSet<String>>, known: &[(&str, &str)]) -> Vec<String> {
    let unknown = found.iter().filter(|(name, _)| !known.iter().any(|(listed, _)| listed == name));
    let gone = known.iter().filter(|(name, _)| !found.contains_key(*name));
    let unknown = unknown.map(|(name, lines)| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        format!("{name} is built in incompatible versions: {}", lines.join(", "))
    });
    unknown
        .chain(gone.map(|(name, _)| format!("{name} is no longer built twice: take it off the list")))
        .collect()
}

/// Name → its incompatible release lines, where there are several.
fn duplicates(packages: &[&Package]) -> BTreeMap<String, BTreeSet<String>> {
    let mut lines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        lines.entry(package.name.clone()).or_default().insert(release_line(&package.version));
    }
    lines.retain(|_, lines| lines.len() > 1);
    lines
}

/// What cargo takes as compatible: the version up to its first part that is not zero.
fn release_line(version: &str) -> String {
    let parts: Vec<&str> = version.split(['.', '-', '+']).take(3).collect();
    let significant = parts.iter().position(|part| *part != "0").unwrap_or(parts.len().saturating_sub(1));
    parts[..=significant].join(".")
}

#[cfg(test)]
mod tests {
    use super::super::package;
    use super::*;

    #[test]
    fn compatible_versions_are_one_line() {
        for (version, line) in [("1.2.3", "1"), ("0.7.4", "0.7"), ("0.0.3", "0.0.3"), ("2.0.0-rc.1", "2")] {
            assert_eq!(release_line(version), line);
        }
    }

    #[test]
    fn an_unknown_duplicate_and_a_stale_entry_are_breaches() {
        let packages =
            [package("a", "1.0.0", None), package("a", "2.1.0", None), package("b", "0.3.1", None)];
        let found = duplicates(&packages.iter().collect::<Vec<_>>());
        assert_eq!(check(&found, &[]), ["a is built in incompatible versions: 1, 2"]);
        assert_eq!(check(&found, &[("a", "x holds it")]), Vec::<String>::new());
        assert_eq!(check(&BTreeMap::new(), &[("a", "x holds it")]).len(), 1);
    }
}
