//! The connections of clients as administrators see them, and moving them.

use super::server::Server;
use muster_nacos::SessionSettings;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn connections_are_listed_and_counted() {
    let server = Server::start().await;
    let naming = server.naming().await;
    let config = server.config().await;
    for (path, spelling) in
        [("/v2/core/loader/current", "tenant"), ("/v3/admin/core/loader/current", "namespaceId")]
    {
        let answer = server.world.ask("GET", &format!("/nacos{path}")).await.json();
        let listed = if path.starts_with("/v3") { &answer["data"] } else { &answer };
        let listed = listed.as_object().unwrap();
        assert_eq!(listed.len(), 2, "{path}");
        let mut modules: Vec<&str> = Vec::new();
        for (id, connection) in listed {
            let meta = &connection["metaInfo"];
            assert_eq!(
                (&meta["connectionId"], &meta["version"]),
                (&json!(id), &json!("Nacos-Java-Client:v3.0.3"))
            );
            assert_eq!(
                (&meta["clientIp"], &meta["localPort"]),
                (&json!("127.0.0.1"), &json!(server.address.port()))
            );
            assert!(meta[spelling].is_string() && meta["lastActiveTime"].as_u64() > Some(0), "{meta}");
            modules.push(connection["labels"]["module"].as_str().unwrap());
        }
        modules.sort_unstable();
        assert_eq!(modules, ["config", "naming"]);
    }
    let load = server.world.ask("GET", "/nacos/v3/admin/core/loader/cluster").await.json()["data"].clone();
    assert_eq!((&load["total"], &load["detail"][0]["sdkConCount"]), (&json!(2), &json!(2)));
    let load = server.world.ask("GET", "/nacos/v2/core/loader/cluster").await.json();
    assert_eq!((&load["avg"], &load["detail"][0]["metric"]["sdkConCount"]), (&json!(2), &json!("2")));
    drop((naming, config));
}

#[tokio::test]
async fn so_many_clients_stay_and_the_newest_are_asked_to_move() {
    let server = Server::start().await;
    let mut stays = server.naming().await;
    server.world.clock.skip(Duration::from_secs(1));
    let mut moves = server.naming().await;
    let path = "/nacos/v3/admin/core/loader/reloadCurrent?count=1&redirectAddress=10.0.0.9:8848";
    server.world.ask("POST", path).await.is(200, r#"{"code":0,"message":"success","data":null}"#);
    let reset = moves.push("ConnectResetRequest").await;
    assert_eq!((&reset["serverIp"], &reset["serverPort"]), (&json!("10.0.0.9"), &json!("8848")));
    assert!(stays.is_quiet(Duration::from_millis(100)).await);
    // Nobody has to move where all may stay.
    let path = "/nacos/v2/core/loader/reloadCurrent?count=2";
    server.world.ask("GET", path).await.is(200, "success");
    assert!(moves.is_quiet(Duration::from_millis(100)).await);
}

#[tokio::test]
async fn so_many_at_once_are_asked_and_no_more() {
    let scan_every = Duration::from_millis(200);
    let settings = SessionSettings { scan_every, moves_per_scan_max: 1, ..SessionSettings::default() };
    let server = Server::with(settings).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(server.naming().await);
        server.world.clock.skip(Duration::from_secs(1));
    }
    let begun = Instant::now();
    let path = "/nacos/v3/admin/core/loader/reloadCurrent?count=0&redirectAddress=10.0.0.9:8848";
    server.world.ask("POST", path).await.is(200, r#"{"code":0,"message":"success","data":null}"#);
    for client in clients.iter_mut().rev() {
        client.push("ConnectResetRequest").await;
    }
    // The first may be asked at once, and each look comes so long after the one before.
    assert!(begun.elapsed() >= 2 * scan_every, "{:?}", begun.elapsed());
}
