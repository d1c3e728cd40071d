//! The key-value pairs of an instance or service, packed.

use std::fmt;

/// String pairs in the order of their keys, unique by key, in one allocation (length-prefixed texts), because
/// a registry holds one of these an instance.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Metadata(Box<[u8]>);

impl Metadata {
    /// Packs pairs; of pairs with the same key the last wins.
    pub fn new<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut pairs: Vec<(K, V)> = pairs.into_iter().collect();
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        let mut packed = Vec::with_capacity(
            pairs.iter().map(|(k, v)| k.as_ref().len() + v.as_ref().len() + 4).sum::<usize>(),
        );
        for (at, (key, value)) in pairs.iter().enumerate() {
            let shadowed = pairs.get(at + 1).is_some_and(|next| next.0.as_ref() == key.as_ref());
            if !shadowed {
                pack(&mut packed, key.as_ref());
                pack(&mut packed, value.as_ref());
            }
        }
        Self(packed.into_boxed_slice())
    }

    /// The bytes it is kept in: equal metadata, equal bytes.
    pub fn packed(&self) -> &[u8] {
        &self.0
    }

    /// Metadata in the bytes of [`Metadata::packed`]; `None` if they are not such.
    pub fn from_packed(packed: &[u8]) -> Option<Self> {
        let (mut rest, mut last) = (packed, None::<&str>);
        while !rest.is_empty() {
            let (key, _) = (checked(&mut rest)?, checked(&mut rest)?);
            if last.is_some_and(|last| last >= key) {
                return None;
            }
            last = Some(key);
        }
        Some(Self(packed.into()))
    }

    /// The pairs, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.bytes().map(|(key, value)| (text(key), text(value)))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.bytes().find(|(k, _)| *k == key.as_bytes()).map(|(_, value)| text(value))
    }

    fn bytes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || Some((unpack(&mut rest)?, unpack(&mut rest)?)))
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// The characters of all keys and values together, the measure that limits speak of.
    pub fn size(&self) -> usize {
        self.iter().map(|(k, v)| k.chars().count() + v.chars().count()).sum()
    }

    /// These pairs with others laid over them; the others win.
    pub fn overlaid(&self, over: &Self) -> Self {
        Self::new(self.iter().chain(over.iter()))
    }
}

fn pack(into: &mut Vec<u8>, text: &str) {
    let mut size = text.len();
    while size > 127 {
        into.push((size & 127) as u8 | 128);
        size >>= 7;
    }
    into.push(size as u8);
    into.extend_from_slice(text.as_bytes());
}

fn unpack<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (mut size, mut shift) = (0usize, 0);
    loop {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        size |= usize::from(byte & 127) << shift;
        if byte < 128 {
            break;
        }
        shift += 7;
    }
    let (text, rest) = from.split_at(size);
    *from = rest;
    Some(text)
}

/// As `unpack`, of bytes from elsewhere.
fn checked<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let (mut size, mut shift) = (0usize, 0);
    loop {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        size |= usize::from(byte & 127) << shift;
        if byte < 128 {
            // One length, one form: else equal metadata could have differing bytes.
            if byte == 0 && shift > 0 {
                return None;
            }
            break;
        }
        shift += 7;
        if shift > 28 {
            return None;
        }
    }
    let (text, rest) = from.split_at_checked(size)?;
    *from = rest;
    std::str::from_utf8(text).ok()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("packed from a str")
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn packs_like_a_map(pairs in proptest::collection::vec((".{0,8}", ".{0,200}"), 0..8)) {
            let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
            let packed = Metadata::new(pairs.iter().map(|(k, v)| (k, v)));
            prop_assert_eq!(packed.len(), map.len());
            prop_assert_eq!(Metadata::from_packed(packed.packed()), Some(packed.clone()));
            let back: BTreeMap<_, _> = packed.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
            prop_assert_eq!(back, map);
        }
    }

    #[test]
    fn bytes_that_nothing_packs_to_are_refused() {
        for bad in
            [&b"\x01a"[..], b"\x01b\0\x01a\0", b"\x01a\0\x01a\0", b"\x01\xff\0", b"\x81\0a\0", b"\x05a\0"]
        {
            assert_eq!(Metadata::from_packed(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_overlay_wins() {
        let base = Metadata::new([("a", "1"), ("b", "2")]);
        let shown = base.overlaid(&Metadata::new([("b", "3"), ("c", "4")]));
        assert_eq!(shown, Metadata::new([("a", "1"), ("b", "3"), ("c", "4")]));
    }
}
