//! How this node comes into its cluster: which node it is, what proves that, and with whom it begins.
//!
//! A node takes part under an id only if its data directory says so. One whose directory is empty becomes a new node: by
//! beginning a cluster ([`begin`]), by joining one ([`join`]), or together with all others of a static list ([`form`]).

mod begin;
mod credentials;
mod door;
mod form;
mod join;
mod recover;
mod watch;

pub(crate) use credentials::Prover;
pub(crate) use recover::recover;
pub(crate) use watch::note_beginning;

use crate::{
    exit::{DATA_DIR, Exit},
    settings::Settings,
};
use muster_consensus::Bootstrap;
use muster_model::{ClusterId, NodeId};
use muster_node::{Candidate, EnsembleParts};
use muster_peer::{Links, LinksParts, new_cluster_id};
use muster_runtime::{
    Clock, Tasks,
    net::{Network as _, RealNetwork},
};
use muster_storage::data_dir::{DataDir, NodeIdentity};
use std::{collections::BTreeMap, sync::Arc};

/// What the ways into a cluster are given.
pub(crate) struct Ground<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) dir: &'static DataDir,
    /// Whether there is anything in log, state or snapshots.
    pub(crate) has_data: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
}

/// Who this node is and how it begins.
pub(crate) struct Entered {
    pub(crate) identity: NodeIdentity,
    pub(crate) bootstrap: Bootstrap,
    /// Whether whatever is in the data directory is this node's alone now: it may be the backup of a cluster.
    pub(crate) is_alone: bool,
    /// `None`: the node stands alone.
    pub(crate) ensemble: Option<Ensemble>,
}

/// What makes it one of an ensemble.
pub(crate) struct Ensemble {
    pub(crate) links: Links,
    pub(crate) parts: EnsembleParts,
    pub(crate) prover: Arc<Prover>,
}

/// Finds out who this node is, and has it begin, join or go on in its cluster. It may wait for other nodes.
pub(crate) async fn enter(ground: &Ground<'_>) -> anyhow::Result<Entered> {
    let identity = ground.dir.identity()?;
    ground.check_data(identity)?;
    let cluster = &ground.settings.cluster;
    match identity {
        Some(identity) if identity.is_member => go_on(ground, identity).await,
        _ if cluster.init => begin::begin(ground, identity).await,
        _ if !cluster.join.is_empty() => {
            ground.check_empty("join")?;
            join::join(ground).await
        }
        _ if !cluster.peers.is_empty() => {
            ground.check_empty("begin together with others")?;
            form::form(ground).await
        }
        _ => stand_alone(ground, identity),
    }
}

fn stand_alone(ground: &Ground<'_>, identity: Option<NodeIdentity>) -> anyhow::Result<Entered> {
    let identity = match identity {
        Some(identity) => identity,
        None => {
            let identity = NodeIdentity {
                cluster: new_cluster_id(),
                node: NodeId(1),
                is_member: false,
                has_begun: ground.has_data,
            };
            ground.dir.set_identity(identity)?;
            identity
        }
    };
    Ok(Entered {
        identity,
        bootstrap: Bootstrap::Alone { address: String::new() },
        is_alone: true,
        ensemble: None,
    })
}

/// A node that is in its cluster already: whatever the settings say of how to come in was done before.
async fn go_on(ground: &Ground<'_>, identity: NodeIdentity) -> anyhow::Result<Entered> {
    if ground.settings.cluster.listen.is_empty() {
        return Err(refused(format!(
            "this data directory belongs to node {} of cluster {}: start it as before, or set cluster_listen to its address for the other nodes",
            identity.node.0, identity.cluster
        )));
    }
    let prover = Arc::new(Prover::of_member(ground, identity.cluster, identity.node)?);
    let links = ground.open(&prover).await?;
    ground.entered(identity, links, prover)
}

pub(crate) fn refused(text: String) -> anyhow::Error {
    Exit::new(DATA_DIR, text).into()
}

