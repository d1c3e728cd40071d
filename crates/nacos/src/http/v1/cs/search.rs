//! Searching configs.

use crate::http::{
    Http,
    call::Call,
    configs::{
        V1_NAMES, config_info,
        search::{SearchNames, search_of},
    },
    refuse,
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Answer, ConfigInfo, Refusal, page};
use muster_node::{ConfigPage, PageRequest, ShownConfig};

const NAMES: SearchNames = SearchNames { types: "types", content: None };

impl Http {
    /// A page of the configs of a namespace, with their contents.
    pub(super) async fn search_configs(&self, call: &Call, blur: bool) -> Result<Reply, Trouble> {
        for name in ["dataId", V1_NAMES.group] {
            call.parameters.get(name).ok_or(Refusal::Missing { name, of_type: "String" })?;
        }
        let wanted = page_of(call)?;
        let search = search_of(call, V1_NAMES, NAMES, blur)?;
        let by_tags = !search.tags.is_empty();
        let found = self.node.search_contents(&search, wanted).await?;
        // The columns that the original's searches select: no type by whole names and tags, no cipher key by tags
        // (recordings v1-cs-search-accurate, v1-cs-search-pages).
        let columns = Columns { kind: blur || !by_tags, cipher_key: blur && !by_tags };
        Ok(found_page(&found, wanted, columns).into())
    }
}

/// What a search shows besides names and content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    pub(crate) kind: bool,
    pub(crate) cipher_key: bool,
}

/// A page of what was found.
pub(crate) fn found_page(found: &ConfigPage<ShownConfig>, wanted: PageRequest, columns: Columns) -> Answer {
    let items: Vec<ConfigInfo<'_>> = found
        .items
        .iter()
        .map(|ShownConfig { config, found }| {
            let info = config_info(config, found);
            ConfigInfo {
                md5: None,
                r#type: info.r#type.filter(|_| columns.kind),
                encrypted_data_key: columns.cipher_key.then_some(found.selection.encrypted_data_key.as_str()),
                ..info
            }
        })
        .collect();
    let mut body = Vec::with_capacity(256);
    page(&mut body, found.total, wanted.number, wanted.size, &items);
    Answer::json(body)
}

fn page_of(call: &Call) -> Result<PageRequest, Trouble> {
    Ok(PageRequest { number: page_number(call, "pageNo")?, size: page_number(call, "pageSize")? })
}

/// A page's number or size, at least 1.
fn page_number(call: &Call, name: &'static str) -> Result<usize, Trouble> {
    let text = call.parameters.first(&[name]).ok_or(Refusal::Missing { name, of_type: "int" })?;
    let bad = || Refusal::BadValue { name, value: text.to_owned() };
    let number: i64 = text.parse().map_err(|_| bad())?;
    usize::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| {
        let text =
            "serialize page error, dataId=, group=;caused: pageNo and pageSize must be greater than zero";
        refuse(ErrorCode::InvalidParameter, text)
    })
}
