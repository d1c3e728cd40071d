use crate::world::World;
use serde_json::json;

#[tokio::test]
async fn a_node_alone_is_a_cluster_of_one() {
    let world = World::new().await;
    let answer = world.get("/muster/v1/cluster").await;
    assert_eq!(answer.status, 200);
    let status = answer.json();
    assert_eq!((&status["node"], &status["leader"], &status["voters"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!((&status["survivable_losses"], &status["warnings"]), (&json!(0), &json!([])));
    let member = &status["members"][0];
    assert_eq!(
        (&member["role"], &member["state"], &member["lag"]),
        (&json!("leader"), &json!("up"), &json!(0))
    );
    assert!(!world.get("/").await.text().contains("<h2>Nodes"), "one node is no table");
    let metrics = world.get("/metrics").await;
    for line in ["muster_raft_leader 1", "muster_cluster_members_up 1", "muster_stale_milliseconds 0"] {
        assert!(metrics.text().lines().any(|one| one == line), "{line}");
    }
}

#[tokio::test]
async fn a_node_that_starts_knows_no_cluster() {
    let world = World::starting();
    assert_eq!(world.get("/muster/v1/cluster").await.status, 503);
}
