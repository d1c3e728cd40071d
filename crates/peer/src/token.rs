//! Join tokens: what an operator carries to a machine that shall become a node.

use crate::{
    SecretHash,
    key::{KeyHash, from_hex, hex},
};
use std::{fmt, str::FromStr};

/// Names a join token; no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub u64);

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for TokenId {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let id = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
        id.map(Self).ok_or(TokenError)
    }
}

/// A join token: `HASH.ID.SECRET`, where the hash is that of the cluster's authority, so that whoever joins knows whom it
/// talks to. Its `Debug` does not show the secret.
#[derive(Clone)]
pub struct JoinToken {
    /// The key of the authority that signs nodes of this cluster.
    pub authority: KeyHash,
    /// Which token.
    pub id: TokenId,
    secret: [u8; 32],
}

/// The text is no join token. It is not repeated: it may be one with a typing error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no join token: one has three parts with dots between, as `muster cluster token create` prints it"
)]
pub struct TokenError;

impl JoinToken {
    /// A new token, from the system's source of randomness.
    pub fn new(authority: KeyHash) -> Self {
        let (mut id, mut secret) = ([0; 8], [0; 32]);
        for bytes in [&mut id[..], &mut secret[..]] {
            aws_lc_rs::rand::fill(bytes).expect("the system has a source of randomness");
        }
        Self { authority, id: TokenId(u64::from_be_bytes(id)), secret }
    }

    /// What the cluster remembers of the secret.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.secret)
    }

    /// The whole token, for the one who shall have it.
    pub fn reveal(&self) -> String {
        format!("{}.{}.{}", self.authority, self.id, hex(&self.secret))
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}

impl FromStr for JoinToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let mut parts = text.trim().split('.');
        let (Some(authority), Some(id), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError);
        };
        let secret = from_hex(secret).and_then(|secret| secret.try_into().ok()).ok_or(TokenError)?;
        Ok(Self { authority: KeyHash::parse(authority).ok_or(TokenError)?, id: id.parse()?, secret })
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_as_it_is_written_and_is_not_shown() {
        let token = JoinToken::new(KeyHash::of(b"authority"));
        let text = token.reveal();
        let again: JoinToken = format!(" {text}\n").parse().unwrap();
        assert_eq!(again.reveal(), text);
        assert!(again.hash().is(&token.hash()));
        assert!(!format!("{again:?}").contains(text.rsplit('.').next().unwrap()));
        for wrong in ["", "a.b.c", &text[1..], &text[..text.len() - 1], &format!("{text}.")] {
            assert_eq!(wrong.parse::<JoinToken>().map(drop), Err(TokenError), "{wrong}");
        }
    }

    #[test]
    fn no_two_tokens_are_alike() {
        let authority = KeyHash::of(b"authority");
        assert_ne!(JoinToken::new(authority).reveal(), JoinToken::new(authority).reveal());
    }
}
