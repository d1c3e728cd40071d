//! Who listens to what.

use crate::http::{
    Http,
    call::Call,
    configs::{V3_NAMES, listeners::full_name},
    reply::Reply,
    trouble::Trouble,
};
use muster_nacos_wire::http::{Refusal, check_filter, result, write_json};
use serde_json::json;
use std::collections::BTreeMap;

fn status(kind: &str, listeners: &BTreeMap<String, String>) -> Reply {
    result(|out| write_json(out, &json!({ "queryType": kind, "listenersStatus": listeners }))).into()
}

impl Http {
    /// Who listens to a config.
    pub(crate) fn v3_listeners_of(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        Ok(status("config", &self.listeners_of(&V3_NAMES.key(&call.parameters)?)))
    }

    /// What an address listens to.
    pub(crate) fn v3_listened_by(&self, call: &Call) -> Result<Reply, Trouble> {
        let missing = |name| Refusal::Unbound { name, of_type: "String" };
        Ok(status("ip", &self.listened_by(call, V3_NAMES, missing, full_name)?))
    }
}
