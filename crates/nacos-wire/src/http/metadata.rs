//! Metadata as a text parameter.

use crate::{Text, service_info::NULL_VALUE};
use muster_model::Metadata;
use std::collections::BTreeMap;

/// The text is neither a JSON object of scalars nor `k1=v1,k2=v2`; it carries the text, which the answer repeats.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("metadata format incorrect:{0}")]
pub struct MetadataError(pub String);

/// Reads `{"k":"v","n":1}` (scalars become texts, nulls are kept as such, nesting is refused) or `k1=v1,k2=v2`; blank is empty.
pub fn parse_metadata(text: &str) -> Result<Metadata, MetadataError> {
    if text.trim().is_empty() {
        return Ok(Metadata::default());
    }
    if let Ok(pairs) = serde_json::from_str::<BTreeMap<String, Text<'_>>>(text) {
        return Ok(Metadata::new(
            pairs.iter().map(|(key, value)| (key, value.as_option().unwrap_or(NULL_VALUE))),
        ));
    }
    // As Java's split: empty parts at the end don't count.
    let pairs: Option<Vec<_>> = text.trim_end_matches(',').split(',').map(pair).collect();
    pairs.map(Metadata::new).ok_or_else(|| MetadataError(text.to_owned()))
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.trim_end_matches('=').split_once('=')?;
    (!value.contains('=')).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let read =
            |text| parse_metadata(text).unwrap().iter().map(|(k, v)| format!("{k}:{v}")).collect::<Vec<_>>();
        assert_eq!(
            read(r#"{"version":"1.0","zone":"华东","empty":""}"#),
            ["empty:", "version:1.0", "zone:华东"]
        );
        assert_eq!(read("version=1.0,zone=east"), ["version:1.0", "zone:east"]);
        assert_eq!(read(r#"{"n":1,"b":true,"z":null}"#), ["b:true", "n:1", "z:\0null"]);
        assert_eq!(read("{}"), [""; 0]);
        assert_eq!(read(" "), [""; 0]);
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["abc", r#"["a"]"#, r#"{"n":{"x":1}}"#, "version=", "a=b=c", ",a=b", ","] {
            assert_eq!(parse_metadata(text), Err(MetadataError(text.to_owned())), "{text}");
        }
    }
}
