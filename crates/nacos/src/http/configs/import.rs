//! Imports and clones.

use super::PublishNames;
use crate::http::{Http, call::Call, refuse, trouble::Trouble};
use muster_model::{ConfigKey, ConfigType, DataId, ErrorCode, GroupName, Namespace};
use muster_nacos_wire::{
    ParamError, config_key,
    http::{ConfigNumbered, ConfigOf, ImportError, ImportLimits, ImportZip, Refusal, Unrecognized},
};
use muster_node::{
    CloneItem, ImportPolicy, ImportReport, NodeError,
    config::{Author, Content, Publish},
};
use serde_json::{Map, Value, json};

/// How an import or a clone ended.
pub(crate) enum Imported {
    /// It was done, as far as its policy goes.
    Done(ImportReport, Vec<Unrecognized>),
    /// The form has no file.
    NoFile,
    /// The target namespace was never created.
    NoNamespace,
    /// The metadata is malformed.
    BadMetadata,
    /// The archive is damaged.
    Damaged,
    /// There are no configs in it, or none with these numbers.
    Nothing,
    /// No config was named.
    NoSelection,
}

/// What to do with configs that exist; absent is ABORT.
fn policy_of(call: &Call) -> Result<ImportPolicy, Refusal> {
    match call.parameters.first(&["policy"]) {
        None | Some("ABORT") => Ok(ImportPolicy::Abort),
        Some("SKIP") => Ok(ImportPolicy::Skip),
        Some("OVERWRITE") => Ok(ImportPolicy::Overwrite),
        Some(other) => Err(Refusal::BadValue { name: "policy", value: other.to_owned() }),
    }
}

fn namespace_of(call: &Call, name: &str) -> Result<Namespace, Refusal> {
    let text = call.parameters.first(&[name]).unwrap_or_default();
    Namespace::canonical(text).map_err(|error| Refusal::Filter(ParamError::from(error)))
}

impl Http {
    /// Publishes the configs of an archive, the part `file`, into a namespace. The archive is looked through first:
    /// of one that is damaged nothing is imported.
    pub(crate) async fn import(
        &self,
        call: &Call,
        namespace: &str,
        author: Author,
    ) -> Result<Imported, Trouble> {
        let Some(file) = call.file("file") else { return Ok(Imported::NoFile) };
        let policy = policy_of(call)?;
        let namespace = namespace_of(call, namespace)?;
        if !self.node.has_namespace(&namespace) {
            return Ok(Imported::NoNamespace);
        }
        let content_bytes_max = self.node.settings().limits.content_bytes_max as u64;
        let limits = ImportLimits { content_bytes_max, ..ImportLimits::default() };
        let opened = tokio::task::spawn_blocking(move || ImportZip::open(file, limits)).await;
        let opened = opened.map_err(|error| {
            tracing::error!(%error, "an import broke");
            NodeError::Defect("an import broke")
        })?;
        let mut zip = match opened {
            Ok(zip) => zip,
            Err(ImportError::Metadata) => return Ok(Imported::BadMetadata),
            Err(ImportError::Nothing) => return Ok(Imported::Nothing),
            Err(error @ ImportError::Damaged(_)) => {
                tracing::debug!(%error, "archive refused");
                return Ok(Imported::Damaged);
            }
            Err(error @ (ImportError::TooLarge(_) | ImportError::Content { .. })) => {
                return Err(refuse(ErrorCode::InvalidParameter, error.to_string()));
            }
        };
        let keys: Result<Vec<ConfigKey>, _> = zip
            .items()
            .iter()
            .map(|item| config_key(namespace.as_str(), &item.group, &item.data_id).map_err(Refusal::Filter))
            .collect();
        let keys = keys?;
        let unrecognized = zip.unrecognized().to_vec();
        let bounds = self.node.config_bounds();
        let publication = |place: usize| {
            let content = zip.content(place).map_err(|_| NodeError::Defect("an archive changed"))?;
            let item = &zip.items()[place];
            let content = Content::new(content.into())?;
            let mut publish = Publish::new(keys[place].clone(), content, author.clone(), bounds);
            publish.kind = item.kind.as_deref().map_or(ConfigType::Undeclared, ConfigType::parse);
            publish.app_name = item.app_name.clone();
            publish.tags = item.tags.as_deref().map(Publish::tags_of);
            publish.details.description.clone_from(&item.description);
            Ok(publish)
        };
        let report = self.node.import_configs(&keys, policy, publication).await?;
        Ok(Imported::Done(report, unrecognized))
    }

