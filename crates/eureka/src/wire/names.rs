//! Keys of labels as names of XML elements: `_` is written `__`, `$` is `_-`, and what may not stand in a name `_.` and
//! four hexadecimal digits (XStream's `XmlFriendlyNameCoder`, executed).

use std::fmt::Write as _;

/// Whether a character may stand in a name without an escape. A colon could, were it not for parsers that know
/// namespaces: to them a prefix that is declared nowhere is an error in the whole document.
fn plain(c: char, first: bool) -> bool {
    match c {
        'A'..='Z' | 'a'..='z' => true,
        '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}' => !first,
        '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' => true,
        '\u{37F}'..='\u{1FFF}' | '\u{200C}' | '\u{200D}' | '\u{2070}'..='\u{218F}' => true,
        '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' => true,
        '\u{FDF0}'..='\u{FFFD}' => true,
        _ => false,
    }
}

/// The name of a key that is not empty.
pub(super) fn encode(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 8);
    for c in key.chars() {
        match c {
            '_' => name.push_str("__"),
            '$' => name.push_str("_-"),
            c if plain(c, name.is_empty()) => name.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(name, "_.{unit:04x}").expect("writing to a String does not fail");
                }
            }
        }
    }
    name
}

/// The key of a name. An escape that is none stands for itself.
pub(super) fn decode(name: &str) -> String {
    if !name.contains('_') {
        return name.to_owned();
    }
    let mut units: Vec<u16> = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let (unit, used) = match (c, rest.as_bytes().get(1)) {
            ('_', Some(b'_')) => (Some(u16::from(b'_')), 2),
            ('_', Some(b'-')) => (Some(u16::from(b'$')), 2),
            ('_', Some(b'.')) => (rest.get(2..6).and_then(|digits| u16::from_str_radix(digits, 16).ok()), 6),
            (_, _) => (None, 0),
        };
        match unit {
            Some(unit) => {
                units.push(unit);
                rest = &rest[used..];
            }
            None => {
                units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_written_as_the_original_does() {
        for (key, name) in [
            ("a_b", "a__b"),
            ("a$b", "a_-b"),
            ("a b", "a_.0020b"),
            ("1num", "_.0031num"),
            ("management.port", "management.port"),
            ("a:b", "a_.003ab"),
        ] {
            assert_eq!(encode(key), name);
            assert_eq!(decode(name), key);
        }
        assert_eq!(decode("a_b"), "a_b");
        assert_eq!(decode("_.00"), "_.00");
    }

    proptest! {
        #[test]
        fn every_key_comes_back(key in ".{1,20}") {
            prop_assert_eq!(decode(&encode(&key)), key);
        }
    }
}
