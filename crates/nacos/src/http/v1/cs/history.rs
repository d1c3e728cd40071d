//! History.

use crate::http::{
    Http,
    call::Call,
    configs::{
        V1_NAMES,
        history::{OF_ANOTHER, PAGE_SIZE_MAX, listed, shown},
        shown_tenant,
    },
    refuse,
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Answer, NamespaceConfig, Parameters, Refusal, check_filter, page, write_json};
use muster_node::{ConfigSearch, HistoryFound, PageRequest};

impl Http {
    /// The history of a config, or one entry of it.
    pub(super) fn v1_history(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        if call.parameters.get("search") != Some("accurate") {
            let number = required_number(&call.parameters, "nid")?;
            let key = V1_NAMES.key(&call.parameters)?;
            return Ok(entry(&self.node.history_entry(&key, number)?));
        }
        let key = V1_NAMES.key(&call.parameters)?;
        let wanted = history_page(&call.parameters)?;
        let mut body = Vec::with_capacity(256);
        self.write_history(&key, wanted, &mut body)?;
        Ok(Answer::json(body).into())
    }

    /// The newest entry of a config, which is named by its number.
    pub(super) fn v1_previous(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let id = required_number(&call.parameters, "id")?;
        let key = V1_NAMES.key(&call.parameters)?;
        Ok(entry(&self.node.last_history_of(&key, id)?))
    }

    /// The configs of a namespace, without their contents.
    pub(super) async fn v1_configs_of(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let name = "tenant";
        call.parameters.get(name).ok_or(Refusal::Missing { name, of_type: "String" })?;
        let mut body = Vec::with_capacity(256);
        self.write_configs_of(&ConfigSearch::all_of(V1_NAMES.namespace(&call.parameters)?), &mut body)
            .await?;
        Ok(Answer::json(body).into())
    }

    /// Writes the configs of a namespace as v1 and v2 list them.
    pub(crate) async fn write_configs_of(
        &self,
        search: &ConfigSearch,
        out: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        let configs = self.node.all_configs(search).await?;
        let items: Vec<NamespaceConfig<'_>> = configs
            .iter()
            .map(|config| NamespaceConfig {
                id: "0",
                data_id: config.key().data_id().as_str(),
                group: config.key().group().as_str(),
                content: None,
                md5: None,
                encrypted_data_key: None,
                tenant: shown_tenant(config.key().namespace()),
                app_name: config.app_name(),
                r#type: config.formal().and_then(|formal| formal.kind.declared()),
                last_modified: config.formal().map_or(0, |formal| formal.modified.0),
            })
            .collect();
        write_json(out, &items);
        Ok(())
    }

    /// Writes a page of the history of a config as v1 and v2 list it.
    pub(crate) fn write_history(
        &self,
        key: &muster_model::ConfigKey,
        wanted: PageRequest,
        out: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        let found = self.node.config_history(key, wanted)?;
        let items: Vec<_> = found.items.iter().map(listed).collect();
        page(out, found.total, wanted.number, wanted.size, &items);
        Ok(())
    }
}

/// One entry; nothing at all if there is none.
fn entry(found: &HistoryFound) -> Reply {
    match found {
        HistoryFound::Entry(item) => {
            let mut body = Vec::with_capacity(256 + item.content.len());
            write_json(&mut body, &shown(item));
            Answer::json(body).into()
        }
        // The original sends the status 0, which is none.
        HistoryFound::OfAnother => Answer::text(403, OF_ANOTHER).into(),
        HistoryFound::Nothing => Answer::json("").into(),
    }
}

fn required_number(parameters: &Parameters, name: &'static str) -> Result<u64, Refusal> {
    let text = parameters.get(name).ok_or(Refusal::Missing { name, of_type: "Long" })?.trim();
    text.parse().map_err(|_| Refusal::BadValue { name, value: text.to_owned() })
}

/// A page of a history as v1 and v2 read it: the first of 100 unless something else is asked for, 500 at most.
pub(crate) fn history_page(parameters: &Parameters) -> Result<PageRequest, Trouble> {
    let number = |name: &'static str, default| {
        let Some(text) = parameters.first(&[name]) else { return Ok(default) };
        text.parse::<i64>().map_err(|_| Refusal::BadValue { name, value: text.to_owned() })
    };
    let (page, size) = (number("pageNo", 1)?, number("pageSize", 100)?);
    let positive = |number: i64| usize::try_from(number).ok().filter(|number| *number > 0);
    match (positive(page), positive(size)) {
        (Some(number), Some(size)) => Ok(PageRequest { number, size: size.min(PAGE_SIZE_MAX) }),
        (None, _) | (_, None) => {
            Err(refuse(ErrorCode::InvalidParameter, "pageNo and pageSize must be greater than zero"))
        }
    }
}
