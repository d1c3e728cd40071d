//! History.

use crate::http::{
    Http,
    call::Call,
    configs::{
        V2_NAMES, bound, bound_number,
        history::{OF_ANOTHER, extra, listed, shown, text},
    },
    refuse,
    reply::Reply,
    trouble::Trouble,
    v1::cs::history_page,
};
use muster_model::{ErrorCode, Md5};
use muster_nacos_wire::http::{HistoryDetail, check_filter, result, write_json};
use muster_node::{ConfigSearch, HistoryChange, HistoryFound, HistoryItem, config::HistoryOp};

impl Http {
    pub(super) fn v2_history(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V2_NAMES.bound_key(&call.parameters)?;
        let wanted = history_page(&call.parameters)?;
        let mut page = Vec::with_capacity(256);
        self.write_history(&key, wanted, &mut page)?;
        Ok(result(|out| out.extend_from_slice(&page)).into())
    }

    pub(super) fn v2_history_entry(&self, call: &Call) -> Result<Reply, Trouble> {
        let item = self.v2_entry(call)?;
        Ok(result(|out| write_json(out, &item.as_ref().map(shown))).into())
    }

    pub(super) fn v2_previous(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V2_NAMES.bound_key(&call.parameters)?;
        let id = bound_number(&call.parameters, "id")?;
        let item = item_of(self.node.last_history_of(&key, id)?)?;
        Ok(result(|out| write_json(out, &item.as_ref().map(shown))).into())
    }

    /// What an entry changed: the content before and after.
    pub(super) fn v2_history_detail(&self, call: &Call) -> Result<Reply, Trouble> {
        let Some(item) = self.v2_entry(call)? else {
            return Ok(result(|out| write_json(out, &None::<&str>)).into());
        };
        let HistoryChange { item, before, after } = self.node.history_change(item)?;
        let is_first = item.entry.op == HistoryOp::Insert;
        let detail = HistoryDetail {
            entry: listed(&item.entry),
            original_content: before.as_ref().map(|before| text(&before.content)),
            original_md5: before.as_ref().map(|before| before.entry.md5.to_string()),
            original_ext_info: before.as_ref().map(|before| extra(&before.entry)),
            updated_content: after.as_deref().map(text),
            updated_md5: after.as_deref().map(|after| Md5::of(after).to_string()),
            updated_ext_info: is_first.then(|| extra(&item.entry)),
        };
        Ok(result(|out| write_json(out, &detail)).into())
    }

    /// The configs of a namespace, without their contents.
    pub(super) async fn v2_configs_of(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        bound(&call.parameters, "namespaceId", "String")?;
        let mut list = Vec::with_capacity(256);
        self.write_configs_of(&ConfigSearch::all_of(V2_NAMES.namespace(&call.parameters)?), &mut list)
            .await?;
        Ok(result(|out| out.extend_from_slice(&list)).into())
    }

    fn v2_entry(&self, call: &Call) -> Result<Option<HistoryItem>, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V2_NAMES.bound_key(&call.parameters)?;
        let number = bound_number(&call.parameters, "nid")?;
        item_of(self.node.history_entry(&key, number)?)
    }
}

fn item_of(found: HistoryFound) -> Result<Option<HistoryItem>, Trouble> {
    match found {
        HistoryFound::Entry(item) => Ok(Some(*item)),
        HistoryFound::OfAnother => Err(refuse(ErrorCode::Forbidden, OF_ANOTHER)),
        HistoryFound::Nothing => Ok(None),
    }
}
