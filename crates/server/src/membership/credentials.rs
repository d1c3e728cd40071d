//! What proves who this node is, and who others are: keys and certificates in `DIR/cluster/`, a shared secret, or files of
//! the operators.

use super::{Ground, NOWHERE};
use crate::settings::ClusterSettings;
use anyhow::Context as _;
use muster_model::{ClusterId, NodeId, Timestamp};
use muster_peer::{
    Authority, CERTIFICATE_LIFETIME, Credentials, JoinToken, KeyHash, NodeKey, Security, Tls, Trusted,
    certificate_expiry,
};
use muster_runtime::{Clock, Tasks};
use muster_storage::data_dir::{DataDir, DataDirError};
use parking_lot::Mutex;
use std::{path::Path, sync::Arc, time::Duration};

/// The node's own key. There is one from the first try to come into a cluster on.
pub(super) const NODE_KEY: &str = "node.key";
const NODE_CERTIFICATE: &str = "node.crt";
const AUTHORITY_KEY: &str = "authority.key";
/// How often it is looked whether the certificate should be renewed.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Proves who this node is.
pub(crate) struct Prover {
    tls: Arc<Tls>,
    signer: Mutex<Signer>,
    key: KeyHash,
    /// Who the certificate names.
    named: Mutex<(ClusterId, NodeId)>,
    certificate: Mutex<Vec<u8>>,
}

/// Who signs this node's certificates.
#[derive(Clone)]
enum Signer {
    /// Nobody yet: it joins with a token.
    Nobody(NodeKey),
    /// The cluster's own authority.
    Cluster(Authority, NodeKey),
    /// The authority that comes of the shared secret.
    Secret(Authority, NodeKey),
    /// The operators.
    Operators,
}

impl Signer {
    fn trusted(&self, settings: &ClusterSettings) -> anyhow::Result<Option<Trusted>> {
        Ok(match self {
            Self::Nobody(_) => None,
            Self::Cluster(authority, _) | Self::Secret(authority, _) => {
                Some(Trusted::Authority(authority.clone()))
            }
            Self::Operators => Some(Trusted::Operators(read(&settings.ca, "cluster_ca")?)),
        })
    }
}

impl Prover {
    /// Of a node that is in its cluster.
    pub(super) fn of_member(ground: &Ground<'_>, cluster: ClusterId, node: NodeId) -> anyhow::Result<Self> {
        let signer = match outside_signer(ground)? {
            Some(signer) => signer,
            None => {
                let dir = ground.dir.cluster_dir();
                let missing = || format!("{} is missing: bring it back", dir.join(AUTHORITY_KEY).display());
                let stored = ground.dir.cluster_file(AUTHORITY_KEY)?.with_context(missing)?;
                Signer::Cluster(Authority::import(&stored)?, node_key(ground)?)
            }
        };
        Self::with(ground, signer, (cluster, node))
    }

    /// Of the node that begins a cluster.
    pub(super) fn of_founder(ground: &Ground<'_>, cluster: ClusterId, node: NodeId) -> anyhow::Result<Self> {
        let signer = match outside_signer(ground)? {
            Some(signer) => signer,
            None => {
                let authority = match ground.dir.cluster_file(AUTHORITY_KEY)? {
                    Some(stored) => Authority::import(&stored)?,
                    None => {
                        let authority = Authority::create();
                        ground.dir.set_cluster_file(AUTHORITY_KEY, &authority.export())?;
                        authority
                    }
                };
                Signer::Cluster(authority, node_key(ground)?)
            }
        };
        Self::with(ground, signer, (cluster, node))
    }

    /// Of a node that goes on alone: those it leaves behind have the old authority.
    pub(super) fn of_recovered(
        ground: &Ground<'_>,
        cluster: ClusterId,
        node: NodeId,
    ) -> anyhow::Result<Self> {
        let signer = match outside_signer(ground)? {
            Some(signer) => signer,
            None => {
                let authority = Authority::create();
                ground.dir.set_cluster_file(AUTHORITY_KEY, &authority.export())?;
                Signer::Cluster(authority, node_key(ground)?)
            }
        };
        Self::with(ground, signer, (cluster, node))
    }