    /// Copies configs, named by number in a JSON body, into a namespace.
    pub(crate) async fn clone_into(
        &self,
        call: &Call,
        namespace: &str,
        author: Author,
    ) -> Result<Imported, Trouble> {
        let policy = policy_of(call)?;
        let named: Vec<Option<ConfigNumbered>> = serde_json::from_slice(&call.body)
            .map_err(|error| refuse(ErrorCode::InvalidParameter, format!("JSON parse error: {error}")))?;
        if named.is_empty() {
            return Ok(Imported::NoSelection);
        }
        let namespace = namespace_of(call, namespace)?;
        if !self.node.has_namespace(&namespace) {
            return Ok(Imported::NoNamespace);
        }
        let items: Result<Vec<CloneItem>, Refusal> = named.into_iter().flatten().map(clone_item).collect();
        let report = self.node.clone_configs(&items?, &namespace, policy, &author).await?;
        Ok(report.map_or(Imported::Nothing, |report| Imported::Done(report, Vec::new())))
    }
}

fn clone_item(named: ConfigNumbered) -> Result<CloneItem, Refusal> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let filter = |error| Refusal::Filter(ParamError::from(error));
    let data_id = given(named.data_id).map(|text| DataId::new(&text)).transpose().map_err(filter)?;
    let group = given(named.group).map(|text| GroupName::new(&text)).transpose().map_err(filter)?;
    Ok(CloneItem { id: named.cfg_id, data_id, group })
}

/// Who imports: named by one of these parameters.
pub(crate) fn author_of(call: &Call, names: PublishNames) -> Author {
    let user = call.parameters.first(&[names.user, "src_user", "srcUser"]).map(str::to_owned);
    Author { user, ip: call.client_ip() }
}

/// What was done, as all generations tell it; lists without anything in them are left out. `texts` say that something
/// is not in the metadata, and not among the files.
pub(crate) fn report_body(
    report: &ImportReport,
    unrecognized: &[Unrecognized],
    texts: (&str, &str),
) -> Map<String, Value> {
    let named = |keys: &[ConfigKey]| {
        let of = |key: &ConfigKey| {
            json!(ConfigOf { data_id: key.data_id().as_str(), group: key.group().as_str() })
        };
        keys.iter().map(of).collect::<Value>()
    };
    let mut body = Map::new();
    body.insert("succCount".into(), report.published.into());
    body.insert("skipCount".into(), report.skipped.len().into());
    if let Some(failed) = &report.failed {
        body.insert("failData".into(), named(std::slice::from_ref(failed)));
    }
    if !report.skipped.is_empty() {
        body.insert("skipData".into(), named(&report.skipped));
    }
    if !unrecognized.is_empty() {
        let name = |item: &Unrecognized| match item {
            Unrecognized::Name(name) => name.clone(),
            Unrecognized::NotInMetadata(name) => format!("{}{name}", texts.0),
            Unrecognized::NotInFiles(name) => format!("{}{name}", texts.1),
        };
        body.insert("unrecognizedCount".into(), unrecognized.len().into());
        let items = unrecognized.iter().map(|item| json!({ "itemName": name(item) }));
        body.insert("unrecognizedData".into(), items.collect());
    }
    body
}
