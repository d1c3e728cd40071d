//! Where a peer answers, as its operator writes it: `http://user:password@host:8761/eureka/`.

use std::fmt;

/// The base of a peer's paths, and what it is told to let us in.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerUrl {
    /// `host:port`.
    authority: String,
    /// The path before `/apps`, without a slash at its end.
    base: String,
    /// The value of `Authorization`, if the URL has a user.
    authorization: Option<String>,
}

/// What is wrong with a text that should be the URL of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerUrlError {
    /// Not `http://`.
    #[error("expected http://HOST:PORT/eureka/ (peers are spoken to without TLS)")]
    Scheme,
    /// No host, or one that can't be.
    #[error("expected http://HOST:PORT/eureka/, found no usable host and port")]
    Authority,
    /// A query, a fragment or a character that no path has.
    #[error("expected http://HOST:PORT/eureka/, found more than a plain path behind the host")]
    Path,
}

impl PeerUrl {
    /// Reads a URL; the path is `/eureka` if there is none. User and password may be percent-encoded.
    pub fn parse(text: &str) -> Result<Self, PeerUrlError> {
        let rest = text.trim().strip_prefix("http://").ok_or(PeerUrlError::Scheme)?;
        let (address, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (user, authority) = match address.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, address),
        };
        let parsed: http::uri::Authority = authority.parse().map_err(|_| PeerUrlError::Authority)?;
        if parsed.host().is_empty() {
            return Err(PeerUrlError::Authority);
        }
        let port = parsed.port_u16();
        if port.is_none() && authority != parsed.host() {
            return Err(PeerUrlError::Authority);
        }
        let path = path.trim_end_matches('/');
        let base = if path.is_empty() { "/eureka" } else { path };
        let plain: http::uri::PathAndQuery = base.parse().map_err(|_| PeerUrlError::Path)?;
        if plain.query().is_some() || base.contains('#') {
            return Err(PeerUrlError::Path);
        }
        let authorization = user.map(|user| format!("Basic {}", base64(&percent_decoded(user))));
        let authority = format!("{}:{}", parsed.host(), port.unwrap_or(80));
        Ok(Self { authority, base: base.to_owned(), authorization })
    }

    /// `host:port`: the name of the peer in logs and pages.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The whole address of an endpoint, `/apps/` for instance.
    pub(super) fn endpoint(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.authority, self.base)
    }

    /// The value of the header `Authorization`.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

/// Without the password: this goes to the settings page and the log.
impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}/", self.authority, self.base)
    }
}

impl fmt::Debug for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerUrl({self})")
    }
}

/// RFC 3986, section 2.1; a percent sign without two digits stands for itself.
fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%');
        decoded.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    decoded
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let part = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_base_and_perhaps_a_user() {
        let plain = PeerUrl::parse("http://peer1:8761/eureka/").unwrap();
        assert_eq!(plain.endpoint("/apps/"), "http://peer1:8761/eureka/apps/");
        assert_eq!((plain.authority(), plain.authorization()), ("peer1:8761", None));
        let short = PeerUrl::parse(" http://peer1 ").unwrap();
        assert_eq!(short.endpoint("/apps/"), "http://peer1:80/eureka/apps/");
        let v6 = PeerUrl::parse("http://[::1]:8761/e/v2").unwrap();
        assert_eq!(v6.endpoint("/apps/"), "http://[::1]:8761/e/v2/apps/");
    }

    #[test]
    fn a_user_becomes_basic_authorization_and_is_not_shown() {
        let url = PeerUrl::parse("http://user:p%40ss%@peer:1/eureka").unwrap();
        assert_eq!(url.authorization(), Some("Basic dXNlcjpwQHNzJQ=="));
        assert_eq!(url.to_string(), "http://peer:1/eureka/");
        assert_eq!(format!("{url:?}"), "PeerUrl(http://peer:1/eureka/)");
        for (text, code) in [("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("\u{ff}\u{fe}", "w7/Dvg==")] {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for (text, error) in [
            ("https://peer:1/eureka/", PeerUrlError::Scheme),
            ("peer:8761", PeerUrlError::Scheme),
            ("http:///eureka", PeerUrlError::Authority),
            ("http://peer:port/eureka", PeerUrlError::Authority),
            ("http://peer:99999/eureka", PeerUrlError::Authority),
            ("http://peer:1/eureka?x=1", PeerUrlError::Path),
            ("http://peer:1/eu reka", PeerUrlError::Path),
        ] {
            assert_eq!(PeerUrl::parse(text), Err(error), "{text}");
        }
    }
}
