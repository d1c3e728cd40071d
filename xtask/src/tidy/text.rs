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
    concat!("repo.maven.", "apache.org"),
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
    found
}

/// Where a file of product code unwraps; clippy says the same of what it compiles.
pub(super) fn unwraps_in(name: &str, content: &str) -> Vec<String> {
    if !name.ends_with(".rs") || is_test_file(name) {
        return Vec::new();
    }
    lines(name, product_part(content), "unwraps outside tests", unwraps)
}

/// The files that a file declares as modules for tests only.
pub(super) fn test_modules(name: &str, content: &str) -> Vec<String> {
    let Some(stem) = name.strip_suffix(".rs") else { return Vec::new() };
    let (folder, file) = stem.rsplit_once('/').unwrap_or(("", stem));
    // `lib.rs`, `main.rs` and `mod.rs` have their modules beside them, another file in a folder of its name.
    let home = if matches!(file, "lib" | "main" | "mod") { folder } else { stem };
    let declared = content.split("#[cfg(test)]\nmod ").skip(1).filter_map(|rest| {
        let (module, _) = rest.split_once([';', ' '])?;
        rest[module.len()..].starts_with(';').then_some(module)
    });
    declared.flat_map(|module| [format!("{home}/{module}.rs"), format!("{home}/{module}/mod.rs")]).collect()
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

/// A file up to its first item for tests only that has a body.
fn product_part(content: &str) -> &str {
    let attribute = "#[cfg(test)]\n";
    let starts_line = |at: usize| at == 0 || content.as_bytes()[at - 1] == b'\n';
    let has_body =
        |at: usize| !content[at + attribute.len()..].lines().next().is_some_and(|line| line.ends_with(';'));
    let cut = content.match_indices(attribute).map(|(at, _)| at).find(|at| starts_line(*at) && has_body(*at));
    &content[..cut.unwrap_or(content.len())]
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
        let check = |name: &str, content: &str| unwraps_in(name, content);
        assert_eq!(check("crates/a/src/b.rs", call), ["crates/a/src/b.rs:1: unwraps outside tests"]);
        assert!(check("crates/a/src/b/tests.rs", call).is_empty());
        assert!(check("crates/a/tests/it/main.rs", call).is_empty());
        assert!(check("crates/a/src/b.rs", &format!("#[cfg(test)]\nmod tests {{\n{call}}}\n")).is_empty());
        assert!(check("crates/a/src/b.rs", &format!("#[cfg(test)]\nimpl A {{\n{call}}}\n")).is_empty());
        assert_eq!(check("crates/a/src/b.rs", &format!("#[cfg(test)]\nmod tests;\n{call}")).len(), 1);
        assert!(check("crates/a/src/b.rs", &format!("/// {call}")).is_empty());
    }

    #[test]
    fn modules_for_tests_are_followed_to_their_files() {
        let content = "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(test_modules("x/src/lib.rs", content), ["x/src/b.rs", "x/src/b/mod.rs"]);
        assert_eq!(test_modules("x/src/y.rs", content), ["x/src/y/b.rs", "x/src/y/b/mod.rs"]);
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
