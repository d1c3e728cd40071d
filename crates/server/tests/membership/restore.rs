//! A backup of a cluster, and a cluster of a backup.

use crate::group::{Group, muster};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_cluster_begins_another_one() {
    let group = Group::of(3).await;
    group.publish_soon(1, "saved", "1").await;
    let file = group.path("backup");
    let file = file.display().to_string();
    group.ask(1, &["backup", &file]).await.ok();
    group.publish_soon(1, "later", "1").await;

    let mut other = Group::new(3);
    let data = other.nodes[0].data.display().to_string();
    muster(&["restore", &file, "--data-dir", &data]).await.ok();
    other.start(0, &["--cluster-init"]);
    other.nodes[0].wait_ready().await;
    other.join(1, 0).await;
    other.join(2, 1).await;
    other.wait_voters(2, 3).await;
    assert_eq!(other.read(2, "saved").await.as_deref(), Some("1"));
    assert_eq!(other.read(2, "later").await, None);
    // The ids of the cluster that was saved are not given again.
    let ids: Vec<_> = other.members(2).await.into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == 1 || *id > 3), "{ids:?}");
    other.publish_soon(1, "new", "1").await;
    assert_eq!(group.read(0, "new").await, None, "nothing binds the two");

    // Into a cluster that runs it can't be put: its directories are in use, or hold data.
    let data = group.nodes[1].data.display().to_string();
    muster(&["restore", &file, "--data-dir", &data]).await.refused(4, "in use");
}
