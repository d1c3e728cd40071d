//! Joining a cluster: `--join ADDRESS`, with a token, the shared secret or operators' certificates.

use super::{Entered, Ground, Prover, refused};
use crate::exit::{Exit, FAILED};
use anyhow::Context as _;
use muster_peer::{Answer, Founder, JoinRequest, JoinToken, Joined, LinkError, Links, Question, ask};
use muster_storage::data_dir::NodeIdentity;
use std::{sync::Arc, time::Duration};

/// Between two tries to reach somebody.
const AGAIN: Duration = Duration::from_secs(1);
/// How many tries go by until it is said that nobody is reached.
const SAY_EVERY: u32 = 10;

pub(super) async fn join(ground: &Ground<'_>) -> anyhow::Result<Entered> {
    let token = token(ground)?;
    let prover = Arc::new(Prover::of_joiner(ground, token.as_ref())?);
    let links = ground.open(&prover).await?;
    let request = JoinRequest::new(token.as_ref(), founder(ground, &prover));
    let joined = ask_until_answered(ground, &links, &Question::Join(request)).await?;
    let Joined { node, cluster, authority, .. } = joined;
    prover.enter(ground, cluster, node, authority.as_deref())?;
    let identity = NodeIdentity { cluster, node, is_member: true, has_begun: false };
    ground.dir.set_identity(identity)?;
    tracing::info!(%cluster, node = node.0, "this node has joined the cluster");
    ground.entered(identity, links, prover)
}

pub(super) fn founder(ground: &Ground<'_>, prover: &Prover) -> Founder {
    let is = ground.candidate(prover);
    Founder { node: 0, address: is.address, client: is.client, version: is.version, key: is.key }
}

/// The token, if one is to be had: from the setting or the file.
fn token(ground: &Ground<'_>) -> anyhow::Result<Option<JoinToken>> {
    let cluster = &ground.settings.cluster;
    let text = if !cluster.join_token.is_empty() {
        cluster.join_token.reveal().to_owned()
    } else if cluster.join_token_file.as_os_str().is_empty() {
        if cluster.has_secret() || cluster.has_certificates() {
            return Ok(None);
        }
        return Err(refused(
            "a node joins with a token: run `muster cluster token create` on a node of the cluster and give it to this one \
             in MUSTER_JOIN_TOKEN, or in a file that join_token_file names"
                .to_owned(),
        ));
    } else {
        let path = &cluster.join_token_file;
        std::fs::read_to_string(path).with_context(|| format!("read join_token_file {}", path.display()))?
    };
    Ok(Some(text.parse().map_err(|error| Exit::new(FAILED, format!("join_token: {error}")))?))
}

async fn ask_until_answered(
    ground: &Ground<'_>,
    links: &Links,
    question: &Question,
) -> anyhow::Result<Joined> {
    let mut tries = 0;
    loop {
        for address in &ground.settings.cluster.join {
            match ask(links, None, address, question).await {
                Ok(Answer::Joined(joined)) => return Ok(joined),
                Ok(Answer::Refused(why)) => {
                    return Err(
                        Exit::new(FAILED, format!("{address} does not let this node in: {why}")).into()
                    );
                }
                Ok(_) => {
                    return Err(Exit::new(FAILED, format!("{address} answered something else")).into());
                }
                Err(error @ LinkError::Unreachable { .. }) => {
                    if tries % SAY_EVERY == 0 {
                        tracing::warn!(%error, "the node to join does not answer, it is tried again");
                    }
                }
                Err(LinkError::Refused { refusal: muster_peer::Refusal::NotServed, .. }) => {
                    tracing::info!(address, "the node to join is still starting");
                }
                Err(error) => return Err(Exit::new(FAILED, format!("join a cluster: {error}")).into()),
            }
        }
        tries += 1;
        tokio::time::sleep(AGAIN).await;
    }
}