    /// Of a node that joins.
    pub(super) fn of_joiner(ground: &Ground<'_>, token: Option<&JoinToken>) -> anyhow::Result<Self> {
        let Some(token) = token else { return Self::of_listed(ground) };
        let key = node_key(ground)?;
        let tls = Tls::new(ground.clock.clone(), NOWHERE.0, &Trusted::Pinned(token.authority), None)?;
        Ok(Self {
            tls: Arc::new(tls),
            key: key.hash(),
            signer: Mutex::new(Signer::Nobody(key)),
            named: Mutex::new(NOWHERE),
            certificate: Mutex::default(),
        })
    }

    /// Of a node that all others know by a secret or by certificates.
    pub(super) fn of_listed(ground: &Ground<'_>) -> anyhow::Result<Self> {
        let signer = outside_signer(ground)?.context("settings give a secret or certificates")?;
        Self::with(ground, signer, NOWHERE)
    }

    fn with(ground: &Ground<'_>, signer: Signer, named: (ClusterId, NodeId)) -> anyhow::Result<Self> {
        let credentials = credentials(ground, &signer, named)?;
        let trusted = signer.trusted(&ground.settings.cluster)?.context("somebody signs")?;
        let (key, certificate) = (credentials.hash(), credentials.certificate().to_vec());
        let tls = Tls::new(ground.clock.clone(), named.0, &trusted, Some(credentials))?;
        Ok(Self {
            tls: Arc::new(tls),
            key,
            signer: Mutex::new(signer),
            named: Mutex::new(named),
            certificate: Mutex::new(certificate),
        })
    }

    /// The node has an id now; `authority` is the cluster's, if it was handed over.
    pub(super) fn enter(
        &self,
        ground: &Ground<'_>,
        cluster: ClusterId,
        node: NodeId,
        authority: Option<&[u8]>,
    ) -> anyhow::Result<()> {
        let signer = match (self.signer.lock().clone(), authority) {
            (Signer::Nobody(key), Some(authority)) => {
                ground.dir.set_cluster_file(AUTHORITY_KEY, authority)?;
                Signer::Cluster(Authority::import(authority)?, key)
            }
            (Signer::Nobody(_), None) => anyhow::bail!("the cluster did not hand over its authority"),
            (signer, _) => signer,
        };
        let credentials = credentials(ground, &signer, (cluster, node))?;
        let trusted = signer.trusted(&ground.settings.cluster)?.context("somebody signs")?;
        *self.certificate.lock() = credentials.certificate().to_vec();
        self.tls.enter(cluster, &trusted, credentials)?;
        *self.signer.lock() = signer;
        *self.named.lock() = (cluster, node);
        Ok(())
    }

    /// What protects links.
    pub(crate) fn security(&self) -> Arc<dyn Security> {
        self.tls.clone()
    }

    /// What the node is recognised by.
    pub(crate) fn key(&self) -> KeyHash {
        self.key
    }

    /// The authority that signs nodes, where it is on this node.
    pub(crate) fn authority(&self) -> Option<Authority> {
        match &*self.signer.lock() {
            Signer::Cluster(authority, _) | Signer::Secret(authority, _) => Some(authority.clone()),
            Signer::Nobody(_) | Signer::Operators => None,
        }
    }

    /// Whether a certificate alone lets nobody in: each node could sign more.
    pub(crate) fn needs_token(&self) -> bool {
        matches!(&*self.signer.lock(), Signer::Cluster(..))
    }

    /// When this node's certificate ends; `None`: it has none.
    pub(crate) fn certificate_until(&self) -> Option<Timestamp> {
        certificate_expiry(&self.certificate.lock())
    }

