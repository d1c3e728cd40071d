//! History.

use crate::http::{
    Http,
    call::Call,
    configs::{
        V3_NAMES, bound, bound_number,
        history::{OF_ANOTHER, PAGE_SIZE_MAX, v3_listed, v3_shown},
        search::{basic, v3_page},
    },
    refuse,
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{ConfigBasic, check_filter, page, result, write_json};
use muster_node::{ConfigSearch, HistoryFound, PageRequest};

impl Http {
    pub(crate) fn v3_history(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let PageRequest { number, size } = v3_page(&call.parameters)?;
        let wanted = PageRequest { number, size: size.min(PAGE_SIZE_MAX) };
        let found = self.node.config_history(&key, wanted)?;
        let items: Vec<_> = found.items.iter().map(v3_listed).collect();
        Ok(result(|out| page(out, found.total, wanted.number, wanted.size, &items)).into())
    }

    pub(crate) fn v3_history_entry(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let number = bound_number(&call.parameters, "nid")?;
        entry(&self.node.history_entry(&key, number)?)
    }

    pub(crate) fn v3_previous(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let id = bound_number(&call.parameters, "id")?;
        entry(&self.node.last_history_of(&key, id)?)
    }

    /// The configs of a namespace, without their contents.
    pub(crate) async fn v3_configs_of(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        bound(&call.parameters, "namespaceId", "String")?;
        let search = ConfigSearch::all_of(V3_NAMES.namespace(&call.parameters)?);
        let configs = self.node.all_configs(&search).await?;
        let items: Vec<ConfigBasic<'_>> = configs
            .iter()
            .map(|config| ConfigBasic {
                id: "0".to_owned(),
                md5: None,
                modify_time: config.formal().map_or(0, |formal| formal.modified.0),
                ..basic(config, true)
            })
            .collect();
        Ok(result(|out| write_json(out, &items)).into())
    }
}

fn entry(found: &HistoryFound) -> Result<Reply, Trouble> {
    match found {
        HistoryFound::Entry(item) => Ok(result(|out| write_json(out, &v3_shown(item))).into()),
        HistoryFound::OfAnother => Err(refuse(ErrorCode::Forbidden, OF_ANOTHER)),
        // What Java says of it.
        HistoryFound::Nothing => Err(refuse(ErrorCode::InvalidParameter, "Source must not be null")),
    }
}
