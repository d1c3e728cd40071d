use crate::world::{DISK_BYTES, World};
use muster_consensus::Settings;

#[tokio::test]
async fn a_node_that_starts_is_alive_and_not_ready() {
    let world = World::starting();
    assert_eq!(world.get("/live").await.status, 200);
    for path in ["/ready", "/ready?for=write"] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.json()["ready"].as_bool()), (503, Some(false)), "{path}");
        assert_eq!(answer.json()["reason"], "the log is being replayed");
    }
    assert!(world.get("/").await.text().contains("starting"));
    assert_eq!(world.get("/muster/v1/backup").await.status, 503);
    world.finish_start(Settings::default()).await;
    for path in ["/ready", "/ready?for=write"] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn without_room_on_disk_it_is_ready_but_not_to_write() {
    let world = World::starting();
    world.finish_start(Settings { reserve_bytes: DISK_BYTES, ..Settings::default() }).await;
    let ready = world.get("/ready").await;
    assert_eq!(ready.status, 200);
    assert!(ready.json()["degraded"].as_str().unwrap().contains("disk space"));
    assert_eq!(world.get("/ready?for=write").await.status, 503);
}

#[tokio::test]
async fn a_readiness_nobody_has_is_refused() {
    let world = World::new().await;
    assert_eq!(world.get("/ready?for=lunch").await.status, 400);
}
