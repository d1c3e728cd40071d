//! A node whose disk is full.

use crate::stage::Stage;
use std::{fs, time::Duration};
use tokio::time::sleep;

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
