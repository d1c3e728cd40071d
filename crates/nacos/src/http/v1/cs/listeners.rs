//! Who listens to what.

use crate::http::{
    Http,
    call::Call,
    configs::{V1_NAMES, listeners::short_name},
    reply::Reply,
    trouble::Trouble,
};
use muster_nacos_wire::http::{Answer, Refusal, check_filter};
use serde_json::json;
use std::collections::BTreeMap;

/// `lisenters` as the original spells it.
fn sampled(listeners: &BTreeMap<String, String>) -> Reply {
    Answer::json(json!({ "collectStatus": 200, "lisentersGroupkeyStatus": listeners }).to_string()).into()
}

impl Http {
    /// Who listens to a config.
    pub(super) fn v1_listeners_of(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        Ok(sampled(&self.listeners_of(&V1_NAMES.key(&call.parameters)?)))
    }

    /// What an address listens to.
    pub(super) fn v1_listened_by(&self, call: &Call) -> Result<Reply, Trouble> {
        let missing = |name| Refusal::Missing { name, of_type: "String" };
        Ok(sampled(&self.listened_by(call, V1_NAMES, missing, short_name)?))
    }
}
