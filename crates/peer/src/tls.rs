//! Mutual TLS between nodes.
//!
//! Only TLS 1.3, and no resumption: each link proves anew who is at its ends. Whoever connects checks that the other end is
//! the node it looks for; whoever accepts lets in those who show nothing (to join by token) and those whose certificate
//! holds, and [`crate::Links`] asks the proof. Keys are held against the members' recorded ones there, too.

use crate::{
    Authority, CredentialError, KeyHash, NodeKey, Proof, Secured, Security,
    authority::{malformed, node_name},
    certificate_expiry,
    verify::{ANYBODY, PeerVerifier, Trust},
};
use muster_model::{ClusterId, NodeId, Timestamp};
use muster_runtime::{
    Clock,
    net::{BoxFuture, BoxStream},
};
use parking_lot::RwLock;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::{Resumption, verify_server_name},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier},
    time_provider::TimeProvider,
};
use std::{fmt, io, sync::Arc, time::Duration};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What a node shows: its certificate, what it is signed by, and its key.
pub struct Credentials {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    hash: KeyHash,
}

impl Credentials {
    /// A certificate that an authority of ours signed.
    pub fn ours(authority: &Authority, key: &NodeKey, certificate: Vec<u8>) -> Self {
        let chain = vec![certificate.into(), authority.certificate().clone()];
        Self { chain, key: key.private(), hash: key.hash() }
    }

    /// A certificate, with what it was signed by, and a key of the operators, both PEM.
    pub fn operators(chain: &[u8], key: &[u8]) -> Result<Self, CredentialError> {
        let chain: Vec<_> = certificates(chain, "certificate in cluster_certificate")?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|error| malformed("key in cluster_key", error))?;
        let hash =
            key_of(&chain[0]).ok_or_else(|| malformed("certificate in cluster_certificate", "no key"))?;
        Ok(Self { chain, key, hash })
    }

    /// What the node is recognised by.
    pub fn hash(&self) -> KeyHash {
        self.hash
    }

    /// The node's own certificate, as DER.
    pub fn certificate(&self) -> &[u8] {
        &self.chain[0]
    }
}

/// Whom a node trusts.
pub enum Trusted {
    /// Whoever has this authority's signature, as the node that the certificate names.
    Authority(Authority),
    /// Whoever has the signature of the authority with this key, which is not known yet. For connecting only.
    Pinned(KeyHash),
    /// Whoever has the signature of one of these: PEM. Certificates need no names.
    Operators(Vec<u8>),
}

/// Protects links by TLS.
pub struct Tls {
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
}

struct State {
    cluster: ClusterId,
    trust: Trust,
    /// Nobody is accepted without.
    server: Option<Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
    certificate_until: Option<Timestamp>,
}

struct ClockTime(Arc<dyn Clock>);

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.now().wall.0)))
    }
}

impl Tls {
    /// For a node of a cluster (0: of none yet). Without credentials it can join and do nothing else.
    pub fn new(
        clock: Arc<dyn Clock>,
        cluster: ClusterId,
        trusted: &Trusted,
        credentials: Option<Credentials>,
    ) -> Result<Self, CredentialError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let trust = trust(trusted)?;
        let state = build(&provider, &clock, cluster, trust, credentials)?;
        Ok(Self { provider, clock, state: RwLock::new(state) })
    }

    /// Shows other credentials from now on: links that there are stay.
    pub fn renew(&self, credentials: Credentials) -> Result<(), CredentialError> {
        let (cluster, trust) = {
            let state = self.state.read();
            (state.cluster, state.trust.clone())
        };
        let state = build(&self.provider, &self.clock, cluster, trust, Some(credentials))?;
        *self.state.write() = state;
        Ok(())
    }

    /// Becomes a node of a cluster.
    pub fn enter(
        &self,
        cluster: ClusterId,
        trusted: &Trusted,
        credentials: Credentials,
    ) -> Result<(), CredentialError> {
        let state = build(&self.provider, &self.clock, cluster, trust(trusted)?, Some(credentials))?;
        *self.state.write() = state;
        Ok(())
    }
}

fn trust(trusted: &Trusted) -> Result<Trust, CredentialError> {
    let mut roots = RootCertStore::empty();
    match trusted {
        Trusted::Pinned(key) => Ok(Trust::Pinned(*key)),
        Trusted::Authority(authority) => {
            let added = roots.add(authority.certificate().clone());
            added.map_err(|error| malformed("certificate of the authority", error))?;
            Ok(Trust::Named(Arc::new(roots)))
        }
        Trusted::Operators(pem) => {
            for certificate in certificates(pem, "certificates in cluster_ca")? {
                let added = roots.add(certificate);
                added.map_err(|error| malformed("certificates in cluster_ca", error))?;
            }
            Ok(Trust::Signed(Arc::new(roots)))
        }
    }
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, CredentialError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(some) if !some.is_empty() => Ok(some),
        Ok(_) => Err(malformed(what, "there is no certificate in it")),
        Err(error) => Err(malformed(what, error)),
    }
}