impl Ground<'_> {
    /// A node that has lost its log has lost the votes it gave, and may give them again.
    fn check_data(&self, identity: Option<NodeIdentity>) -> anyhow::Result<()> {
        let dir = self.dir.path().display();
        match identity {
            Some(identity) if identity.has_lost_log(self.has_data) => {
                let NodeIdentity { node, is_member, .. } = identity;
                let others = format!(
                    "Run `muster cluster remove {}` on another node, then start this one with an empty directory and \
                     --join",
                    node.0
                );
                let alone = "Restore a backup into an empty directory (`muster restore FILE --data-dir DIR`), or remove \
                             it to start without data"
                    .to_owned();
                Err(refused(format!(
                    "the data of node {} is gone: {dir} has no log any more. A node must not vote without what it voted \
                     before. {}",
                    node.0,
                    if is_member { others } else { alone }
                )))
            }
            None if self.has_data && self.dir.cluster_file(credentials::NODE_KEY)?.is_some() => {
                Err(refused(format!(
                    "{dir}/node, which says which node of a cluster this is, is gone. Bring it back, or run `muster \
                     cluster remove` for this node on another one and start it with an empty directory and --join"
                )))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whoever comes to others leaves nothing of its own behind.
    fn check_empty(&self, to: &str) -> anyhow::Result<()> {
        if !self.has_data {
            return Ok(());
        }
        Err(refused(format!(
            "{} holds the data of a node that stands alone, which would be lost: to {to}, start with an empty directory. \
             To keep these data, start this node with --cluster-init and have the others join it",
            self.dir.path().display()
        )))
    }

    /// What the node says of itself.
    pub(crate) fn candidate(&self, prover: &Prover) -> Candidate {
        Candidate {
            address: self.settings.cluster.advertised().to_owned(),
            client: self.client_address(),
            version: crate::version::VERSION.to_owned(),
            key: Some(prover.key()),
        }
    }

    /// Where clients reach this node: where it listens for them, or, if that is everywhere, on the host of its peers'
    /// address.
    fn client_address(&self) -> String {
        let listen = self.settings.listen;
        if !listen.ip().is_unspecified() {
            return listen.to_string();
        }
        let advertised = self.settings.cluster.advertised();
        let host = advertised.rsplit_once(':').map_or(advertised, |(host, _)| host);
        format!("{host}:{}", listen.port())
    }

    /// Opens the listener for peers. Nothing is served until somebody handles a purpose.
    pub(crate) async fn open(&self, prover: &Arc<Prover>) -> anyhow::Result<Links> {
        let links = self.links(prover);
        let address = &self.settings.cluster.listen;
        let incoming = RealNetwork.listen(address).await.map_err(|error| {
            Exit::new(
                crate::exit::ADDRESS,
                format!("open {address} for the other nodes (cluster_listen): {error}"),
            )
        })?;
        tracing::info!(address = incoming.address(), "other nodes are listened for");
        self.tasks.spawn("links", links.clone().serve(incoming));
        Ok(links)
    }

    pub(crate) fn links(&self, prover: &Arc<Prover>) -> Links {
        Links::new(LinksParts {
            network: Arc::new(RealNetwork),
            security: prover.security(),
            tasks: self.tasks.clone(),
        })
    }

    /// The node is a member now, and says so in its data directory.
    pub(crate) fn entered(
        &self,
        identity: NodeIdentity,
        links: Links,
        prover: Arc<Prover>,
    ) -> anyhow::Result<Entered> {
        let founders = form::founders(self.dir)?;
        // One of those who begin has to make the first entry; the others get it from there.
        let begins = founders.first().is_some_and(|(first, _)| *first == identity.node);
        let bootstrap = if !begins || identity.has_begun {
            Bootstrap::Join
        } else {
            let addresses = founders.iter().map(|(node, is)| (*node, is.address.clone()));
            Bootstrap::Members(addresses.collect::<BTreeMap<_, _>>())
        };
        links.identify(identity.cluster, identity.node);
        let parts = EnsembleParts {
            links: links.clone(),
            cluster: identity.cluster,
            itself: self.candidate(&prover),
            founders,
            authority: prover.authority(),
            needs_token: prover.needs_token(),
            voters_max: self.settings.cluster.voters_max,
        };
        let ensemble = Some(Ensemble { links, parts, prover });
        Ok(Entered { identity, bootstrap, is_alone: false, ensemble })
    }
}

/// What a node that was removed says when it ends.
pub(crate) fn removed(identity: NodeIdentity) -> anyhow::Error {
    refused(format!(
        "node {} was removed from its cluster: others do not listen to it. To have this machine join again as a new node, \
         empty the data directory and start it with --join",
        identity.node.0
    ))
}

/// No cluster yet.
pub(crate) const NOWHERE: (ClusterId, NodeId) = (ClusterId(0), NodeId(0));
