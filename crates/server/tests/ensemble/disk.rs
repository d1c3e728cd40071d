//! A node whose disk is full.

use crate::{figures::say, stage::Stage};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::time::sleep;

/// A small file system of our own, unmounted when dropped.
#[derive(Debug)]
pub(crate) struct Small(PathBuf);

impl Small {
    /// Mounts one at this place. None where one may not.
    pub(crate) fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }

    /// Takes all the space there is.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = File::create(&ballast).unwrap();
        let block = vec![1; 64 << 10];
        while file.write_all(&block).is_ok() {}
        while file.write_all(&block[..512]).is_ok() {}
        ballast
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            say(&format!("{} could not be unmounted", self.0.display()));
        }
    }
}

/// Fills the disk of the node that has a small one, for a while. Writes through the others go on, and so does
/// everything that needs no disk, at every node.
pub(crate) async fn full(stage: &mut Stage, time: Duration) -> String {
    let Some((node, small)) = &stage.ensemble.small else {
        return "SKIPPED: this user may not mount".into();
    };
    let node = *node;
    let ballast = small.fill();
    let leads = stage.ensemble.leader().await == node;
    let rest: Vec<_> = (0..stage.ensemble.nodes.len()).filter(|other| *other != node).collect();
    let mut said = String::new();
    if leads {
        sleep(time).await;
    } else {
        let written = stage.write_through(&rest).await;
        stage.within("writes beside a full disk", written, Duration::from_secs(5));
        said = format!("writes beside it after {} ms; ", written.as_millis());
        sleep(time.saturating_sub(written)).await;
    }
    fs::remove_file(ballast).unwrap();
    let written = stage.write_through(&[node]).await;
    stage.within("writes after a full disk", written, Duration::from_secs(10));
    format!(
        "node {node}{}; {said}a write through it {} ms after there was space",
        if leads { ", which led" } else { "" },
        written.as_millis()
    )
}
