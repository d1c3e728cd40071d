//! What the doctor finds, by its command and in figures.

use crate::{group::Group, http::Caller};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Asked about a healthy cluster it says so.
pub(crate) async fn finds_nothing(group: &Group, at: usize) {
    let found = ask(group, at).await;
    assert!(found.is_empty(), "{found:#?}");
}

/// A node that is gone is named, with its address and what to do.
pub(crate) async fn names_who_does_not_answer(group: &Group, at: usize, (gone, id): (usize, u64)) {
    let found = ask(group, at).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let found = &found[0];
    assert_eq!((&found["check"], &found["node"]), (&json!("reachability"), &json!(id)));
    let what = found["what"].as_str().unwrap();
    assert!(what.contains(&group.nodes[gone].cluster.to_string()), "{what}");
    assert!(found["advice"].as_str().unwrap().contains("muster cluster remove"), "{found}");
}

/// What it finds, after its exit code and its figures were checked. How full the disk of this machine is does not count.
pub(crate) async fn ask(group: &Group, at: usize) -> Vec<Value> {
    let done = group.ask(at, &["doctor", "--json"]).await;
    let answer: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
    let mut found = answer["findings"].as_array().unwrap().clone();
    assert_eq!(done.code, Some(i32::from(!found.is_empty())), "{done:?}");
    let mut by_check: BTreeMap<String, u64> = BTreeMap::new();
    for finding in &found {
        *by_check.entry(finding["check"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(figures(group, at).await, by_check);
    found.retain(|finding| finding["check"] != "disks");
    found
}

/// What the figures of a node say it found, by check.
async fn figures(group: &Group, at: usize) -> BTreeMap<String, u64> {
    let mut caller = Caller::new(group.nodes[at].http, Duration::from_secs(20));
    let figures = caller.get("/metrics").await.unwrap().text();
    let lines = figures.lines().filter_map(|line| line.strip_prefix("muster_doctor_findings{check=\""));
    let found: BTreeMap<String, u64> = lines
        .map(|line| {
            let (check, count) = line.split_once("\"} ").unwrap();
            (check.to_owned(), count.parse().unwrap())
        })
        .collect();
    assert_eq!(found.len(), 9, "a count for each check");
    found.into_iter().filter(|(_, count)| *count > 0).collect()
}
