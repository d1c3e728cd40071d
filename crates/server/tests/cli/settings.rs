//! `muster settings`, and what refuses a start.

use crate::process::{command, run, stderr, stdout};
use std::{fs, process::Stdio};

#[test]
fn every_setting_says_where_it_came_from_in_a_hundred_columns() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("muster.toml"), "history_days = 7\ndrain = \"3s\"\n").unwrap();
    let mut settings = command(dir.path(), &["settings", "--set", "drain=4s"]);
    settings.env("MUSTER_WRITE_TIMEOUT", "9s").env("MUSTER_CONTENT_CACHE_BYTES_MAX", "1 GiB");
    let table = stdout(&settings.output().unwrap());
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(table.starts_with("SETTING"), "{table}");
    let json = stdout(&settings.arg("--json").output().unwrap());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (key, value, source) in [
        ("history_days", serde_json::json!(7), "muster.toml"),
        ("drain", "4s".into(), "--set"),
        ("write_timeout", "9s".into(), "MUSTER_WRITE_TIMEOUT"),
        ("open_client_api", false.into(), "default"),
    ] {
        assert_eq!((&json[key]["value"], &json[key]["source"]), (&value, &source.into()), "{key}");
    }
}

#[test]
fn all_problems_of_all_sources_are_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("muster.toml"), "lisen = \"x\"\n").unwrap();
    let mut serve =
        command(dir.path(), &["--set", "drain", "--set", "history_days=0", "--listen", "0.0.0.0:1"]);
    let output = serve.env("MUSTER_LOG_LEVL", "info").env("NACOS_AUTH_ENABLE", "true").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    for part in [
        "6 problems",
        "muster.toml: there is no setting \"lisen\"; did you mean \"listen\"?",
        "MUSTER_LOG_LEVL: there is no setting \"log_levl\"; did you mean \"log_level\"?",
        "--set drain: expected KEY=VALUE",
        "--set: history_days: expected a whole number from 1",
        "NACOS_AUTH_ENABLE: this version has no access control",
        "--open-client-api",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert!(!dir.path().join("muster-data").exists());
}

#[test]
fn version_names_commit_and_format_in_both_spellings() {
    let dir = tempfile::tempdir().unwrap();
    let version = stdout(&run(dir.path(), &["--version"]));
    assert!(
        version.starts_with("muster ") && version.contains("commit") && version.contains("stored format")
    );
    assert_eq!(stdout(&run(dir.path(), &["-V"])), version);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings =
        command(dir.path(), &["settings"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(settings.stdout.take());
    let output = settings.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn an_environment_that_is_no_text_is_only_refused_under_our_name() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"\xff");
    assert!(command(dir.path(), &["settings"]).env("OTHER", odd).output().unwrap().status.success());
    let output = command(dir.path(), &["settings"]).env("MUSTER_DATA_DIR", odd).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("MUSTER_DATA_DIR"), "{}", stderr(&output));
}
