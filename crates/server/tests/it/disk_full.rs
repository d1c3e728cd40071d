//! A full disk: writers get an error in time, everything else goes on, and writes resume when there is space again,
//! in the same process.

use crate::{
    client::Session,
    figures::say,
    node::{Node, http},
    sequence::Sequence,
};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// A small file system of our own, unmounted when dropped.
pub(crate) struct Small {
    pub(crate) path: PathBuf,
    base: tempfile::TempDir,
}

impl Small {
    /// `None` where one may not mount.
    pub(crate) fn mount(megabytes: u32) -> Option<Self> {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("small");
        fs::create_dir(&path).unwrap();
        let options = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { path, base });
        }
        say("SKIPPED: this user may not mount, a really full file system was not tried");
        None
    }

    /// A place beside it, where there is space.
    pub(crate) fn beside(&self) -> &Path {
        self.base.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.path).status().unwrap();
        assert!(unmounted.success() || std::thread::panicking());
    }
}

/// Takes all the space there is.
pub(crate) fn fill(path: &Path) -> PathBuf {
    let ballast = path.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    let block = vec![1; 64 << 10];
    while file.write_all(&block).is_ok() {}
    // The last bytes, too.
    while file.write_all(&block[..512]).is_ok() {}
    ballast
}

/// What must go on while durable writes are refused.
pub(crate) async fn check_the_rest(session: &Session, writes: &Sequence, port: u16) {
    assert_eq!(writes.missing(session).await, [0; 0], "reads go on");
    session.register("while-full", 7_001).await.unwrap();
    let seen = session.instances("while-full").await.unwrap();
    assert_eq!(seen.len(), 1, "ephemeral registrations go on: {seen:?}");
    session.deregister("while-full", 7_001).await.unwrap();
    assert!(matches!(http(port, "GET", "/ready").await, Ok((200, _))), "readers are still sent here");
    let (status, why) = http(port, "GET", "/ready?for=write").await.unwrap();
    assert_eq!(status, 503, "{why}");
}

/// Writes until a write passes.
pub(crate) async fn resumes(session: &Session, writes: &mut Sequence) {
    let begun = Instant::now();
    while let Err(error) = writes.write(session).await {
        assert!(begun.elapsed() < Duration::from_secs(10), "writes do not resume: {error}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The space is gone before a write is accepted: it is refused at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_the_reserve_writes_are_refused_at_once() {
    let Some(small) = Small::mount(96) else { return };
    let dir = small.path.join("data");
    let node = Node::start(&dir, &["reserve_bytes=16 MiB", "write_timeout=2s"]).await;
    let session = Session::open(&node.address()).await.unwrap();
    let mut writes = Sequence::without_locks("reserve", 1_000);
    writes.write_many(&session, 40).await;
    let ballast = fill(&small.path);
    // The free space is looked at every 100 ms.
    sleep(Duration::from_millis(150)).await;
    let asked = Instant::now();
    let error = writes.write(&session).await.unwrap_err();
    say(&format!("disk full, below the reserve: {error}"));
    assert!(asked.elapsed() < Duration::from_secs(1), "refused, not timed out");
    check_the_rest(&session, &writes, node.port).await;
    fs::remove_file(ballast).unwrap();
    resumes(&session, &mut writes).await;
    writes.write_many(&session, 40).await;
    node.kill();
    let node = Node::start(&dir, &["reserve_bytes=16 MiB"]).await;
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(writes.missing(&session).await, [0; 0]);
}

/// The space is gone between the check and the write: no reserve helps, the disk itself says no.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_under_a_write_is_waited_for() {
    let Some(small) = Small::mount(48) else { return };
    let dir = small.path.join("data");
    let settings = ["reserve_bytes=16 MiB", "write_timeout=1s"];
    let mut node = Node::start(&dir, &settings).await;
    let session = Session::open(&node.address()).await.unwrap();
    let mut writes = Sequence::without_locks("full", 4_000);
    let mut waited = 0;
    for _ in 0..20 {
        writes.write_many(&session, 20).await;
        // Beside the writes, so that one of them falls between two looks at the free space.
        let path = small.path.clone();
        let filling = tokio::task::spawn_blocking(move || fill(&path));
        let begun = Instant::now();
        let (error, took) = loop {
            let asked = Instant::now();
            if let Err(error) = writes.write(&session).await {
                break (error, asked.elapsed());
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "writes pass on a full disk");
        };
        let ballast = filling.await.unwrap();
        assert!(took < Duration::from_secs(3), "an answer within the time-out, not after {took:?}");
        waited += u64::from(error.to_string().contains("no result in time"));
        check_the_rest(&session, &writes, node.port).await;
        fs::remove_file(ballast).unwrap();
        resumes(&session, &mut writes).await;
        assert!(node.is_running());
        if waited == 2 {
            break;
        }
    }
    assert!(waited > 0, "no write was under way when the disk filled up");
    say(&format!(
        "disk full: {waited} accepted writes waited for space, the others were refused; all resumed"
    ));
    writes.write_many(&session, 20).await;
    node.kill();
    let node = Node::start(&dir, &settings).await;
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(writes.missing(&session).await, [0; 0]);
}

/// The same without any right to mount: the reserve is more than what is free, until it is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_resume_when_the_reserve_is_free_again() {
    const BALLAST: u64 = 64 << 20;
    let Ok(base) = tempfile::tempdir_in("/dev/shm") else {
        say("SKIPPED: there is no /dev/shm, the reserve was not tried without mounting");
        return;
    };
    let free = || {
        let space = rustix::fs::statvfs(base.path()).unwrap();
        space.f_bavail * space.f_frsize
    };
    if free() < 4 * BALLAST {
        say("SKIPPED: /dev/shm is too small, the reserve was not tried without mounting");
        return;
    }
    let ballast = base.path().join("ballast");
    fs::write(&ballast, vec![1; BALLAST as usize]).unwrap();
    let reserve = format!("reserve_bytes={}", free() + BALLAST / 2);
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[&reserve]).await;
    let session = Session::open(&node.address()).await.unwrap();
    let mut writes = Sequence::without_locks("reserve", 100);
    writes.write(&session).await.unwrap_err();
    check_the_rest(&session, &writes, node.port).await;
    fs::remove_file(ballast).unwrap();
    resumes(&session, &mut writes).await;
    writes.write_many(&session, 20).await;
    assert_eq!(writes.missing(&session).await, [0; 0]);
}
