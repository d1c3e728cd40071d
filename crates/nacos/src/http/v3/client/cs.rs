//! `/v3/client/cs`: configs.

use crate::http::{
    Http,
    call::Call,
    configs::{V3_NAMES, text_of},
    reply::Reply,
    route::{Handler::Now, Route},
    trouble::Trouble,
};
use muster_nacos_wire::http::{ResultCode, V3Config, check_filter, result_error, v3_config};
use muster_node::config::VariantName;

pub(crate) const ROUTES: &[Route] = &[Route::get("/config", Now(Http::v3_read_config))];

impl Http {
    fn v3_read_config(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let tag = call.parameters.first(&["tag"]);
        let Some(found) = self.node.query_config(&key, &call.labels(), tag)? else {
            return Ok(result_error(200, ResultCode::NotFound, None).into());
        };
        let selection = &found.selection;
        let is_formal = selection.name == VariantName::Formal;
        Ok(v3_config(&V3Config {
            content: text_of(&found),
            config_type: selection.kind.as_str(),
            md5: &selection.md5.to_string(),
            encrypted_data_key: is_formal.then_some(selection.encrypted_data_key.as_str()),
            last_modified: selection.modified,
            beta: selection.is_beta(),
            tag: selection.tag(),
        })
        .into())
    }
}
