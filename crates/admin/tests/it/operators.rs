use crate::world::World;
use muster_storage::snapshot::verify_stream;

#[tokio::test]
async fn what_operators_ask_is_answered_to_this_machine_only() {
    let world = World::new().await;
    for path in ["/muster/v1/history", "/muster/v1/backup", "/muster/v1/brakes"] {
        assert_eq!(world.get_from([10, 0, 0, 1], path).await.status, 403, "{path}");
        assert_eq!(world.get_from([127, 0, 0, 1], path).await.status, 200, "{path}");
    }
    for path in ["/live", "/ready", "/metrics", "/"] {
        assert_eq!(world.get_from([10, 0, 0, 1], path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_backup_is_a_stream_that_verifies() {
    let world = World::new().await;
    let answer = world.get("/muster/v1/backup").await;
    verify_stream(&mut answer.body.as_slice()).unwrap();
    assert!(verify_stream(&mut &answer.body[..answer.body.len() - 1]).is_err(), "a cut is noticed");
}

#[tokio::test]
async fn history_says_who_and_why_under_any_spelling_of_the_namespace() {
    let world = World::new().await;
    world.register("public", "orders").await;
    world.register("dev-1", "orders").await;
    for namespace in ["public", ""] {
        let path = format!("/muster/v1/history?namespace={namespace}&service=orders&instance=");
        let answer = world.get(&path).await.json();
        let changes = answer["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 1, "{answer}");
        assert_eq!(changes[0]["instance"], "10.0.0.7:8080@DEFAULT");
        assert_eq!((&changes[0]["why"], &changes[0]["connection"]), (&"registered".into(), &7.into()));
    }
    assert_eq!(world.get("/muster/v1/history").await.json()["changes"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("/muster/v1/history?limit=1").await.json()["changes"].as_array().unwrap().len(), 1);
    assert_eq!(world.get("/muster/v1/history?limit=x").await.status, 400);
}

#[tokio::test]
async fn brakes_are_shown_where_there_are_leases_and_released_by_name() {
    let world = World::new().await;
    let release = "/muster/v1/brakes/release?namespace=&kind=";
    assert_eq!(world.get("/muster/v1/brakes").await.json()["brakes"].as_array().unwrap().len(), 0);
    world.beat("public", "orders").await;
    let answer = world.get("/muster/v1/brakes").await.json();
    let brake = &answer["brakes"][0];
    assert_eq!((&brake["namespace"], &brake["kind"]), (&"public".into(), &"beat".into()));
    assert_eq!((&brake["engaged"], &brake["leases"]), (&false.into(), &1.into()), "{answer}");
    assert_eq!(brake["renewals_expected"], 12);
    let local = [127, 0, 0, 1];
    let answer = world.send(local, "POST", &format!("{release}beat")).await;
    assert_eq!((answer.status, answer.json()["released"].as_bool()), (200, Some(false)));
    assert_eq!(world.send(local, "POST", &format!("{release}grpc")).await.status, 400);
    assert_eq!(world.send([10, 0, 0, 1], "POST", &format!("{release}beat")).await.status, 403);
    assert!(world.get("/metrics").await.text().contains("muster_expiry_brakes_engaged 0"));
    let page = world.get("/").await;
    assert!(page.text().contains("<td>beat</td><td class=\"n\">1</td>"), "{}", page.text());
}
