//! A node whose disk is nearly full, and nothing else is wrong: the doctor names it before writes are refused.

use crate::{
    doctor::{self, Finding},
    group::Group,
    http::Caller,
    small::Small,
};
use rustix::fs::statvfs;
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::Duration,
};

/// Of which one in twenty is more than the test writes, and more than is kept free.
const MEGABYTES: u32 = 384;
const KEPT_FREE: &str = "reserve_bytes=2 MiB";

/// How many hundredths of a file system are free.
fn free(at: &Path) -> f64 {
    let space = statvfs(at).unwrap();
    100.0 * space.f_bavail as f64 / space.f_blocks as f64
}

/// Takes space until less than this is free, in hundredths.
fn fill(at: &Path, below: f64) -> std::path::PathBuf {
    let ballast = at.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    let block = vec![1; 256 << 10];
    while free(at) >= below {
        file.write_all(&block).unwrap();
    }
    ballast
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_nearly_full_is_named() {
    let mut group = Group::new(3);
    let mut disks = Vec::new();
    // All of them, so that how full the disk of this machine is does not matter.
    for node in &mut group.nodes {
        let folder = node.data.parent().unwrap().join("small");
        let Some(disk) = Small::mount(&folder, MEGABYTES) else {
            return crate::figures::say(
                "SKIPPED: this user may not mount, a disk that is nearly full was not tried",
            );
        };
        node.data = folder.join("data");
        disks.push((disk, folder));
    }
    let (list, secret) = (group.list(), group.secret("of full disks"));
    for index in 0..3 {
        group.start(index, &["--set", &list, "--set", &secret, "--set", KEPT_FREE]);
    }
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(0, 3).await;
    group.publish_soon(1, "before", "1").await;
    let id = group.id(1).await;
    let folder = disks[1].1.clone();
    // Just not full enough.
    let ballast = fill(&folder, 6.5);
    let found = doctor::ask_all(&group, 0).await;
    assert!(found.is_empty(), "{found:#?}");

    fs::remove_file(&ballast).unwrap();
    let ballast = fill(&folder, 4.5);
    for at in [0, 1] {
        let found = doctor::ask_all(&group, at).await;
        let [Finding { check, node, what, advice }] = &found[..] else { panic!("{found:#?}") };
        assert_eq!((check.as_str(), *node), ("disks", Some(id)), "{found:#?}");
        let is_told = ["95", "96", "97"].iter().any(|used| what.contains(&format!("is {used} % full")));
        assert!(is_told && what.contains(" MiB are free"), "{what}");
        assert!(advice.contains("make room"), "{advice}");
    }
    // It is told in time: there is room yet.
    group.publish_soon(1, "meanwhile", "1").await;
    let mut caller = Caller::new(group.nodes[1].http, Duration::from_secs(20));
    let ready = caller.get("/ready?for=write").await.unwrap();
    assert_eq!(ready.status, 200, "{}", ready.text());

    fs::remove_file(&ballast).unwrap();
    let found = doctor::ask_all(&group, 0).await;
    assert!(found.is_empty(), "{found:#?}");
}
