//! Searching configs, also by what they say.

use crate::http::{
    Http,
    call::Call,
    configs::{
        PublishNames, V1_NAMES, bound,
        search::{SearchNames, search_of},
    },
    refuse,
    reply::Reply,
    trouble::Trouble,
    v1::cs::{Columns, found_page},
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::Refusal;
use muster_node::PageRequest;

/// As v1 calls them, and the namespace as v2 does, too.
const NAMES: PublishNames = PublishNames { namespace: &["tenant", "namespaceId"], ..V1_NAMES };
const MORE: SearchNames = SearchNames { types: "types", content: Some("config_detail") };

impl Http {
    /// A page of the configs of a namespace, raw; by parts of names only with `search=blur`, which is the default.
    pub(super) async fn v2_search(&self, call: &Call) -> Result<Reply, Trouble> {
        for name in ["dataId", "group", "config_detail"] {
            bound(&call.parameters, name, "String")?;
        }
        let wanted =
            PageRequest { number: page_number(call, "pageNo")?, size: page_number(call, "pageSize")? };
        let blur = call.parameters.first(&["search"]).unwrap_or("blur") == "blur";
        let search = search_of(call, NAMES, MORE, blur)?;
        let cipher_key = blur && search.tags.is_empty();
        let found = self.node.search_contents(&search, wanted).await?;
        Ok(found_page(&found, wanted, Columns { kind: true, cipher_key }).into())
    }
}

fn page_number(call: &Call, name: &'static str) -> Result<usize, Trouble> {
    let text = bound(&call.parameters, name, "int")?.trim();
    let number: i64 = text.parse().map_err(|_| Refusal::BadValue { name, value: text.to_owned() })?;
    usize::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| refuse(ErrorCode::InvalidParameter, "pageNo and pageSize must be greater than zero"))
}
