//! History entries as they are shown.

use super::{shown_tags, shown_tenant};
use muster_nacos_wire::http::{ExtraInfo, GrayInfo, HistoryInfo, V3History, V3HistoryDetail, iso_date};
use muster_node::{
    HistoryItem,
    config::{Gray, GrayRule, HistoryOp, HistoryRow},
};

/// The most entries of one page.
pub(crate) const PAGE_SIZE_MAX: usize = 500;
/// What says that an entry is of another config.
pub(crate) const OF_ANOTHER: &str = "Please check dataId, group or namespaceId.";

/// A gray version's name and rule.
pub(crate) fn gray_info<'a>(name: &'a str, rule: &'a GrayRule) -> GrayInfo<'a> {
    GrayInfo {
        name,
        kind: rule.kind().as_str(),
        version: GrayRule::VERSION,
        expression: rule.expression(),
        priority: rule.priority(),
    }
}

/// What an entry tells besides.
pub(crate) fn extra(entry: &HistoryRow) -> String {
    let details = &entry.details;
    let extra = ExtraInfo {
        kind: entry.kind.declared(),
        tags: shown_tags(&entry.tags).unwrap_or_default(),
        user: entry.published_by.user.as_deref(),
        description: details.description.as_deref(),
        purpose: details.purpose.as_deref(),
        effect: details.effect.as_deref(),
        schema: details.schema.as_deref(),
        gray: entry.gray.as_ref().map(|gray| gray_info(gray.name.as_str(), &gray.rule)),
    };
    extra.text(entry.op == HistoryOp::Insert)
}

/// What was done, in the original's column of ten characters.
fn padded(op: HistoryOp) -> String {
    format!("{:<10}", op.as_str())
}

fn publish_type(gray: Option<&Gray>) -> &'static str {
    if gray.is_some() { "gray" } else { "formal" }
}

fn gray_name(entry: &HistoryRow) -> &str {
    entry.gray.as_ref().map_or("", |gray| gray.name.as_str())
}

/// An entry in lists of v1 and v2, without what its content is.
pub(crate) fn listed(entry: &HistoryRow) -> HistoryInfo<'_> {
    let key = entry.key();
    HistoryInfo {
        id: entry.revision.0.to_string(),
        last_id: -1,
        data_id: key.data_id().as_str(),
        group: key.group().as_str(),
        tenant: shown_tenant(key.namespace()),
        app_name: &entry.app_name,
        md5: None,
        content: None,
        src_ip: &entry.author.ip,
        src_user: entry.author.user.as_deref(),
        op_type: padded(entry.op),
        publish_type: publish_type(entry.gray.as_ref()),
        gray_name: gray_name(entry),
        ext_info: extra(entry),
        created_time: iso_date(entry.time),
        last_modified_time: iso_date(entry.time),
        encrypted_data_key: None,
    }
}

/// An entry's content as text.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("contents are checked when they are published")
}

/// One entry in v1 and v2.
pub(crate) fn shown(item: &HistoryItem) -> HistoryInfo<'_> {
    HistoryInfo {
        md5: Some(item.entry.md5.to_string()),
        content: Some(text(&item.content)),
        encrypted_data_key: Some(&item.entry.encrypted_data_key),
        ..listed(&item.entry)
    }
}

/// An entry in lists of v3.
pub(crate) fn v3_listed(entry: &HistoryRow) -> V3History<'_> {
    let key = entry.key();
    V3History {
        id: entry.revision.0.to_string(),
        namespace_id: key.namespace().as_str(),
        group_name: key.group().as_str(),
        data_id: key.data_id().as_str(),
        md5: None,
        r#type: None,
        app_name: &entry.app_name,
        create_time: entry.time.0,
        modify_time: entry.time.0,
        src_ip: &entry.author.ip,
        src_user: entry.author.user.as_deref(),
        op_type: padded(entry.op),
        publish_type: publish_type(entry.gray.as_ref()),
    }
}

/// One entry in v3.
pub(crate) fn v3_shown(item: &HistoryItem) -> V3HistoryDetail<'_> {
    V3HistoryDetail {
        entry: V3History { md5: Some(item.entry.md5.to_string()), ..v3_listed(&item.entry) },
        content: text(&item.content),
        encrypted_data_key: &item.entry.encrypted_data_key,
        gray_name: gray_name(&item.entry),
        ext_info: extra(&item.entry),
    }
}
