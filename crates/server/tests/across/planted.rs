//! Faults that are planted in a node while it does not run, and that the doctor must name.

use crate::{
    doctor,
    group::Group,
    office::{Office, with},
    process::muster,
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use muster_model::{Row, Table};
use muster_storage::state::{SqliteStore, StateStore};
use rcgen::KeyPair;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

/// Flips a bit in the stored content of a config, as no write does: the store itself finds nothing wrong with it.
fn flip_config(data: &Path, data_id: &str) {
    let store = SqliteStore::open(&data.join("state.db")).unwrap();
    let rows = store.scan(Table::ConfigContent, &[], 1_000).unwrap();
    let (key, value) = rows.iter().find(|(key, _)| key.ends_with(data_id.as_bytes())).unwrap();
    let mut flipped = value.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let row = Row { table: Table::ConfigContent, key: key.clone(), value: Some(flipped.into()) };
    let applied = store.applied().unwrap().unwrap();
    store.commit(&[row], &applied).unwrap();
}

/// The program as another version of it; gives what it calls itself.
fn other_version(at: &Path) -> String {
    let says = Command::new(muster()).arg("--version").output().unwrap().stdout;
    let own = String::from_utf8(says).unwrap().trim().replacen("muster ", "", 1);
    let commit = own.split_once("(commit ").unwrap().1.split_once(',').unwrap().0;
    let other = own.replace(commit, &"f".repeat(commit.len()));
    let mut program = fs::read(muster()).unwrap();
    let places: Vec<usize> = program
        .windows(own.len())
        .enumerate()
        .filter_map(|(place, found)| (found == own.as_bytes()).then_some(place))
        .collect();
    assert!(!places.is_empty(), "{own} stands nowhere in the program");
    for place in places {
        program[place..place + own.len()].copy_from_slice(other.as_bytes());
    }
    fs::write(at, program).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    other
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planted_faults_are_named() {
    let office = Office::open();
    let mut group = Group::new(3);
    let list = group.list();
    let keys: Vec<_> = (0..3).map(|_| KeyPair::generate().unwrap()).collect();
    for (index, key) in keys.iter().enumerate() {
        let files = office.sign(&group, &format!("n{index}"), key, &office.certificate, None);
        group.start(index, &with(&list, &files));
    }
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(0, 3).await;
    for data_id in ["one", "two", "three"] {
        group.publish_soon(0, data_id, "content").await;
        assert_eq!(group.read(2, data_id).await.as_deref(), Some("content"));
    }
    let id = group.id(2).await;
    doctor::finds_nothing(&group, 0).await;

    group.nodes[2].stop().await;
    flip_config(&group.nodes[2].data, "two");
    let day = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let due = day.checked_add(8.days()).unwrap();
    office.sign(&group, "n2", &keys[2], &office.certificate, Some(due));
    let program = group.path("other");
    let version = other_version(&program);
    group.nodes[2].binary = program;
    group.start_again(2);
    group.nodes[2].wait_ready().await;

    let found = doctor::ask(&group, 0).await;
    let what = |check: &str| {
        let mut of_check = found.iter().filter(|finding| finding.check == check);
        let finding = of_check.next().unwrap_or_else(|| panic!("nothing of {check}: {found:#?}"));
        assert!(of_check.next().is_none(), "{found:#?}");
        (finding.node, finding.what.clone())
    };
    let (node, text) = what("state");
    assert!(node == Some(id) && text.contains("membership/two") && !text.contains("one"), "{text}");
    let (node, text) = what("certificates");
    // At midnight a day less is left.
    let is_due = ["ends in 7 days", "ends in 6 days"].iter().any(|due| text.contains(due));
    assert!(node == Some(id) && is_due, "{text}");
    let (_, text) = what("versions");
    assert!(text.contains(&format!("{version} on node {id}")), "{text}");
    assert_eq!(found.len(), 3, "{found:#?}");
}
