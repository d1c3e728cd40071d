//! What administrators see of configs, over a kill.

use crate::{lane::Lane, node::Node};

const OF: &str = "dataId=d&group=G&tenant=dev";
/// What must be the same afterwards.
const SEEN: [&str; 6] = [
    "/nacos/v1/cs/history?search=accurate&dataId=d&group=G&tenant=dev",
    "/nacos/v1/cs/configs?search=blur&dataId=*&group=&tenant=dev&pageNo=1&pageSize=9",
    "/nacos/v1/cs/capacity?tenant=dev",
    "/nacos/v1/cs/capacity?group=G",
    "/nacos/v1/cs/configs/catalog?dataId=kept&group=G&tenant=dev",
    "/nacos/v1/cs/history/configs?tenant=dev",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_numbers_and_capacities_outlive_a_kill() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[]).await;
    let mut lane = Lane::open(node.port).await;
    for content in ["one", "two"] {
        lane.ok("POST", &format!("/nacos/v1/cs/configs?{OF}&content={content}&config_tags=t1")).await;
    }
    let shown = lane.ok("GET", &format!("/nacos/v1/cs/configs?{OF}&show=all")).await;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let previous = format!("/nacos/v1/cs/history/previous?{OF}&id={}", shown["id"].as_str().unwrap());
    lane.ok("DELETE", &format!("/nacos/v1/cs/configs?{OF}")).await;
    lane.ok("POST", "/nacos/v1/cs/configs?dataId=kept&group=G&tenant=dev&content=x").await;
    lane.ok("PUT", "/nacos/v3/admin/cs/config/metadata?dataId=kept&groupName=G&namespaceId=dev&desc=about")
        .await;
    lane.ok("POST", "/nacos/v1/cs/capacity?tenant=dev&quota=7").await;
    let mut before = Vec::new();
    for path in SEEN.into_iter().chain([previous.as_str()]) {
        before.push(lane.ok("GET", path).await);
    }
    assert!(before[2].contains(r#""quota":7,"usage":1"#), "{}", before[2]);
    assert!(before[6].contains(r#""content":"two""#), "{}", before[6]);
    node.kill();
    let node = Node::start(&dir, &[]).await;
    let mut lane = Lane::open(node.port).await;
    for (path, before) in SEEN.into_iter().chain([previous.as_str()]).zip(before) {
        assert_eq!(lane.ok("GET", path).await, before, "{path}");
    }
}
