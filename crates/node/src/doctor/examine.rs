//! One examination of all members.

use super::{
    CHECKS, Finding,
    diagnose::{self, Asked, differing, look},
    digest::{Place, StateDigest},
    marks::{Marked, NAMED_MAX},
    mirrors,
    report::NodeReport,
};
use crate::{Node, NodeError};
use muster_model::NodeId;
use std::{sync::Arc, time::Duration};

/// How often it is looked whether a mark is computed.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a node may take to come to a mark that another node has applied.
const APPLIED_WITHIN: Duration = Duration::from_secs(10);
/// How long computing may take, then: all durable data are read.
const COMPUTED_WITHIN: Duration = Duration::from_secs(120);
/// Looks at mirrors, one after the other: what differs in all of them is a finding.
const LOOKS: usize = 3;
/// Between two of them: a change is everywhere long before.
const LOOK_AGAIN: Duration = Duration::from_millis(400);

/// What an examination came to.
#[derive(Clone, Debug)]
pub struct Examination {
    /// What is wrong; nothing on a healthy ensemble.
    pub findings: Vec<Finding>,
    /// What was looked at, and what of it could not be.
    pub checked: Vec<(&'static str, String)>,
    /// The reports of those that answered.
    pub nodes: Vec<NodeReport>,
}

/// What came of comparing durable state at a mark.
struct Compared {
    digests: Vec<(NodeId, Arc<StateDigest>)>,
    /// Those that could not read their state.
    damaged: Vec<(NodeId, String)>,
    /// Those that passed the mark over.
    passed: Vec<(NodeId, String)>,
    index: u64,
    asked: Vec<Asked>,
}

impl Node {
    /// Examines all members. It takes a second, and as long as reading all durable data takes; one runs at a time.
    pub async fn examine(&self) -> Arc<Examination> {
        let _turn = self.doctor.turn.lock().await;
        let (asked, mut findings, state) = match self.examine_state().await {
            Ok((asked, findings, state)) => (asked, findings, state),
            // Every node is as it should be.
            Err(error @ NodeError::NeedsLevel { .. }) => {
                (self.ask_reports(0).await, Vec::new(), format!("not compared: {error}"))
            }
            Err(error) => {
                let why = format!("durable state was not compared: {error}");
                let advice = "see to it that a majority of the voters runs and they reach each other";
                let finding = Finding::new("state", None, why.clone(), advice);
                (self.ask_reports(0).await, vec![finding], why)
            }
        };
        findings.extend(look(&asked));
        let (of_mirrors, mirrored) = self.examine_mirrors(&asked).await;
        findings.extend(of_mirrors);
        findings.sort_by_key(|finding| CHECKS.iter().position(|check| *check == finding.check));
        let nodes: Vec<NodeReport> = asked.into_iter().filter_map(|asked| asked.answer.ok()).collect();
        let of_nodes = format!("{} nodes answered", nodes.len());
        let checked = CHECKS.into_iter().map(|check| match check {
            "state" => (check, state.clone()),
            "mirrors" => (check, mirrored.clone()),
            _ => (check, of_nodes.clone()),
        });
        let examination = Arc::new(Examination { findings, checked: checked.collect(), nodes });
        *self.doctor.last.lock() = Some((self.now().mono, examination.clone()));
        examination
    }

