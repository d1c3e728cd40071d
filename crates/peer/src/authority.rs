//! Who signs the nodes of a cluster, and what is signed: keys and certificates. All keys are Ed25519.

use crate::KeyHash;
use aws_lc_rs::hkdf;
use muster_model::{ClusterId, NodeId, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ED25519, PublicKeyData as _, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::{fmt, sync::Arc, time::Duration};

/// How long a node's certificate holds. The node renews it when a third of that is left.
pub const CERTIFICATE_LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// How far clocks may differ: a certificate holds from so long before it was made.
const CLOCKS_APART: Duration = Duration::from_secs(86_400);
/// The fewest bytes of a shared secret.
const SECRET_BYTES_MIN: usize = 32;
/// An Ed25519 private key in PKCS #8, up to the key itself (RFC 8410, section 7).
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Why keys or certificates can't be used. No variant repeats a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The shared secret is too short to be one.
    #[error("the cluster secret has {0} bytes, at least {SECRET_BYTES_MIN} are needed")]
    WeakSecret(usize),
    /// A key or a certificate does not read.
    #[error("the {what} does not read: {why}")]
    Malformed {
        /// Which.
        what: &'static str,
        /// What the library says.
        why: String,
    },
}

pub(crate) fn malformed(what: &'static str, why: impl fmt::Display) -> CredentialError {
    CredentialError::Malformed { what, why: why.to_string() }
}

/// Signs the nodes of one cluster. Every node has it.
#[derive(Clone)]
pub struct Authority {
    key: Arc<KeyPair>,
    certificate: CertificateDer<'static>,
}

/// A node's own key.
#[derive(Clone)]
pub struct NodeKey(Arc<KeyPair>);

impl Authority {
    /// A new one, from the system's source of randomness.
    pub fn create() -> Self {
        Self::with(generate())
    }

    /// The one that everybody has who knows the secret.
    pub fn from_secret(secret: &[u8]) -> Result<Self, CredentialError> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(CredentialError::WeakSecret(secret.len()));
        }
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, b"muster cluster authority 1").extract(secret);
        let mut seed = [0; 32];
        let derived = derived.expand(&[b"ed25519"], hkdf::HKDF_SHA256).and_then(|key| key.fill(&mut seed));
        derived.expect("as many bytes are asked for as the hash has");
        Self::import(&[&PKCS8_ED25519[..], &seed].concat())
    }

    /// Reads what [`Authority::export`] gave.
    pub fn import(key: &[u8]) -> Result<Self, CredentialError> {
        Ok(Self::with(import(key, "key of the cluster's authority")?))
    }

    /// Its key: a secret.
    pub fn export(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    fn with(key: KeyPair) -> Self {
        // The same key always gives the same certificate.
        let certificate = authority_params().self_signed(&key).expect("the parameters are ours");
        Self { key: Arc::new(key), certificate: certificate.der().clone() }
    }

    /// What tokens pin.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.key.subject_public_key_info())
    }

    /// Its certificate.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate of a node's key. Node 0 of cluster 0 is one that has no id yet.
    pub fn sign(&self, key: &NodeKey, cluster: ClusterId, node: NodeId, now: Timestamp) -> Vec<u8> {
        let mut params = CertificateParams::new(vec![node_name(cluster, node)])
            .expect("the name is made of letters and digits");
        params.distinguished_name = named(&format!("muster node {}", node.0));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let at = |ms: u64| date_time_ymd(1970, 1, 1) + Duration::from_secs(ms / 1_000);
        params.not_before = at(now.0.saturating_sub(CLOCKS_APART.as_millis() as u64));
        params.not_after = at(now.0 + CERTIFICATE_LIFETIME.as_millis() as u64);
        let authority = authority_params();
        let issuer = Issuer::from_params(&authority, &*self.key);
        let signed = params.signed_by(&*key.0, &issuer).expect("the parameters are ours");
        signed.der().to_vec()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.hash())
    }
}

impl NodeKey {
    /// A new one, from the system's source of randomness.
    pub fn create() -> Self {
        Self(Arc::new(generate()))
    }

    /// Reads what [`NodeKey::export`] gave.
    pub fn import(key: &[u8]) -> Result<Self, CredentialError> {
        Ok(Self(Arc::new(import(key, "key of this node")?)))
    }

    /// The key: a secret.
    pub fn export(&self) -> Vec<u8> {
        self.0.serialize_der()
    }

    /// What the node is recognised by.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0.subject_public_key_info())
    }

    pub(crate) fn private(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.export()).into()
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.hash())
    }
}

/// The name in a node's certificate: a host name, so that what checks certificates checks it, too.
pub(crate) fn node_name(cluster: ClusterId, node: NodeId) -> String {
    format!("n{}.c{cluster}.muster.internal", node.0)
}

/// An id that no other cluster has, from the system's source of randomness.
pub fn new_cluster_id() -> ClusterId {
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id).expect("the system has a source of randomness");
    ClusterId(u128::from_be_bytes(id))
}

fn generate() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).expect("the system has a source of randomness")
}

fn import(key: &[u8], what: &'static str) -> Result<KeyPair, CredentialError> {
    let key = PrivatePkcs8KeyDer::from(key);
    KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ED25519).map_err(|error| malformed(what, error))
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("there are no names to be wrong");
    params.distinguished_name = named("muster cluster authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.serial_number = Some(SerialNumber::from_slice(&[1]));
    params.key_identifier_method = KeyIdMethod::Sha256;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(4096, 1, 1);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_secret_gives_the_same_authority() {
        let secret = b"0123456789abcdef0123456789abcdef";
        let (one, other) = (Authority::from_secret(secret).unwrap(), Authority::from_secret(secret).unwrap());
        assert_eq!(one.certificate(), other.certificate());
        let third = Authority::from_secret(b"0123456789abcdef0123456789abcdeg").unwrap();
        assert_ne!(one.hash(), third.hash());
        assert!(matches!(Authority::from_secret(b"secret"), Err(CredentialError::WeakSecret(6))));
    }

    #[test]
    fn keys_come_back_and_are_not_shown() {
        let authority = Authority::create();
        let again = Authority::import(&authority.export()).unwrap();
        assert_eq!(again.certificate(), authority.certificate());
        let key = NodeKey::create();
        assert_eq!(NodeKey::import(&key.export()).unwrap().hash(), key.hash());
        assert_ne!(key.hash(), NodeKey::create().hash());
        let malformed = NodeKey::import(&authority.export()[..20]).unwrap_err();
        assert!(malformed.to_string().contains("key of this node"), "{malformed}");
        assert_eq!(format!("{authority:?}").len(), "Authority()".len() + 64);
    }
}
