//! Headers by which clients of any protocol say how new an answer must be, and are told how old it may be.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Asks for an answer that holds every durable write acknowledged before the request, by the value `linearizable`.
pub const CONSISTENCY: HeaderName = HeaderName::from_static("x-muster-consistency");

/// Milliseconds by which an answer may be older than what other nodes know; sent only by a node that hears no leader.
pub const STALE_MS: HeaderName = HeaderName::from_static("x-muster-stale-ms");

/// The value of [`CONSISTENCY`] is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("X-Muster-Consistency: expected linearizable")]
pub struct UnknownConsistency;

/// Whether a request must see every durable write that was acknowledged before it.
pub fn is_linearizable(headers: &HeaderMap) -> Result<bool, UnknownConsistency> {
    match headers.get(&CONSISTENCY) {
        None => Ok(false),
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"linearizable") => Ok(true),
        Some(_) => Err(UnknownConsistency),
    }
}

/// Says in an answer how old it may be, if there is something to say.
pub fn tell_staleness(headers: &mut HeaderMap, stale_ms: Option<u64>) {
    if let Some(stale_ms) = stale_ms {
        headers.insert(STALE_MS, HeaderValue::from(stale_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_known() {
        let asked = |value: &'static str| {
            is_linearizable(&HeaderMap::from_iter([(CONSISTENCY, HeaderValue::from_static(value))]))
        };
        assert_eq!(is_linearizable(&HeaderMap::new()), Ok(false));
        assert_eq!((asked("linearizable"), asked("Linearizable")), (Ok(true), Ok(true)));
        assert_eq!((asked("strong"), asked("")), (Err(UnknownConsistency), Err(UnknownConsistency)));
    }

    #[test]
    fn only_stale_answers_say_so() {
        let mut headers = HeaderMap::new();
        tell_staleness(&mut headers, None);
        assert!(headers.is_empty());
        tell_staleness(&mut headers, Some(1_500));
        assert_eq!(headers[STALE_MS], "1500");
    }
}