    /// Compares durable state, twice where it differs.
    async fn examine_state(&self) -> Result<(Vec<Asked>, Vec<Finding>, String), NodeError> {
        let mut compared = self.compare_at_mark(Vec::new()).await?;
        let places = differing(&compared.digests);
        // Whoever was busy or catching up may be better off now.
        if !places.is_empty() || !compared.passed.is_empty() {
            compared = self.compare_at_mark(places.into_iter().take(NAMED_MAX).collect()).await?;
        }
        let mut findings = diagnose::state(&compared.digests);
        findings.extend(compared.damaged.iter().map(|(node, why)| {
            Finding::new(
                "state",
                Some(*node),
                format!("its durable state can't be read: {why}"),
                "restart it: a damaged state is rebuilt from the newest snapshot and the log, or it says what else to do",
            )
        }));
        findings.extend(compared.passed.iter().map(|(node, why)| {
            Finding::new(
                "progress",
                Some(*node),
                format!("its durable state was not compared at entry {}: {why}", compared.index),
                "wait until it has caught up, and look again",
            )
        }));
        let count = compared.digests.len();
        let rows = compared.digests.first().map_or(0, |(_, digest)| digest.rows());
        let told = format!("{rows} rows of durable state on {count} nodes at log entry {}", compared.index);
        Ok((compared.asked, findings, told))
    }

    async fn compare_at_mark(&self, name: Vec<Place>) -> Result<Compared, NodeError> {
        let mark = self.put_mark(name).await?;
        let begun = self.now().mono;
        loop {
            let asked = self.ask_reports(mark).await;
            let waited = Duration::from_millis(self.now().mono.since(begun));
            let is_computing = |report: &NodeReport| match &report.mark {
                None => waited < APPLIED_WITHIN,
                Some(result) => matches!(result.marked, Marked::Computing) && waited < COMPUTED_WITHIN,
            };
            if !asked.iter().filter_map(Asked::report).any(is_computing) {
                return Ok(compared(asked));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Compares mirrors in a few looks; only what differs in each of them is told.
    async fn examine_mirrors(&self, first: &[Asked]) -> (Vec<Finding>, String) {
        let (mut always, mut ever_compared) = mirrors::compare(first);
        let all: usize = {
            let nodes = first.iter().filter(|asked| asked.answer.is_ok()).count();
            nodes * nodes.saturating_sub(1)
        };
        let mut asked: Vec<Asked> = first.to_vec();
        for _ in 1..LOOKS {
            if always.is_empty() && ever_compared.len() == all {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            asked = self.ask_reports(0).await;
            let (differing, compared) = mirrors::compare(&asked);
            // What could not be compared this time proves nothing.
            always.retain(|of| differing.contains(of) || !compared.contains(of));
            ever_compared.extend(compared);
        }
        let mut findings = Vec::new();
        for (holder, origin) in always {
            let named = self.name_differences(&asked, holder, origin).await;
            let what = named.unwrap_or_else(|| mirrors::counts(&asked, holder, origin));
            findings.push(mirrors::finding(holder, origin, &what));
        }
        let mut told = format!("{} of {all} mirrors at the same sequence", ever_compared.len());
        if ever_compared.len() < all {
            told.push_str("; the others change, and are compared by their streams");
        }
        (findings, told)
    }
}

fn compared(asked: Vec<Asked>) -> Compared {
    let mut compared = Compared {
        digests: Vec::new(),
        damaged: Vec::new(),
        passed: Vec::new(),
        index: 0,
        asked: Vec::new(),
    };
    for report in asked.iter().filter_map(Asked::report) {
        let Some(result) = &report.mark else {
            let why = format!("it has applied {} entries of {}", report.applied, report.committed);
            compared.passed.push((report.node, why));
            continue;
        };
        compared.index = compared.index.max(result.index);
        match &result.marked {
            Marked::Done(digest) => {
                compared.damaged.extend(digest.damage.clone().map(|why| (report.node, why)));
                compared.digests.push((report.node, digest.clone()));
            }
            Marked::Failed { why, is_damage: true } => compared.damaged.push((report.node, why.clone())),
            Marked::Failed { why, .. } => compared.passed.push((report.node, why.clone())),
            Marked::Computing => compared.passed.push((report.node, "it is still reading its state".into())),
        }
    }
    // A store that could be read in part only would differ everywhere.
    let most = compared.digests.iter().map(|(_, digest)| digest.rows()).max().unwrap_or_default();
    compared.digests.retain(|(_, digest)| digest.damage.is_none() || digest.rows() == most);
    compared.asked = asked;
    compared
}
