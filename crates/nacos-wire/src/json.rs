//! Writing JSON straight into bytes.

use bytes::Bytes;
use serde::Serialize;

/// Writes a text as a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Nearly all texts are names, which need no escape: looking costs less than writing piece by piece.
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        return value(out, text);
    }
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// What was written, without much room that is not used: it may be kept for long.
pub(crate) fn fitting(mut out: Vec<u8>) -> Bytes {
    if out.capacity() - out.len() > out.len() / 16 + 64 {
        out.shrink_to_fit();
    }
    out.into()
}

/// Writes any small value as serde sees it.
pub(crate) fn value<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("texts, numbers and maps of them always serialise");
}

/// An object being written: keys are constants of ours that need no escaping.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Writes `"key":` and hands out the place for the value.
    pub(crate) fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn string(&mut self, key: &'static str, text: &str) -> &mut Self {
        string(self.key(key), text);
        self
    }

    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, key: &'static str, content: &T) -> &mut Self {
        value(self.key(key), content);
        self
    }

    pub(crate) fn raw(&mut self, key: &'static str, json: &[u8]) -> &mut Self {
        self.key(key).extend_from_slice(json);
        self
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// Writes an array, one element a call of `each`.
pub(crate) fn array<I: IntoIterator>(
    out: &mut Vec<u8>,
    items: I,
    mut each: impl FnMut(&mut Vec<u8>, I::Item),
) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

/// Writes an object whose keys are texts, one value a call of `each`.
pub(crate) fn map<'k, V>(
    out: &mut Vec<u8>,
    entries: impl IntoIterator<Item = (&'k str, V)>,
    mut each: impl FnMut(&mut Vec<u8>, V),
) {
    out.push(b'{');
    for (at, (key, content)) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(out, key);
        out.push(b':');
        each(out, content);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_character_is_written_as_serde_does() {
        for character in ('\0'..='\u{2fff}').chain(['\u{10ffff}']) {
            let text = format!("a{character}b");
            let mut out = Vec::new();
            string(&mut out, &text);
            assert_eq!(out, serde_json::to_vec(&text).unwrap());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in any::<String>(), number in any::<i64>()) {
            let mut out = Vec::new();
            let mut object = Object::open(&mut out);
            object.string("text", &text).value("number", &number).raw("raw", b"[]");
            array(object.key("list"), [&text, &text], |out, item| string(out, item));
            object.close();
            let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(read, serde_json::json!({"text": text, "number": number, "raw": [], "list": [text, text]}));
        }
    }
}
