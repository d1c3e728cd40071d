//! What one file may say: its length, its crate doc, no `unwrap`, no host of a package registry, no path of
//! the machine it was written on.

/// The longest file of code.
const LINES_MAX: usize = 600;

/// Endings of files that count as code.
const CODE: &[&str] = &[".rs", ".java", ".go", ".py", ".js"];

/// Hosts of package registries: a build takes what the user's own clients are set up for.
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("maven.", "apache.org"),
    concat!("repo1.", "maven.org"),
    concat!("proxy.", "golang.org"),
    concat!("sum.", "golang.org"),
    concat!("deb.", "debian.org"),
];

/// Folders of a developer's or CI's machine.
const MACHINE_PATHS: &[&str] = &[concat!("/", "work"), concat!("/", "root"), concat!("/", "home")];

/// A folder that lies beside some checkouts and is no part of the project.
const OUTSIDE: &str = concat!("../", "shared");

/// The breaches of one file; `name` is its path from the root.
pub(super) fn breaches(name: &str, content: &str) -> Vec<String> {
    let mut found = Vec::new();
    let length = content.lines().count();
    if CODE.iter().any(|ending| name.ends_with(ending)) && length > LINES_MAX {
        found.push(format!("{name}: {length} lines, at most {LINES_MAX}"));
    }
    if is_crate_root(name) && !content.trim_start().starts_with("//!") {
        found.push(format!("{name}: opens without a crate-level doc"));
    }
    found.extend(lines(name, content, "names a registry's host", |line| names_host(name, line)));
    found.extend(lines(name, content, "holds a path of a machine", has_machine_path));
    found.extend(lines(name, content, "points outside the repository", |line| line.contains(OUTSIDE)));
    if name.ends_with(".rs") && !is_test_file(name) {
        found.extend(lines(name, product_part(content), "unwraps outside tests", unwraps));
    }
    found
}

fn lines(name: &str, content: &str, what: &str, breaks: impl Fn(&str) -> bool) -> Vec<String> {
    let numbered = content.lines().enumerate().filter(|(_, line)| breaks(line));
    numbered.map(|(index, _)| format!("{name}:{}: {what}", index + 1)).collect()
}

fn is_crate_root(name: &str) -> bool {
    name.ends_with("src/lib.rs") || name.ends_with("src/main.rs")
}

fn is_test_file(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs") || name.contains("/benches/")
}

/// A file up to its own test module.
fn product_part(content: &str) -> &str {
    content.split_once("#[cfg(test)]\nmod ").map_or(content, |(product, _)| product)
}

fn unwraps(line: &str) -> bool {
    !line.trim_start().starts_with("//") && line.contains(concat!(".unwrap", "()"))
}

/// Lock files that cargo and go write themselves name their sources; nothing else does.
fn names_host(name: &str, line: &str) -> bool {
    let written_by_cargo = name.ends_with("Cargo.lock") && line.starts_with("source = \"registry+");
    !written_by_cargo && !name.ends_with("go.sum") && HOSTS.iter().any(|host| line.contains(host))
}

fn has_machine_path(line: &str) -> bool {
    MACHINE_PATHS.iter().any(|path| {
        line.match_indices(path).any(|(at, _)| {
            // A path of its own, not a part of a longer one, of a URL or of a longer name.
            let before = line[..at].chars().next_back();
            let after = line[at + path.len()..].chars().next();
            !before.is_some_and(is_path_character)
                && (after == Some('/') || !after.is_some_and(is_path_character))
        })
    })
}

fn is_path_character(character: char) -> bool {
    character.is_alphanumeric() || "._-~/{}".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, content: &str) -> Vec<String> {
        breaches(name, content)
    }

    #[test]
    fn long_code_is_a_breach_and_long_data_is_not() {
        let long = "x\n".repeat(LINES_MAX + 1);
        assert_eq!(check("crates/a/src/b.rs", &long).len(), 1);
        assert_eq!(check("interop/go/main.go", &long).len(), 1);
        assert!(check("conformance/a.json", &long).is_empty());
        assert!(check("crates/a/src/b.rs", &long[2..]).is_empty());
    }

    #[test]
    fn a_crate_opens_with_its_doc() {
        assert_eq!(check("crates/a/src/lib.rs", "mod b;\n").len(), 1);
        assert!(check("crates/a/src/lib.rs", "//! What it is.\nmod b;\n").is_empty());
        assert!(check("crates/a/src/b.rs", "fn f() {}\n").is_empty());
    }

    #[test]
    fn unwrap_is_for_tests() {
        let call = concat!("let a = b.unwrap", "();\n");
        assert_eq!(check("crates/a/src/b.rs", call), ["crates/a/src/b.rs:1: unwraps outside tests"]);
        assert!(check("crates/a/src/b/tests.rs", call).is_empty());
        assert!(check("crates/a/tests/it/main.rs", call).is_empty());
        assert!(check("crates/a/src/b.rs", &format!("#[cfg(test)]\nmod tests {{\n{call}}}\n")).is_empty());
        assert!(check("crates/a/src/b.rs", &format!("/// {call}")).is_empty());
    }

    #[test]
    fn registries_are_named_by_lock_files_only() {
        let line = format!("source = \"registry+https://example/{}-index\"\n", HOSTS[0]);
        assert!(check("Cargo.lock", &line).is_empty());
        assert_eq!(check("README.md", &line).len(), 1);
        let resolved = format!("\"resolved\": \"https://registry.{}/x.tgz\"\n", HOSTS[3]);
        assert_eq!(check("interop/node/package-lock.json", &resolved).len(), 1);
    }

    #[test]
    fn paths_of_a_machine_are_breaches_and_their_lookalikes_are_not() {
        for path in MACHINE_PATHS {
            assert_eq!(check("a.md", &format!("see {path}/main/x")).len(), 1, "{path}");
            assert_eq!(check("a.md", &format!("in `{path}`")).len(), 1, "{path}");
            assert!(
                check("a.md", &format!("{path}ers and crates{path}/x and http://h{path}/x")).is_empty(),
                "{path}"
            );
        }
        assert_eq!(check("a.md", &format!("{OUTSIDE}/design.md")).len(), 1);
    }
}
