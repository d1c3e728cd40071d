//! `muster cluster recover --from-this-node`: a stopped node goes on alone, as a new cluster, when most of the old one is lost
//! for good.
//!
//! It works on the data directory, and not at a running node: nothing must be written while it is decided what counts. The
//! new identity is noted first, so that whatever happens, this node never goes on as one of the old cluster.

use super::{Ground, Prover, form, refused};
use crate::{
    cli::RecoverArgs,
    commands::output,
    exit::{Exit, FAILED, USAGE},
    settings, start,
};
use anyhow::Context as _;
use muster_consensus::{isolate, last_entry, stored_members};
use muster_model::{NodeId, Timestamp};
use muster_node::{MemberRecord, stored_ensemble};
use muster_peer::{Probe, Question, ask, new_cluster_id};
use muster_runtime::{SystemClock, Tasks};
use muster_storage::data_dir::{DataDir, NodeIdentity};
use std::{collections::BTreeMap, sync::Arc};

/// Does it, or says what it would do.
pub(crate) fn recover(args: &RecoverArgs, environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let (settings, _) = settings::load(&args.serve.flags(), environment)
        .map_err(|problems| Exit::new(USAGE, problems.to_string()))?;
    let start::Stored { dir, mut log, state, has_data, .. } = start::open(&settings)?;
    let dir: &'static DataDir = Box::leak(Box::new(dir));
    let Some(identity) = dir.identity()?.filter(|identity| identity.is_member) else {
        return Err(refused(format!("{} belongs to no cluster", dir.path().display())));
    };
    let ground = Ground {
        settings: &settings,
        dir,
        has_data,
        clock: Arc::new(SystemClock::new()),
        tasks: Tasks::new(),
    };
    let voters = stored_members(&log, &*state)?.voters;
    let mut members = stored_ensemble(&*state)?.members;
    if members.is_empty() {
        // At a format level that has no members in the log.
        let record = |(node, is)| (node, MemberRecord { node, is, since: Timestamp(0), is_leaving: false });
        members = form::founders(ground.dir)?.into_iter().map(record).collect();
    }
    let others: Vec<_> = members.values().filter(|member| member.node != identity.node).cloned().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answering = runtime.block_on(who_answers(&ground, identity, &others))?;
    let voting = answering.iter().filter(|node| voters.contains(node)).count();
    let alive = 1 + voting;
    if alive > voters.len() / 2 && voters.contains(&identity.node) {
        return Err(Exit::new(
            FAILED,
            format!(
                "nothing is lost: with this node {alive} of {} voters are there, which is a majority. Start this node",
                voters.len()
            ),
        )
        .into());
    }
    if voting > voters.len() / 2 {
        let text = "a majority of the cluster answers without this node: run `muster cluster remove` there, and have this \
                    one join with an empty data directory";
        return Err(Exit::new(FAILED, text).into());
    }
    say(identity, last_entry(&log, &*state)?, &others, &answering)?;
    if !args.yes {
        return Err(Exit::new(FAILED, "nothing was changed: add --yes to do it").into());
    }
    let new = NodeIdentity { cluster: new_cluster_id(), ..identity };
    ground.dir.set_identity(new)?;
    let prover = Prover::of_recovered(&ground, new.cluster, new.node)?;
    form::note_founders(ground.dir, &[(new.node, ground.candidate(&prover))])?;
    isolate(&mut log, &*state, new.node, ground.settings.cluster.advertised())
        .context("have this node go on alone")?;
    output::line(&format!("this node is the only one of cluster {} now: start it", new.cluster))
}

async fn who_answers(
    ground: &Ground<'_>,
    identity: NodeIdentity,
    others: &[MemberRecord],
) -> anyhow::Result<Vec<NodeId>> {
    let prover = Arc::new(Prover::of_member(ground, identity.cluster, identity.node)?);
    let links = ground.links(&prover);
    let mut answering = Vec::new();
    for member in others {
        let question = Question::Probe(Probe::default());
        links.identify(identity.cluster, identity.node);
        match ask(&links, Some(member.node), &member.is.address, &question).await {
            Ok(_) => answering.push(member.node),
            Err(error) => output::note(&format!("node {}: {error}", member.node.0)),
        }
    }
    Ok(answering)
}

fn say(
    identity: NodeIdentity,
    last: u64,
    others: &[MemberRecord],
    answering: &[NodeId],
) -> anyhow::Result<()> {
    output::line(&format!("node {} of cluster {} would go on alone.", identity.node.0, identity.cluster))?;
    output::line(&format!(
        "  Kept: everything up to entry {last} of the log, also what was not acknowledged yet."
    ))?;
    output::line(
        "  Lost: every config, persistent instance and setting that was acknowledged after that entry; it was on a \
         majority of the voters, and may be on none that is left.",
    )?;
    for member in others {
        let state = if answering.contains(&member.node) { "answers" } else { "does not answer" };
        output::line(&format!(
            "  Node {} ({}, {state}) is removed: it can join only with an empty data directory.",
            member.node.0, member.is.address
        ))?;
    }
    Ok(())
}
