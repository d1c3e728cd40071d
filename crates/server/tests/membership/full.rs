//! A member whose disk is full already when it starts.

use crate::{
    group::Group,
    http::{Ask, Caller},
    small::Small,
};
use hyper::Method;
use serde_json::Value;
use std::{fs, time::Duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_starts_on_a_full_disk_and_serves_what_it_has() {
    let mut group = Group::new(3);
    let folder = group.nodes[2].data.parent().unwrap().join("small");
    let Some(small) = Small::mount(&folder, 96) else { return };
    group.nodes[2].data = folder.join("data");
    group.start(0, &["--cluster-init"]);
    group.nodes[0].wait_ready().await;
    group.join(1, 0).await;
    group.join(2, 0).await;
    group.wait_voters(2, 3).await;
    group.publish_soon(2, "before", "1").await;
    for in_order in [false, true] {
        if in_order {
            group.nodes[2].stop().await;
        } else {
            group.nodes[2].kill();
        }
        let ballast = small.fill();
        group.start_again(2);
        group.nodes[2].wait_ready().await;
        let log = group.nodes[2].log();
        assert!(log.contains("the disk is full: what is there is served"), "{log}");
        assert!(log.contains("the new certificate of this node is not kept on it"), "{log}");
        assert_eq!(group.read(2, "before").await.as_deref(), Some("1"));
        let told = group.ask(0, &["doctor", "--json"]).await;
        let found: Value = serde_json::from_str(&told.out).unwrap();
        let is_named = |finding: &Value| finding["check"] == "disks" && finding["node"] == 3;
        assert!(found["findings"].as_array().unwrap().iter().any(is_named), "{found:#}");
        assert_eq!(told.code, Some(1), "{}", told.err);
        // Those with space form a majority.
        group.publish_soon(0, "beside", "1").await;
        let mut caller = Caller::new(group.nodes[2].http, Duration::from_secs(20));
        let path = "/nacos/v3/admin/cs/config?dataId=full&groupName=membership&content=1";
        let answer = caller.call(&Ask::plain(Method::POST, path)).await.unwrap();
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.text().contains("\"code\":"), "{}", answer.text());
        fs::remove_file(ballast).unwrap();
        group.publish_soon(2, "after", if in_order { "2" } else { "1" }).await;
        assert_eq!(group.read(2, "beside").await.as_deref(), Some("1"));
    }
}
