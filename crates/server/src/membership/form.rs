//! Beginning a cluster together: all nodes of a static list.
//!
//! The first of the list decides, when every other has answered, none has a cluster and all have the same list. It notes
//! everybody's key with the decision, so that a node whose data were lost since then, and which has another key, is never
//! taken for the one that began. The others follow that decision. Whoever finds a cluster that it does not belong to asks
//! to be let in as a new node.

use super::{Entered, Ground, NOWHERE, Prover, door::WaitingDoor, join::founder};
use muster_model::{ClusterId, NodeId};
use muster_node::Candidate;
use muster_peer::{
    Answer, Founder, JoinRequest, Joined, Links, Probe, ProbeAnswer, Purpose, Question, ask, new_cluster_id,
};
use muster_storage::data_dir::{DataDir, NodeIdentity};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The file that says with whom the cluster began.
const FOUNDERS: &str = "founders";
/// Between two rounds of questions.
const AGAIN: Duration = Duration::from_millis(500);
/// How many rounds go by until it is said again what is waited for.
const SAY_EVERY: u32 = 20;

/// With whom the cluster began; nobody if this node came later.
pub(super) fn founders(dir: &DataDir) -> anyhow::Result<Vec<(NodeId, Candidate)>> {
    let Some(bytes) = dir.cluster_file(FOUNDERS)? else { return Ok(Vec::new()) };
    let Some(Answer::Probe(noted)) = Answer::decode(&bytes) else {
        anyhow::bail!("{} is damaged", dir.cluster_dir().join(FOUNDERS).display());
    };
    let candidate = |one: Founder| Candidate {
        address: one.address,
        client: one.client,
        version: one.version,
        key: one.key,
    };
    Ok(noted.members.into_iter().map(|one| (NodeId(one.node), candidate(one))).collect())
}

/// Notes with whom it begins.
pub(super) fn note_founders(dir: &DataDir, founders: &[(NodeId, Candidate)]) -> anyhow::Result<()> {
    let founder = |(node, is): &(NodeId, Candidate)| Founder {
        node: node.0,
        address: is.address.clone(),
        client: is.client.clone(),
        version: is.version.clone(),
        key: is.key,
    };
    note(dir, founders.iter().map(founder).collect())
}

fn note(dir: &DataDir, members: Vec<Founder>) -> anyhow::Result<()> {
    let noted = Answer::Probe(ProbeAnswer { members, ..ProbeAnswer::default() });
    Ok(dir.set_cluster_file(FOUNDERS, &noted.encode())?)
}

pub(super) async fn form(ground: &Ground<'_>) -> anyhow::Result<Entered> {
    let prover = Arc::new(Prover::of_listed(ground)?);
    let links = ground.open(&prover).await?;
    let forming = Forming { ground, itself: founder(ground, &prover), links };
    let door = WaitingDoor { itself: forming.itself.clone(), peers: ground.settings.cluster.peers.clone() };
    forming.links.handle(Purpose::Join, Arc::new(door));
    let mut round = 0;
    let found = loop {
        let asked = forming.ask_all().await;
        match forming.decide(&asked).await {
            Decision::Begin(cluster, members) => break Found { cluster, members, came_later: None },
            Decision::Joined(joined) => {
                break Found { cluster: joined.cluster, members: Vec::new(), came_later: Some(joined.node) };
            }
            Decision::Wait(why) => {
                if round % SAY_EVERY == 0 {
                    tracing::warn!(why, "this node waits to begin its cluster");
                }
            }
        }
        round += 1;
        tokio::time::sleep(AGAIN).await;
    };
    let Found { cluster, members, came_later } = found;
    let own =
        members.iter().find(|member| member.key == forming.itself.key).map(|member| NodeId(member.node));
    let node = came_later.or(own).unwrap_or(NOWHERE.1);
    note(ground.dir, members)?;
    prover.enter(ground, cluster, node, None)?;
    let identity = NodeIdentity { cluster, node, is_member: true, has_begun: false };
    ground.dir.set_identity(identity)?;
    tracing::info!(%cluster, node = node.0, "this node is in the cluster");
    ground.entered(identity, forming.links, prover)
}

struct Found {
    cluster: ClusterId,
    members: Vec<Founder>,
    came_later: Option<NodeId>,
}

enum Decision {
    Begin(ClusterId, Vec<Founder>),
    Joined(Joined),
    Wait(String),
}

struct Forming<'a> {
    ground: &'a Ground<'a>,
    itself: Founder,
    links: Links,
}

/// What the others of the list said; an error for those that did not.
type Asked = BTreeMap<String, Result<ProbeAnswer, String>>;

impl Forming<'_> {
    fn peers(&self) -> &[String] {
        &self.ground.settings.cluster.peers
    }

    async fn ask_all(&self) -> Asked {
        let probe = Probe { address: self.itself.address.clone(), peers: self.peers().to_vec() };
        let question = Question::Probe(probe);
        let others = self.peers().iter().filter(|peer| **peer != self.itself.address);
        let mut asked = Asked::new();
        for peer in others {
            let answer = match ask(&self.links, None, peer, &question).await {
                Ok(Answer::Probe(answer)) => Ok(answer),
                Ok(_) => Err(format!("{peer} does not say what it is")),
                Err(error) => Err(error.to_string()),
            };
            asked.insert(peer.clone(), answer);
        }
        asked
    }

    async fn decide(&self, asked: &Asked) -> Decision {
        let answers = || asked.iter().filter_map(|(peer, answer)| Some((peer, answer.as_ref().ok()?)));
        if let Some((peer, answer)) = answers().find(|(_, answer)| answer.cluster.is_some()) {
            return self.follow(peer, answer).await;
        }
        if let Some(error) = asked.values().find_map(|answer| answer.as_ref().err()) {
            return Decision::Wait(format!("every node of cluster_peers must answer: {error}"));
        }
        if let Some((peer, _)) = answers().find(|(_, answer)| answer.has_data) {
            return Decision::Wait(format!("{peer} has data of its own"));
        }
        if let Some((peer, answer)) = answers().find(|(_, answer)| answer.peers != self.peers()) {
            let theirs = answer.peers.join(", ");
            return Decision::Wait(format!("{peer} has other cluster_peers: {theirs}"));
        }
        if self.peers().first() != Some(&self.itself.address) {
            let first = self.peers().first().map_or("", String::as_str);
            return Decision::Wait(format!("{first}, the first of the list, is about to begin the cluster"));
        }
        let mut members: Vec<_> = answers().map(|(_, answer)| answer.itself.clone()).collect();
        members.push(self.itself.clone());
        members.sort_by(|one, other| one.address.cmp(&other.address));
        (1..).zip(&mut members).for_each(|(number, member)| member.node = number);
        Decision::Begin(new_cluster_id(), members)
    }

    /// There is a cluster: this node is one of those that begin it, or comes later.
    async fn follow(&self, peer: &str, answer: &ProbeAnswer) -> Decision {
        let cluster = answer.cluster.unwrap_or(NOWHERE.0);
        if answer.members.iter().any(|member| member.key == self.itself.key) {
            return Decision::Begin(cluster, answer.members.clone());
        }
        let question = Question::Join(JoinRequest::new(None, self.itself.clone()));
        match ask(&self.links, None, peer, &question).await {
            Ok(Answer::Joined(joined)) => Decision::Joined(joined),
            Ok(Answer::Refused(why)) => Decision::Wait(format!(
                "the cluster {cluster} is there and does not know this node, whose data directory is empty: {why}"
            )),
            Ok(_) => Decision::Wait(format!("{peer} answered something else")),
            Err(error) => Decision::Wait(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
