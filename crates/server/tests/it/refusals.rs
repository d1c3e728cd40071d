//! Starts that are refused: the exit code says why, and the message what to do.

use crate::{
    figures::say,
    node::{Node, Refusal, Started, complaint, muster},
};
use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

async fn refused(dir: &Path) -> Refusal {
    match Node::try_start(dir, &[]).await {
        Started::Ready(_) => panic!("a start in {} must be refused", dir.display()),
        Started::Refused(refusal) => refusal,
    }
}

#[track_caller]
fn check(refusal: &Refusal, code: i32, words: &[&str]) {
    assert_eq!(refusal.code, Some(code), "{}", refusal.text);
    for word in words {
        assert!(refusal.message().contains(word), "{word:?} is missing in {:?}", refusal.text);
    }
}

#[tokio::test]
async fn a_second_process_on_one_directory() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let first = Node::start(&dir, &[]).await;
    let holder = format!("process {}", first.id());
    // The second one must not write into the log file of the first one.
    let link = base.path().join("the-same");
    std::os::unix::fs::symlink(&dir, &link).unwrap();
    check(&refused(&link).await, 4, &["in use", &holder, "--data-dir"]);
    first.kill();
    Node::start(&dir, &[]).await.stop().await;
}

#[tokio::test]
async fn a_directory_that_is_missing_or_foreign() {
    let base = tempfile::tempdir().unwrap();
    let missing = base.path().join("no").join("data");
    fs::create_dir(base.path().join("logs")).unwrap();
    let link = base.path().join("data");
    std::os::unix::fs::symlink(&missing, &link).unwrap();
    let output = muster(&[
        "serve".as_ref(),
        "--listen".as_ref(),
        "127.0.0.1:9".as_ref(),
        "--data-dir".as_ref(),
        missing.as_os_str(),
    ])
    .await;
    check(&of(&output), 4, &["does not exist", "--data-dir"]);
    assert!(!base.path().join("no").exists(), "nothing is created above the directory");

    let foreign = base.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "dear").unwrap();
    check(&refused(&foreign).await, 4, &["not a muster data directory", "letter.txt", "--data-dir"]);

    let file = base.path().join("file");
    fs::write(&file, "").unwrap();
    check(&refused(&file).await, 4, &["file"]);
}

#[tokio::test]
async fn a_directory_that_is_read_only() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    Node::start(&dir, &[]).await.stop().await;
    let bind = |args: &[&str]| {
        Command::new("mount").args(args).arg(&dir).output().is_ok_and(|output| output.status.success())
    };
    // The superuser is stopped by a read-only mount only, everybody else by the mode.
    if rustix::process::geteuid().is_root() {
        let path = dir.to_str().unwrap();
        if !(bind(&["--bind", path]) && bind(&["-o", "remount,bind,ro"])) {
            say("SKIPPED: this superuser may not mount, a read-only directory was not tried");
            return;
        }
        let refusal = refused(&dir).await;
        assert!(Command::new("umount").arg(&dir).status().unwrap().success());
        check(&refusal, 4, &["can't be written", "--data-dir"]);
    } else {
        let mode = |mode| {
            fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            fs::set_permissions(dir.join("LOCK"), std::os::unix::fs::PermissionsExt::from_mode(mode))
                .unwrap();
        };
        mode(0o500);
        let refusal = refused(&dir).await;
        mode(0o700);
        check(&refusal, 4, &["can't be written", "--data-dir"]);
    }
    Node::start(&dir, &[]).await.stop().await;
}

#[tokio::test]
async fn a_directory_of_a_newer_version() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    Node::start(&dir, &[]).await.stop().await;
    let format = dir.join("FORMAT");
    let line = fs::read_to_string(&format).unwrap();
    fs::write(&format, "muster data directory, format 2\n").unwrap();
    check(&refused(&dir).await, 4, &["format version 2", "does not know", "newer muster"]);
    fs::write(&format, "something else\n").unwrap();
    check(&refused(&dir).await, 4, &["FORMAT is damaged", "should read"]);
    fs::write(&format, line).unwrap();
    Node::start(&dir, &[]).await.stop().await;
}

#[tokio::test]
async fn a_port_in_use() {
    let base = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let holder = loop {
        // Its port + 1000 must exist.
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        if holder.local_addr().unwrap().port() < 64_000 {
            break holder;
        }
    };
    assert_ne!(taken.port(), 0);
    let address = holder.local_addr().unwrap().to_string();
    let dir = base.path().join("data");
    let output = muster(&[
        "serve".as_ref(),
        "--listen".as_ref(),
        address.as_ref(),
        "--data-dir".as_ref(),
        dir.as_os_str(),
    ])
    .await;
    check(&of(&output), 5, &[&address]);
}

#[tokio::test]
async fn settings_that_make_no_sense() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let output = muster(&[
        "serve".as_ref(),
        "--set".as_ref(),
        "reserve_byte=1".as_ref(),
        "--set".as_ref(),
        "write_timeout=soon".as_ref(),
        "--data-dir".as_ref(),
        dir.as_os_str(),
    ])
    .await;
    check(&of(&output), 2, &["2 problems"]);
    let text = complaint(&output);
    assert!(text.contains("did you mean \"reserve_bytes\"?") && text.contains("write_timeout"), "{text}");
    assert!(!dir.exists());
}

fn of(output: &Output) -> Refusal {
    Refusal { code: output.status.code(), text: complaint(output) }
}
