//! Percent-encoding and query strings.

use std::borrow::Cow;

/// A text with its `%XX` decoded, and `+` as a space if `plus`. What is no encoding stands for itself; bytes that are no
/// UTF-8 become U+FFFD.
pub(crate) fn decode(text: &str, plus: bool) -> Cow<'_, str> {
    let coded = |byte: &u8| *byte == b'%' || (plus && *byte == b'+');
    if !text.as_bytes().iter().any(coded) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let (byte, others) = match (first, others) {
            (b'+', _) if plus => (b' ', others),
            (b'%', [high, low, behind @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, behind),
                (Some(_) | None, _) => (b'%', others),
            },
            (first, _) => (*first, others),
        };
        bytes.push(byte);
        rest = others;
    }
    Cow::Owned(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The pairs of a query, in order, decoded.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key, true), decode(value, true))
    })
}

/// The first value of a key.
pub(crate) fn first<'a>(query: &'a str, key: &str) -> Option<Cow<'a, str>> {
    pairs(query).find(|(found, _)| found == key).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded() {
        for (text, path, query) in [
            ("h1%3Aorder%3a80", "h1:order:80", "h1:order:80"),
            ("a+b%20c", "a+b c", "a b c"),
            ("100%", "100%", "100%"),
            ("%zz%4", "%zz%4", "%zz%4"),
            ("%C3%A9", "é", "é"),
            ("%FF", "\u{FFFD}", "\u{FFFD}"),
        ] {
            assert_eq!(decode(text, false), path);
            assert_eq!(decode(text, true), query);
        }
    }

    #[test]
    fn the_first_of_a_key_counts() {
        let query = "a=1&b=x+y&a=2&&empty=&flag";
        assert_eq!(first(query, "a").as_deref(), Some("1"));
        assert_eq!(first(query, "b").as_deref(), Some("x y"));
        assert_eq!(first(query, "flag").as_deref(), Some(""));
        assert_eq!(first(query, "c"), None);
        assert_eq!(pairs(query).count(), 5);
    }
}
