//! What the doctor finds, by its command and in figures.

use crate::{group::Group, http::Caller};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// Something that is wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) check: String,
    /// With whom, if it is one node.
    pub(crate) node: Option<u64>,
    pub(crate) what: String,
    pub(crate) advice: String,
}

#[derive(Deserialize)]
struct Answer {
    findings: Vec<Finding>,
}

/// Asked about a healthy cluster it says so.
pub(crate) async fn finds_nothing(group: &Group, at: usize) {
    let found = ask(group, at).await;
    assert!(found.is_empty(), "{found:#?}");
}

/// A node that is gone is named, with its address and what to do.
pub(crate) async fn names_who_does_not_answer(group: &Group, at: usize, (gone, id): (usize, u64)) {
    let found = ask(group, at).await;
    let [Finding { check, node, what, advice }] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((check.as_str(), *node), ("reachability", Some(id)));
    assert!(what.contains(&group.nodes[gone].cluster.to_string()), "{what}");
    assert!(advice.contains("muster cluster remove"), "{advice}");
}

/// What it finds, as [`ask_all`]. How full the disk of this machine is does not count.
pub(crate) async fn ask(group: &Group, at: usize) -> Vec<Finding> {
    let mut found = ask_all(group, at).await;
    found.retain(|finding| finding.check != "disks");
    found
}

/// Everything it finds, after its exit code and its figures were checked.
pub(crate) async fn ask_all(group: &Group, at: usize) -> Vec<Finding> {
    let done = group.ask(at, &["doctor", "--json"]).await;
    let answer: Answer = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
    let found = answer.findings;
    assert_eq!(done.code, Some(i32::from(!found.is_empty())), "{done:?}");
    let mut by_check: BTreeMap<String, u64> = BTreeMap::new();
    for finding in &found {
        *by_check.entry(finding.check.clone()).or_default() += 1;
    }
    assert_eq!(figures(group, at).await, by_check);
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
