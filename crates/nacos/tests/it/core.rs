//! The node, its clients, its log levels.

use crate::world::World;
use muster_nacos::{HttpSettings, LogLevels};
use parking_lot::Mutex;
use serde_json::json;
use std::sync::Arc;

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn every_generation_shows_the_one_node() {
    let world = World::new().await;
    let member = world.ask("GET", "/nacos/v1/core/cluster/self").await.json()["data"].clone();
    assert_eq!((&member["address"], &member["state"]), (&json!("127.0.0.1:8848"), &json!("UP")));
    let group = &member["extendInfo"]["raftMetaData"]["metaDataMap"]["naming_persistent_service_v2"];
    assert!(group["term"].as_u64().unwrap() > 0, "{group}");
    for path in [
        "/v2/core/cluster/node/list?state=up",
        "/v3/admin/core/cluster/node/list?address=127.",
        "/v3/console/core/cluster/nodes?keyword=127",
    ] {
        let nodes = world.ask("GET", &format!("/nacos{path}")).await.json();
        assert_eq!(nodes["data"].as_array().map(Vec::len), Some(1), "{path}");
    }
    for path in ["/v2/core/cluster/node/list?state=down", "/v1/core/cluster/nodes?keyword=zzz"] {
        assert_eq!(world.ask("GET", &format!("/nacos{path}")).await.json()["data"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn clients_learn_the_servers_from_the_server() {
    let world = World::new().await;
    world.ask("GET", "/nacos/serverlist").await.is(200, "127.0.0.1:8848");
    let servers = world.ask("GET", "/nacos/v1/ns/operator/servers?healthy=true").await.json();
    assert_eq!(servers["servers"][0]["address"], "127.0.0.1:8848");
    let loads = world.ask("GET", "/nacos/v3/admin/core/loader/cluster").await.json()["data"].clone();
    assert_eq!((&loads["memberCount"], &loads["completed"]), (&json!(1), &json!(true)));
    assert_eq!(loads["detail"][0]["address"], "127.0.0.1:8848");
}

#[tokio::test]
async fn a_read_that_must_be_the_newest_says_so() {
    let world = World::new().await;
    let path = "/nacos/v1/ns/instance/list?serviceName=a";
    for (value, status) in [("linearizable", 200), ("Linearizable", 200), ("yesterday", 400)] {
        let answer = world.send("GET", path, "", &[("X-Muster-Consistency", value)]).await;
        assert_eq!(answer.status, status, "{value}");
        assert_eq!(answer.header("x-muster-stale-ms"), None, "it has a leader");
    }
}

#[tokio::test]
async fn while_it_starts_the_node_says_so() {
    let world = World::starting(HttpSettings::default(), muster_node::Settings::default());
    assert_eq!(world.ask("GET", "/nacos/v1/core/cluster/health").await.json()["data"], "STARTING");
    assert_eq!(world.ask("GET", "/nacos/v3/admin/core/namespace/list").await.status, 503);
}

#[tokio::test]
async fn what_needs_other_nodes_is_refused_with_the_reason() {
    let world = World::new().await;
    for (method, path, body) in [
        ("PUT", "/v2/core/cluster/node/list", r#"[{"ip":"10.0.0.2","port":8848}]"#),
        ("PUT", "/v3/admin/core/cluster/node/list", r#"[{"ip":"10.0.0.2","port":8848}]"#),
        ("PUT", "/v3/admin/core/cluster/lookup?type=file", ""),
    ] {
        let answer = world.body(method, &format!("/nacos{path}"), body, &[JSON]).await;
        assert_eq!((answer.status, &answer.json()["code"]), (501, &json!(40001)), "{path}");
        assert!(answer.json()["data"].as_str().unwrap().contains("muster cluster"), "{path}");
    }
    let answer = world.body("POST", "/nacos/v1/core/cluster/report", "{}", &[JSON]).await;
    assert_eq!(answer.status, 501);
    let answer = world.body("POST", "/nacos/v3/admin/core/ops/raft", "{", &[JSON]).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(10000)));
    let command = r#"{"command":"removePeer","value":"10.0.0.2:7848"}"#;
    let answer = world.body("POST", "/nacos/v1/core/ops/raft", command, &[JSON]).await.json();
    assert_eq!(
        answer["message"],
        "removePeer: nodes are changed by `muster cluster`, and nobody chooses the leader"
    );
    assert_eq!(world.body("POST", "/nacos/v3/admin/core/ops/raft", command, &[JSON]).await.status, 400);
}

#[tokio::test]
async fn a_snapshot_is_made_on_request() {
    let world = World::new().await;
    world.form("POST", "/nacos/v1/cs/configs", "dataId=a&group=G&content=x").await.is(200, "true");
    let before = world.node.consensus().unwrap().metrics().snapshot;
    let answer = world.body("POST", "/nacos/v2/core/ops/raft", r#"{"command":"doSnapshot"}"#, &[JSON]).await;
    assert_eq!(answer.json()["code"], 200);
    assert!(world.node.consensus().unwrap().metrics().snapshot > before);
}

#[tokio::test]
async fn ids_follow_the_log() {
    let world = World::new().await;
    let last = async || {
        let ids = world.ask("GET", "/nacos/v1/core/ops/idInfo").await.json();
        ids["data"]["config-info-id"]["currentId"].as_u64().unwrap()
    };
    let before = last().await;
    world.form("POST", "/nacos/v1/cs/configs", "dataId=a&group=G&content=x").await.is(200, "true");
    assert!(last().await > before);
}

#[derive(Debug, Default)]
struct Told(Mutex<Vec<(String, &'static str)>>);

impl LogLevels for Told {
    fn set(&self, target: &str, level: &'static str) {
        self.0.lock().push((target.to_owned(), level));
    }
}

#[tokio::test]
async fn log_levels_change_and_what_nobody_knows_is_refused() {
    let told = Arc::new(Told::default());
    let world = World::with(HttpSettings { log_levels: Some(told.clone()), ..HttpSettings::default() }).await;
    world.form("PUT", "/nacos/v1/core/ops/log", "logName=config-dump&logLevel=DEBUG").await.is(200, "200");
    let change = r#"{"logName":"ROOT","logLevel":"warn"}"#;
    assert_eq!(world.body("PUT", "/nacos/v3/admin/core/ops/log", change, &[JSON]).await.status, 200);
    let expected =
        [("muster_config", "debug"), ("muster_watch", "debug"), ("muster_nacos", "debug"), ("", "warn")];
    assert_eq!(*told.0.lock(), expected.map(|(target, level)| (target.to_owned(), level)));
    let answer = world.form("PUT", "/nacos/v1/core/ops/log", "logName=nobody&logLevel=DEBUG").await;
    answer.is(400, "caused: there is no logger nobody;");
    let answer = world.form("PUT", "/nacos/v1/core/ops/log", "logName=ROOT&logLevel=loud").await;
    answer.is(400, "caused: there is no log level loud;");
}

#[tokio::test]
async fn there_are_no_users_and_every_login_is_welcome() {
    let world = World::new().await;
    for path in ["/v1/auth/login", "/v1/auth/users/login", "/v3/auth/user/login"] {
        let login = world.form("POST", &format!("/nacos{path}"), "username=u&password=p").await;
        assert_eq!((login.status, &login.json()["accessToken"]), (200, &json!("AUTH_DISABLED")), "{path}");
    }
    let page = json!({"totalCount": 0, "pageNumber": 1, "pagesAvailable": 0, "pageItems": []});
    let query = "?pageNo=1&pageSize=10&search=accurate";
    assert_eq!(world.ask("GET", &format!("/nacos/v1/auth/roles{query}")).await.json(), page);
    assert_eq!(world.ask("GET", &format!("/nacos/v3/auth/user/list{query}")).await.json()["data"], page);
    let refused = world.form("POST", "/nacos/v1/auth/users", "username=u&password=p").await;
    assert_eq!((refused.status, refused.body.contains("no access control")), (501, true));
    let refused = world.form("POST", "/nacos/v3/auth/user/admin", "password=p").await;
    assert_eq!((refused.status, &refused.json()["code"]), (501, &json!(40001)));
}

#[tokio::test]
async fn what_is_lacking_is_never_a_silent_success() {
    let world = World::new().await;
    for (method, path) in [
        ("GET", "/v3/client/ai/mcp"),
        ("POST", "/v3/admin/ai/mcp"),
        ("GET", "/v3/console/ai/agent/list"),
        ("GET", "/v3/admin/core/plugin/list"),
        ("GET", "/v1/cs/communication/dataChange"),
        ("PUT", "/v1/ns/distro/datum"),
        ("GET", "/v1/ns/raft/leader"),
        ("GET", "/v1/cmdb/ops/label"),
        ("POST", "/v1/as/nodes"),
        ("POST", "/v1/core/cluster/report"),
        ("POST", "/v1/auth/users"),
    ] {
        let answer = world.ask(method, &format!("/nacos{path}")).await;
        assert_eq!(answer.status, 501, "{method} {path}");
        let is_v3 = path.starts_with("/v3");
        let sentence = if is_v3 { answer.json()["data"].as_str().unwrap().to_owned() } else { answer.body };
        assert!(sentence.starts_with("this "), "{path}: {sentence}");
    }
}
