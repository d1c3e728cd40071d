//! A whole data directory of a server that was built before there were format levels (commit 97cc2fd), its state among it:
//! `fixtures/97cc2fd-whole`, whose README says what was written and how. Today's server goes on with that state, and has
//! the same rows where it has to read them from the old snapshot and log.

use crate::node::{Node, http, muster};
use muster_model::Table;
use muster_storage::state::{SqliteStore, StateStore};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const STATE: [&str; 2] = ["state.db", "state.db-wal"];
/// Rows of these tables are of a node and not of what users stored.
const OF_NODES: [Table; 3] = [Table::Consensus, Table::Meta, Table::Ensemble];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != "README.md" {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a directory has stored, by table and key.
fn rows(dir: &Path) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
    let store = SqliteStore::open(&dir.join("state.db")).unwrap();
    let tables = Table::ALL.into_iter().filter(|table| !OF_NODES.contains(table));
    let of = |table| store.scan(table, &[], 10_000).unwrap().into_iter().map(move |row| (table, row));
    tables.flat_map(of).map(|(table, (key, value))| ((table, key.to_vec()), value.to_vec())).collect()
}

async fn get(node: &Node, path: &str) -> String {
    let (status, body) = http(node.port, "GET", path).await.unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    body
}

async fn json(node: &Node, path: &str) -> Value {
    serde_json::from_str(&get(node, path).await).unwrap()
}

/// What a config's history tells, the newest first.
async fn history(node: &Node, data_id: &str) -> Vec<String> {
    let path =
        format!("/nacos/v1/cs/history?search=accurate&dataId={data_id}&group=OLD&pageNo=1&pageSize=10");
    let page = json(node, &path).await;
    page["pageItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["opType"].as_str().unwrap().trim().to_owned())
        .collect()
}

/// Everything that was written is there.
async fn check(node: &Node) {
    check_configs(node).await;
    check_services(node).await;
}

async fn check_configs(node: &Node) {
    for number in (1..12).filter(|number| *number != 2) {
        let path = format!("/nacos/v1/cs/configs?dataId=old-{number}&group=OLD");
        assert_eq!(get(node, &path).await, format!("content-{number}"));
    }
    assert_eq!(get(node, "/nacos/v1/cs/configs?dataId=old-2&group=OLD").await, "changed");
    let (status, _) = http(node.port, "GET", "/nacos/v1/cs/configs?dataId=old-12&group=OLD").await.unwrap();
    assert_eq!(status, 404);
    assert_eq!(get(node, "/nacos/v1/cs/configs?dataId=spaced&group=OLD&tenant=old-space").await, "elsewhere");
    assert_eq!(get(node, "/nacos/v1/cs/configs?dataId=old-4&group=OLD&tag=blue").await, "for-blue");
    let beta = json(node, "/nacos/v1/cs/configs?beta=true&dataId=old-3&group=OLD").await;
    assert_eq!(
        (&beta["data"]["content"], &beta["data"]["betaIps"]),
        (&"for-some".into(), &"10.9.9.9".into())
    );
    let all = json(node, "/nacos/v1/cs/configs?show=all&dataId=old-5&group=OLD").await;
    assert_eq!(
        (&all["desc"], &all["configTags"], &all["type"]),
        (&"number-5".into(), &"a,b".into(), &"text".into())
    );
    assert_eq!(history(node, "old-2").await, ["U", "I"]);
    assert_eq!(history(node, "old-12").await, ["D", "I"]);
}

async fn check_services(node: &Node) {
    let spaces = get(node, "/nacos/v1/console/namespaces").await;
    assert!(spaces.contains("old-space") && spaces.contains("before"), "{spaces}");
    let service = json(node, "/nacos/v1/ns/service?serviceName=old").await;
    assert_eq!(
        (&service["protectThreshold"], &service["metadata"]["made"]),
        (&0.25.into(), &"before".into())
    );
    let list = json(node, "/nacos/v1/ns/instance/list?serviceName=old").await;
    let hosts = list["hosts"].as_array().unwrap();
    let mut hosts: Vec<_> = hosts.iter().map(|host| (&host["ip"], &host["port"], &host["weight"])).collect();
    hosts.sort_by_key(|(ip, ..)| ip.as_str());
    let (one, two) = ("10.0.0.1".into(), "10.0.0.2".into());
    assert_eq!(hosts, [(&one, &80.into(), &2.5.into()), (&two, &81.into(), &1.0.into())]);
    let laid = json(node, "/nacos/v1/ns/instance?serviceName=old&ip=10.0.0.1&port=80").await;
    assert_eq!(laid["metadata"]["laid"], "over", "{laid}");
}

/// What the doctor looked at of durable state; it found nothing.
async fn examined(node: &Node) -> String {
    let done = muster(&["doctor", "--json", "--server", &node.address()]).await;
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
    let found = answer["findings"].as_array().unwrap();
    assert!(found.iter().all(|finding| finding["check"] == "disks"), "{answer:#}");
    let checked = answer["checked"].as_array().unwrap();
    let state = checked.iter().find(|checked| checked["check"] == "state").unwrap();
    state["what"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_a_server_before_levels_is_gone_on_with() {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/97cc2fd-whole");
    let base = tempfile::tempdir().unwrap();
    let (whole, rebuilt) = (base.path().join("whole"), base.path().join("rebuilt"));
    for dir in [&whole, &rebuilt] {
        copy(&fixtures, dir);
    }
    for file in STATE {
        fs::remove_file(rebuilt.join(file)).unwrap();
    }
    let before = rows(&whole);
    assert_eq!(before.len(), 50, "{:?}", before.keys());
    for (dir, is_rebuilt) in [(&whole, false), (&rebuilt, true)] {
        let node = Node::start(dir, &[]).await;
        assert_eq!(node.log().contains("rebuilt from a snapshot"), is_rebuilt, "{}", node.log());
        check(&node).await;
        // What all nodes compute together takes a newer level.
        assert!(examined(&node).await.starts_with("not compared"));
        node.kill();
        assert!(rows(dir) == before, "{}: other rows", dir.display());
    }

    let node = Node::start(&whole, &[]).await;
    let raised = muster(&["cluster", "upgrade", "--server", &node.address()]).await;
    assert!(raised.status.success(), "{raised:?}");
    check(&node).await;
    let told = examined(&node).await;
    assert!(told.contains(" rows of durable state on 1 nodes"), "{told}");
    let path = "/nacos/v1/cs/configs?dataId=new&group=OLD&content=1";
    assert_eq!(http(node.port, "POST", path).await.unwrap().1, "true");
    node.kill();
    let node = Node::start(&whole, &[]).await;
    check(&node).await;
    assert_eq!(get(&node, "/nacos/v1/cs/configs?dataId=new&group=OLD").await, "1");
}
