//! Licences: every dependency can be used under one that asks for no more than to be named.

use crate::tidy::Package;

/// Licences that may stand in the tree.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The packages without a licence, or with none that is allowed.
pub(super) fn breaches(packages: &[&Package]) -> Vec<String> {
    let offends = |package: &&&Package| !package.license.as_deref().is_some_and(allowed);
    let shown = |package: &&Package| {
        let licence = package.license.as_deref().unwrap_or("none");
        format!("{} {}: licence {licence} is not on the list", package.name, package.version)
    };
    packages.iter().filter(offends).map(shown).collect()
}

/// Whether an expression can be met with allowed licences. `AND` binds closer than `OR`; `/` is an old `OR`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) && rest.is_empty()
}

fn any(rest: &mut &[&str]) -> bool {
    let mut met = all(rest);
    while let Some(("OR", after)) = rest.split_first().map(|(word, after)| (*word, after)) {
        *rest = after;
        met |= all(rest);
    }
    met
}

fn all(rest: &mut &[&str]) -> bool {
    let mut met = one(rest);
    while let Some(("AND", after)) = rest.split_first().map(|(word, after)| (*word, after)) {
        *rest = after;
        met &= one(rest);
    }
    met
}

fn one(rest: &mut &[&str]) -> bool {
    let Some((first, after)) = rest.split_first() else { return false };
    *rest = after;
    if *first == "(" {
        let met = any(rest);
        let closed = rest.first() == Some(&")");
        *rest = rest.get(1..).unwrap_or_default();
        return met && closed;
    }
    let mut name = (*first).to_owned();
    if let ["WITH", exception, after @ ..] = *rest {
        name = format!("{name} WITH {exception}");
        *rest = after;
    }
    ALLOWED.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        for met in [
            "MIT",
            "MIT OR GPL-3.0",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "GPL-2.0 OR Apache-2.0 WITH LLVM-exception",
            "MIT AND BSD-3-Clause OR GPL-3.0",
        ] {
            assert!(allowed(met), "{met}");
        }
        for unmet in
            ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND AGPL-3.0", "(MIT", "MIT WITH X"]
        {
            assert!(!allowed(unmet), "{unmet}");
        }
    }

    #[test]
    fn a_package_without_a_licence_is_a_breach() {
        let (bare, fine) =
            (super::super::package("a", "1.0.0", None), super::super::package("b", "1.0.0", Some("MIT")));
        assert_eq!(breaches(&[&bare, &fine]), ["a 1.0.0: licence none is not on the list"]);
    }
}