fn build(
    provider: &Arc<CryptoProvider>,
    clock: &Arc<dyn Clock>,
    cluster: ClusterId,
    trust: Trust,
    credentials: Option<Credentials>,
) -> Result<State, CredentialError> {
    let unfit = |error: rustls::Error| malformed("certificate and key of this node", error);
    let time: Arc<dyn TimeProvider> = Arc::new(ClockTime(clock.clone()));
    let verifier = Arc::new(PeerVerifier { trust: trust.clone(), provider: provider.clone() });
    let client = ClientConfig::builder_with_details(provider.clone(), time.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unfit)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let own = credentials.as_ref().map(Credentials::certificate);
    let certificate_until = own.and_then(certificate_expiry);
    let (mut client, server) = match credentials {
        None => (client.with_no_client_auth(), None),
        Some(Credentials { chain, key, .. }) => {
            let client = client.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(unfit)?;
            let server = trust.roots().map(|roots| server(provider, time, roots, chain, key)).transpose()?;
            (client, server)
        }
    };
    client.resumption = Resumption::disabled();
    // The name is for the check alone, and tells strangers which cluster this is.
    client.enable_sni = false;
    Ok(State { cluster, trust, server, client: Arc::new(client), certificate_until })
}

fn server(
    provider: &Arc<CryptoProvider>,
    time: Arc<dyn TimeProvider>,
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, CredentialError> {
    let unfit = |error: rustls::Error| malformed("certificate and key of this node", error);
    let clients = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| malformed("certificate of the authority", error))?;
    let mut server = ServerConfig::builder_with_details(provider.clone(), time)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unfit)?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Ok(Arc::new(server))
}

/// The hash of the key in a certificate.
pub(crate) fn key_of(certificate: &CertificateDer<'_>) -> Option<KeyHash> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    Some(KeyHash::of(&parsed.subject_public_key_info()))
}

struct Shown {
    /// What the other end showed, if anything; it was checked.
    certificate: Option<CertificateDer<'static>>,
    has_name: bool,
}

fn shown(shown: Option<&[CertificateDer<'_>]>, trust: &Trust) -> Box<dyn Proof> {
    let certificate = shown.and_then(|chain| chain.first()).map(|first| first.clone().into_owned());
    Box::new(Shown { certificate, has_name: !matches!(trust, Trust::Signed(_)) })
}

impl Proof for Shown {
    fn is(&self, cluster: ClusterId, node: NodeId) -> bool {
        let Some(certificate) = &self.certificate else { return false };
        if !self.has_name {
            return true;
        }
        let name = ServerName::try_from(node_name(cluster, node));
        let (Ok(parsed), Ok(name)) = (ParsedCertificate::try_from(certificate), name) else { return false };
        verify_server_name(&parsed, &name).is_ok()
    }

    fn is_proven(&self) -> bool {
        self.certificate.is_some()
    }

    fn key(&self) -> Option<KeyHash> {
        self.certificate.as_ref().and_then(key_of)
    }

    fn certificate_until(&self) -> Option<Timestamp> {
        self.certificate.as_deref().and_then(certificate_expiry)
    }
}

impl Security for Tls {
    fn certificate_until(&self) -> Option<Timestamp> {
        self.state.read().certificate_until
    }

    fn connected<'a>(&'a self, stream: BoxStream, to: Option<NodeId>) -> BoxFuture<'a, io::Result<Secured>> {
        let (client, cluster, trust) = {
            let state = self.state.read();
            (state.client.clone(), state.cluster, state.trust.clone())
        };
        Box::pin(async move {
            let name = to.map_or_else(|| ANYBODY.to_owned(), |node| node_name(cluster, node));
            let name = ServerName::try_from(name).map_err(io::Error::other)?;
            let stream = TlsConnector::from(client).connect(name, stream).await?;
            let proof = shown(stream.get_ref().1.peer_certificates(), &trust);
            Ok((Box::new(stream) as BoxStream, proof))
        })
    }

    fn accepted<'a>(&'a self, stream: BoxStream) -> BoxFuture<'a, io::Result<Secured>> {
        let (server, trust) = {
            let state = self.state.read();
            (state.server.clone(), state.trust.clone())
        };
        Box::pin(async move {
            let server = server.ok_or_else(|| io::Error::other("this node has no certificate yet"))?;
            let stream = TlsAcceptor::from(server).accept(stream).await?;
            let proof = shown(stream.get_ref().1.peer_certificates(), &trust);
            Ok((Box::new(stream) as BoxStream, proof))
        })
    }
}

#[cfg(test)]
mod tests;
