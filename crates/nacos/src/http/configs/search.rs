//! What a search asks for.

use super::{PublishNames, shown_tags};
use crate::http::{call::Call, refuse, trouble::Trouble};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{ConfigBasic, Parameters, Refusal};
use muster_node::{
    ConfigSearch, Like, PageRequest,
    config::{Config, Publish},
};

/// How a generation calls what only searches have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchNames {
    /// Types, comma-separated. Accurate searches do not read them.
    pub(crate) types: &'static str,
    /// What the content says.
    pub(crate) content: Option<&'static str>,
}

/// Reads a search by parts of names (`blur`), or by whole names.
pub(crate) fn search_of(
    call: &Call,
    names: PublishNames,
    more: SearchNames,
    blur: bool,
) -> Result<ConfigSearch, Refusal> {
    let parameters = &call.parameters;
    let text = |name| parameters.get(name).map(str::trim).unwrap_or_default();
    let like = |text: &str| if blur { Like::pattern(text) } else { Like::exactly(text) };
    let kinds = text(more.types).split(',').map(str::trim).filter(|kind| blur && !kind.is_empty());
    let content = more.content.map(text).filter(|content| !content.is_empty());
    Ok(ConfigSearch {
        namespace: names.namespace(parameters)?,
        data_id: like(text("dataId")),
        group: like(text(names.group)),
        app_name: text("appName").to_owned(),
        tags: Publish::tags_of(text(names.tags)).iter().map(|tag| like(tag)).collect(),
        kinds: kinds.map(str::to_owned).collect(),
        content: content.map(Like::pattern).filter(|content| !content.is_any()),
    })
}

/// A page as v3 reads it: the first of 100 unless something else is asked for.
pub(crate) fn v3_page(parameters: &Parameters) -> Result<PageRequest, Trouble> {
    let number = |name: &'static str, default| {
        let Some(text) = parameters.first(&[name]) else { return Ok(default) };
        let bad = || Refusal::BadValue { name, value: text.to_owned() };
        let number: i64 = text.parse().map_err(|_| bad())?;
        usize::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| {
            let text = format!("Required parameter '{name}' should be positive integer, current is {number}");
            refuse(ErrorCode::InvalidParameter, text)
        })
    };
    Ok(PageRequest { number: number("pageNo", 1)?, size: number("pageSize", 100)? })
}

/// A config in a list of v3. What was found by tags has no md5, as the original's join gives it.
pub(crate) fn basic(config: &Config, by_tags: bool) -> ConfigBasic<'_> {
    let key = config.key();
    let formal = config.formal();
    ConfigBasic {
        id: config.id().to_string(),
        namespace_id: key.namespace().as_str(),
        group_name: key.group().as_str(),
        data_id: key.data_id().as_str(),
        md5: formal.filter(|_| !by_tags).map(|formal| formal.md5.to_string()),
        r#type: formal.and_then(|formal| formal.kind.declared()),
        app_name: config.app_name(),
        create_time: 0,
        modify_time: 0,
    }
}

/// A config with its times, as its own endpoint shows it.
pub(crate) fn timed(config: &Config) -> (ConfigBasic<'_>, Option<String>) {
    let modify_time = config.formal().map_or(0, |formal| formal.modified.0);
    let basic = ConfigBasic { create_time: config.created().0, modify_time, ..basic(config, false) };
    (basic, shown_tags(config.tags()))
}
