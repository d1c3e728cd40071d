//! When a certificate ends. What checks certificates does not say, so the few bytes are read here.

use muster_model::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When a certificate (DER) ends; `None`: it does not read.
pub fn certificate_expiry(certificate: &[u8]) -> Option<Timestamp> {
    let (SEQUENCE, certificate, _) = element(certificate)? else { return None };
    let (SEQUENCE, mut rest, _) = element(certificate)? else { return None };
    // The version, which may be absent, then serial number, signature algorithm and issuer.
    if let (VERSION, _, after) = element(rest)? {
        rest = after;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, validity, _) = element(rest)? else { return None };
    let (tag, until, _) = element(element(validity)?.2)?;
    time(tag, until)
}

/// The first element: its tag, its content, and what comes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match usize::from(first) {
        short @ 0..0x80 => (short, rest),
        long => {
            let bytes = long - 0x80;
            let (length, rest) = rest.split_at_checked(bytes).filter(|_| bytes <= 4)?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ` (RFC 5280, section 4.1.2.5).
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let digits = match tag {
        UTC_TIME if text.len() == 12 => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME if text.len() == 14 => text.to_owned(),
        _ => return None,
    };
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i64>().ok();
    let days = days_from_civil(number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let seconds = ((days * 24 + number(8, 10)?) * 60 + number(10, 12)?) * 60 + number(12, 14)?;
    Some(Timestamp(u64::try_from(seconds).ok()? * 1_000))
}

/// Days since 1970 of a date (Howard Hinnant, chrono-compatible low-level date algorithms).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, CERTIFICATE_LIFETIME, NodeKey};
    use muster_model::{ClusterId, NodeId};

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let authority = Authority::create();
        for now in [1_700_000_000_000, 951_782_400_000, 2_600_000_000_000] {
            let signed = authority.sign(&NodeKey::create(), ClusterId(1), NodeId(2), Timestamp(now));
            let end = now + CERTIFICATE_LIFETIME.as_millis() as u64;
            assert_eq!(certificate_expiry(&signed), Some(Timestamp(end)));
        }
    }

    #[test]
    fn what_is_none_does_not_read() {
        let signed = Authority::create().sign(&NodeKey::create(), ClusterId(1), NodeId(2), Timestamp(0));
        for length in 0..signed.len() {
            assert_eq!(certificate_expiry(&signed[..length]), None);
        }
        assert_eq!(time(UTC_TIME, b"700101000000Z"), Some(Timestamp(0)));
        assert_eq!(time(UTC_TIME, b"7001010000Z"), None);
    }
}