    /// Renews the certificate in time, until the node stops.
    pub(crate) async fn run(
        self: Arc<Self>,
        settings: ClusterSettings,
        dir: &'static DataDir,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
    ) {
        let stopping = tasks.stopping();
        loop {
            if let Err(error) = self.look(&settings, dir, clock.now().wall) {
                tracing::warn!(%error, "the certificate of this node can't be renewed, it is tried again");
            }
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn look(&self, settings: &ClusterSettings, dir: &DataDir, now: Timestamp) -> anyhow::Result<()> {
        let signer = self.signer.lock().clone();
        let renewed = match &signer {
            Signer::Nobody(_) => return Ok(()),
            Signer::Operators => {
                let credentials = from_files(settings)?;
                if credentials.certificate() == &self.certificate.lock()[..] {
                    return Ok(());
                }
                if credentials.hash() != self.key {
                    anyhow::bail!(
                        "cluster_certificate has another key: other nodes would refuse it. Renew it with the same key"
                    );
                }
                credentials
            }
            Signer::Cluster(authority, key) | Signer::Secret(authority, key) => {
                if !is_due(&self.certificate.lock(), now) {
                    return Ok(());
                }
                let (cluster, node) = *self.named.lock();
                let certificate = authority.sign(key, cluster, node, now);
                keep_certificate(dir, &certificate)?;
                Credentials::ours(authority, key, certificate)
            }
        };
        *self.certificate.lock() = renewed.certificate().to_vec();
        self.tls.renew(renewed)?;
        tracing::info!("the certificate of this node was renewed");
        Ok(())
    }
}

/// Who signs, where that is not the cluster itself.
fn outside_signer(ground: &Ground<'_>) -> anyhow::Result<Option<Signer>> {
    let settings = &ground.settings.cluster;
    if settings.has_certificates() {
        return Ok(Some(Signer::Operators));
    }
    if !settings.has_secret() {
        return Ok(None);
    }
    let from_file;
    let secret = if settings.secret.is_empty() {
        from_file = read(&settings.secret_file, "cluster_secret_file")?;
        from_file.trim_ascii()
    } else {
        settings.secret.reveal().as_bytes()
    };
    Ok(Some(Signer::Secret(Authority::from_secret(secret)?, node_key(ground)?)))
}

/// The key of this node, which is made once.
fn node_key(ground: &Ground<'_>) -> anyhow::Result<NodeKey> {
    if let Some(stored) = ground.dir.cluster_file(NODE_KEY)? {
        return Ok(NodeKey::import(&stored)?);
    }
    let key = NodeKey::create();
    ground.dir.set_cluster_file(NODE_KEY, &key.export())?;
    Ok(key)
}

/// The stored certificate, if it is not due, else a new one.
fn credentials(
    ground: &Ground<'_>,
    signer: &Signer,
    named: (ClusterId, NodeId),
) -> anyhow::Result<Credentials> {
    let (authority, key) = match signer {
        Signer::Operators => return from_files(&ground.settings.cluster),
        Signer::Nobody(_) => anyhow::bail!("nobody signs this node's certificate yet"),
        Signer::Cluster(authority, key) | Signer::Secret(authority, key) => (authority, key),
    };
    let now = ground.clock.now().wall;
    // It costs nothing, and so what is stored need not be trusted, nor be there.
    let certificate = authority.sign(key, named.0, named.1, now);
    keep_certificate(ground.dir, &certificate)?;
    Ok(Credentials::ours(authority, key, certificate))
}

/// Stores a certificate for those who look at the directory. Nothing reads it back, so a full disk is no reason to go
/// without it.
fn keep_certificate(dir: &DataDir, certificate: &[u8]) -> anyhow::Result<()> {
    match dir.set_cluster_file(NODE_CERTIFICATE, certificate) {
        Err(DataDirError::Disk(error)) if error.is_full() => {
            tracing::warn!(%error, "the disk is full, the new certificate of this node is not kept on it");
            Ok(())
        }
        other => Ok(other?),
    }
}

fn from_files(settings: &ClusterSettings) -> anyhow::Result<Credentials> {
    let chain = read(&settings.certificate, "cluster_certificate")?;
    let key = read(&settings.key, "cluster_key")?;
    Ok(Credentials::operators(&chain, &key)?)
}

fn read(path: &Path, setting: &str) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("read {setting} {}", path.display()))
}

/// Whether a third of its time is left, or less.
fn is_due(certificate: &[u8], now: Timestamp) -> bool {
    let left = certificate_expiry(certificate).map_or(0, |end| end.0.saturating_sub(now.0));
    left <= CERTIFICATE_LIFETIME.as_millis() as u64 / 3
}

#[cfg(test)]
mod tests;
