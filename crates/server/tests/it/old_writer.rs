//! What a server wrote that was built before there were format levels (commit 97cc2fd): it began, took twelve configs, made
//! a snapshot of the first eight or so, took one persistent instance and another content of a config, and was killed. Of the
//! log, the zeros at its end are left out here; the state is not here, so that snapshot and log are read.

use crate::{client::Session, node::Node};
use muster_client::Publish;
use std::{
    fs,
    path::{Path, PathBuf},
};

const GROUP: &str = "OLD";
const FILES: [&str; 5] =
    ["FORMAT", "log/00000000000000000010.log", "log/committed", "log/marks", "snapshots/0000000001.snapshot"];

fn copy_to(dir: &Path) {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/97cc2fd");
    for file in FILES {
        let target = dir.join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(fixtures.join(file), target).unwrap();
    }
}

async fn content(session: &Session, data_id: &str) -> String {
    let body = serde_json::json!({ "dataId": data_id, "group": GROUP, "tenant": "" });
    let found: serde_json::Value =
        session.client.request(muster_client::RequestType::ConfigQuery, &body).await.unwrap();
    found["content"].as_str().unwrap().to_owned()
}

async fn check(session: &Session) {
    for number in (1..=12).filter(|number| *number != 2) {
        assert_eq!(content(session, &format!("old-{number}")).await, format!("content-{number}"));
    }
    assert_eq!(content(session, "old-2").await, "changed");
    let info = session.client.query_service("DEFAULT_GROUP", "old", "", false).await.unwrap();
    assert_eq!(info.hosts.iter().map(|host| (&*host.ip, host.port)).collect::<Vec<_>>(), [("10.0.0.1", 80)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_and_snapshot_of_a_server_before_levels_are_read_and_gone_on_with() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    copy_to(&dir);
    for round in 0..2 {
        let node = Node::start(&dir, &[]).await;
        let session = Session::open(&node.address()).await.unwrap();
        check(&session).await;
        let new = Publish { group: GROUP, data_id: "new", content: "1", ..Publish::default() };
        if round == 0 {
            assert!(node.log().contains("rebuilt from a snapshot"), "{}", node.log());
            session.client.publish(new).await.unwrap();
        }
        assert_eq!(content(&session, "new").await, "1");
        node.kill();
    }
}
