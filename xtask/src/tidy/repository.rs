//! Which documents the repository holds, how long the architecture may be, and that the README lists each metric.

use std::fs;
use std::path::Path;

/// Files that a newcomer, a contributor, a user and a lawyer look for.
const DOCUMENTS: &[&str] =
    &["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Cargo.lock"];

/// Where the names of metrics stand.
const METRICS: &str = "crates/admin/src/metrics.rs";

/// The longest architecture that is still read.
const ARCHITECTURE_LINES_MAX: usize = 300;

/// What the repository lacks or has too much of.
pub(super) fn breaches(root: &Path, files: &[String]) -> Vec<String> {
    let mut found = missing(files);
    let length = fs::read_to_string(root.join("ARCHITECTURE.md")).map_or(0, |text| text.lines().count());
    if length > ARCHITECTURE_LINES_MAX {
        found.push(format!("ARCHITECTURE.md: {length} lines, at most {ARCHITECTURE_LINES_MAX}"));
    }
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_default();
    found.extend(unlisted(&read(METRICS), &read("README.md")));
    found
}

/// The metrics that a source names and a document does not.
fn unlisted(source: &str, document: &str) -> Vec<String> {
    let words = source.split('"').filter(|word| word.starts_with("muster_"));
    let unknown = words.filter(|word| !document.contains(*word));
    unknown.map(|word| format!("README.md: the metric {word} is not listed")).collect()
}

fn missing(files: &[String]) -> Vec<String> {
    let absent = DOCUMENTS.iter().filter(|document| !files.iter().any(|file| file == *document));
    absent.map(|document| format!("{document}: missing")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_document_is_asked_for_at_the_root() {
        let all: Vec<String> = DOCUMENTS.iter().map(|name| (*name).to_owned()).collect();
        assert!(missing(&all).is_empty());
        assert_eq!(missing(&all[1..]), ["README.md: missing"]);
        assert_eq!(missing(&["docs/README.md".to_owned()]).len(), DOCUMENTS.len());
    }

    #[test]
    fn a_metric_that_no_reader_hears_of_is_a_breach() {
        let source = "(\"muster_one\", \"about one\"), (\"muster_two\", \"about two\")";
        assert_eq!(
            unlisted(source, "`muster_one_total`"),
            ["README.md: the metric muster_two is not listed"]
        );
    }

    #[test]
    fn a_long_architecture_is_a_breach() {
        let root = std::env::temp_dir().join(format!("tidy-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let all: Vec<String> = DOCUMENTS.iter().map(|name| (*name).to_owned()).collect();
        for (lines, expected) in [(ARCHITECTURE_LINES_MAX, 0), (ARCHITECTURE_LINES_MAX + 1, 1)] {
            fs::write(root.join("ARCHITECTURE.md"), "line\n".repeat(lines)).unwrap();
            assert_eq!(breaches(&root, &all).len(), expected);
        }
        fs::remove_dir_all(&root).unwrap();
    }
}
