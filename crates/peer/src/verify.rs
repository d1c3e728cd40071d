//! Checks the certificate of a node that is connected to.

use crate::{KeyHash, tls::key_of};
use rustls::{
    DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use std::sync::Arc;

/// The name to connect with when any node will do.
pub(crate) const ANYBODY: &str = "anybody.muster.internal";

/// Whom to trust.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// Whoever these signed, as the node that the certificate names.
    Named(Arc<RootCertStore>),
    /// Whoever these signed.
    Signed(Arc<RootCertStore>),
    /// Whoever was signed by the certificate with this key, which comes along.
    Pinned(KeyHash),
}

impl Trust {
    /// The certificates that sign, if they are known.
    pub(crate) fn roots(&self) -> Option<Arc<RootCertStore>> {
        match self {
            Self::Named(roots) | Self::Signed(roots) => Some(roots.clone()),
            Self::Pinned(_) => None,
        }
    }
}

/// Checks who was connected to.
#[derive(Debug)]
pub(crate) struct PeerVerifier {
    pub(crate) trust: Trust,
    pub(crate) provider: Arc<CryptoProvider>,
}

impl PeerVerifier {
    fn roots(&self, intermediates: &[CertificateDer<'_>]) -> Result<Arc<RootCertStore>, Error> {
        let Trust::Pinned(wanted) = &self.trust else {
            return self.trust.roots().ok_or_else(|| Error::General("nobody is trusted".to_owned()));
        };
        let pinned = intermediates.iter().find(|certificate| key_of(certificate) == Some(*wanted));
        let Some(pinned) = pinned else {
            let text =
                "the join token is of another cluster: the node does not have the authority that it names";
            return Err(Error::General(text.to_owned()));
        };
        let mut roots = RootCertStore::empty();
        roots.add(pinned.clone().into_owned())?;
        Ok(Arc::new(roots))
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let roots = self.roots(intermediates)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &roots, intermediates, now, algorithms)?;
        if matches!(self.trust, Trust::Named(_)) && server_name.to_str() != ANYBODY {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
