//! Configs: read, publish, remove.

use crate::http::{
    Http,
    call::Call,
    configs::{V2_NAMES, read_headers, text_of},
    reply::Reply,
    trouble::Trouble,
};
use muster_nacos_wire::http::{Answer, ResultCode, check_filter, result, result_error, write_json};

/// What a read of nothing says.
const NOT_FOUND: &str = "config data not exist";

impl Http {
    /// The content as `data`, what is known of it in headers as in v1.
    pub(super) fn v2_read_config(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V2_NAMES.bound_key(&call.parameters)?;
        let tag = call.parameters.first(&["tag"]);
        let Some(found) = self.node.query_config(&key, &call.labels(), tag)? else {
            // A line, and without a content type, as recorded.
            let answer = result_error(404, ResultCode::NotFound, Some(NOT_FOUND));
            let body = [&answer.body[..], b"\n"].concat().into();
            return Ok(Answer { content_type: None, body, ..answer }.into());
        };
        let answer = result(|out| write_json(out, text_of(&found)));
        Ok(Reply::from(answer).with_headers(read_headers(&found)))
    }

    pub(super) async fn v2_publish(&self, call: &Call) -> Result<Reply, Trouble> {
        self.publish_described(call, V2_NAMES).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    pub(super) async fn v2_remove(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V2_NAMES.bound_key(&call.parameters)?;
        self.remove_described(call, V2_NAMES, key).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }
}
