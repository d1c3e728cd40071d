//! Selectors of services, in parameters and answers (nacos-http.md 3.1).

use super::{Refusal, ResultCode};
use crate::{
    Text,
    json::{self, Object},
};
use muster_model::{ErrorCode, LabelSelector, Selector};
use serde::Deserialize;

/// The types there are, as `service/selector/types` lists them.
pub const SELECTOR_TYPES: [&str; 2] = ["label", "none"];

#[derive(Deserialize)]
struct SelectorBody<'a> {
    #[serde(borrow, default)]
    r#type: Text<'a>,
    #[serde(borrow, default)]
    expression: Text<'a>,
}

/// Reads the `selector` parameter: `{"type":"none"}`, `{"type":"label","expression":"CONSUMER.label.A=PROVIDER.label.A"}`;
/// blank is none. What is no JSON is answered like a type nobody knows (the original breaks the connection off).
pub fn parse_selector(text: &str) -> Result<Selector, Refusal> {
    if text.trim().is_empty() {
        return Ok(Selector::None);
    }
    let unknown = || refused("not match any type of selector!");
    let body: SelectorBody<'_> = serde_json::from_str(text).map_err(|_| unknown())?;
    match body.r#type.as_str() {
        "none" => Ok(Selector::None),
        "label" => LabelSelector::parse(&body.expression)
            .map(Selector::Label)
            .map_err(|error| refused(&error.to_string())),
        _ => Err(unknown()),
    }
}

fn refused(text: &str) -> Refusal {
    Refusal::Failed {
        error: ErrorCode::InvalidParameter,
        code: ResultCode::Selector,
        detail: text.to_owned(),
    }
}

/// Writes a selector: `{"type":"none","contextType":"NONE"}`,
/// `{"type":"label","expression":"…","labels":["A"],"contextType":"CMDB"}`.
pub(super) fn selector(out: &mut Vec<u8>, selector: &Selector) {
    let mut object = Object::open(out);
    match selector {
        Selector::None => object.string("type", "none").string("contextType", "NONE"),
        Selector::Label(label) => {
            object.string("type", "label").string("expression", label.expression());
            json::array(object.key("labels"), label.labels(), |out, label| json::string(out, label));
            object.string("contextType", "CMDB")
        }
    };
    object.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(text: &str) -> Result<String, Refusal> {
        let mut out = Vec::new();
        selector(&mut out, &parse_selector(text)?);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn selectors_are_read_and_shown_as_recorded() {
        let none = r#"{"type":"none","contextType":"NONE"}"#;
        assert_eq!(there_and_back(r#"{"type":"none"}"#).unwrap(), none);
        assert_eq!(there_and_back(" ").unwrap(), none);
        assert_eq!(
            there_and_back(r#"{"type":"label","expression":"CONSUMER.label.A=PROVIDER.label.A"}"#).unwrap(),
            r#"{"type":"label","expression":"CONSUMER.label.A=PROVIDER.label.A","labels":["A"],"contextType":"CMDB"}"#
        );
        for (text, detail) in [
            (r#"{"type":"magic"}"#, "not match any type of selector!"),
            ("oops", "not match any type of selector!"),
            (r#"{"type":"label","expression":"A=B"}"#, "parse expression failed!"),
        ] {
            assert_eq!(there_and_back(text), Err(refused(detail)), "{text}");
        }
    }
}
