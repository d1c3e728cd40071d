//! `application/x-www-form-urlencoded`, as Java decodes and encodes it. Always UTF-8: clients that declare another
//! charset (Node says GBK) mean UTF-8 all the same.

use std::borrow::Cow;

/// Decodes `+` and `%XX`. Bytes that are no UTF-8 become U+FFFD; a `%` without two hex digits stays as it is.
pub fn decode(text: &[u8]) -> Cow<'_, str> {
    if !text.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return String::from_utf8_lossy(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => out.push(b' '),
            b'%' => match after.get(..2).and_then(hex_pair) {
                Some(decoded) => {
                    out.push(decoded);
                    rest = &after[2..];
                }
                None => out.push(b'%'),
            },
            _ => out.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// Decodes a part of a path, where `+` is itself.
pub fn decode_path(text: &str) -> String {
    decode(text.replace('+', "%2B").as_bytes()).into_owned()
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)
}

/// Encodes as Java's `URLEncoder`: letters, digits and `.-*_` stay, a blank becomes `+`, all else `%XX`.
pub fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_decodes(text in any::<String>()) {
            let encoded = encode(&text);
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(decode(encoded.as_bytes()), text);
        }

        #[test]
        fn no_bytes_upset_it(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            decode(&bytes);
        }
    }

    #[test]
    fn reads_what_clients_send() {
        assert_eq!(decode(b"a+b%20c%E5%8D%8E"), "a b c华");
        assert_eq!(decode(b"100%"), "100%");
        assert_eq!(decode(b"%zz%4"), "%zz%4");
        assert_eq!(encode("a.b-c*d_e f\u{2}华"), "a.b-c*d_e+f%02%E5%8D%8E");
    }
}
