//! Taking over what another server has: configs with their history, and accounts. What is in no protocol of Nacos goes
//! this way; everything else `muster import` writes as any client does.

use crate::AdminState;
use axum::{
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_model::{ConfigKey, ConfigType, DataId, ErrorCode, GroupName, Namespace, Timestamp};
use muster_node::{
    Account, ConfigTakenOver, ForeignConfig, Node, NodeError, TakeOverOptions, TakenOver,
    config::{Author, Content, Details, Gray, Publish, TakeOver},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The most bytes of a request: a content of 10 MiB whose every byte is escaped, and room for what describes it.
pub(crate) const BODY_BYTES_MAX: usize = 96 << 20;

/// `{"overwrite":false,"dry_run":false,"items":[…]}`
#[derive(Debug, Deserialize)]
struct Request<T> {
    #[serde(default)]
    overwrite: bool,
    #[serde(default)]
    dry_run: bool,
    items: Vec<T>,
}

impl<T> Request<T> {
    fn options(&self) -> TakeOverOptions {
        TakeOverOptions { overwrite: self.overwrite, dry_run: self.dry_run }
    }
}

#[derive(Debug, Deserialize)]
struct ConfigItem {
    #[serde(default)]
    namespace: String,
    group: String,
    data_id: String,
    #[serde(default)]
    versions: Vec<VersionItem>,
    #[serde(default)]
    history: Vec<HistoryItem>,
}

/// A content and what is said of it.
#[derive(Debug, Deserialize)]
struct VersionItem {
    content: String,
    r#type: Option<String>,
    app_name: Option<String>,
    tags: Option<Vec<String>>,
    description: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    effect: Option<String>,
    schema: Option<String>,
    #[serde(default)]
    encrypted_data_key: String,
    user: Option<String>,
    #[serde(default)]
    address: String,
    gray: Option<GrayItem>,
}

#[derive(Debug, Deserialize)]
struct GrayItem {
    name: String,
    #[serde(default = "first_version")]
    version: String,
    expression: String,
    #[serde(default)]
    priority: i32,
}

fn first_version() -> String {
    "1.0.0".to_owned()
}

/// An entry: the content it has, and what was done by whom when.
#[derive(Debug, Deserialize)]
struct HistoryItem {
    op: String,
    time: u64,
    by_user: Option<String>,
    #[serde(default)]
    by_address: String,
    #[serde(flatten)]
    version: VersionItem,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum AccountItem {
    User { name: String, hash: String, enabled: bool },
    Role { user: String, role: String },
    Permission { role: String, resource: String, action: String },
}

/// `{"result":"created"}`, `same`, `differs` and `replaced` (with `fields`), `refused` (with `why`).
#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
enum Told {
    Created,
    Same,
    Differs { fields: Vec<&'static str> },
    Replaced { fields: Vec<&'static str> },
    Refused { why: String },
}

impl From<TakenOver> for Told {
    fn from(taken: TakenOver) -> Self {
        match taken {
            TakenOver::Created => Self::Created,
            TakenOver::Same => Self::Same,
            TakenOver::Differs(fields) => Self::Differs { fields },
            TakenOver::Replaced(fields) => Self::Replaced { fields },
            TakenOver::Refused(why) => Self::Refused { why },
        }
    }
}

/// What [`configs`] and [`accounts`] answer, in the words of OpenAPI.
pub(crate) fn schema() -> Value {
    let items = json!({ "type": "array", "items": { "type": "object" } });
    json!({ "type": "object", "properties": { "items": items } })
}

/// `POST /muster/v1/import/configs`: takes over configs, each with its versions (the formal one first) and its history.
/// Doing it again changes nothing. A config that can't be here is told as refused; an error of the node ends it all, and
/// what was done until then stays: send it again.
pub(crate) async fn configs(State(state): State<AdminState>, body: Bytes) -> Response {
    let request: Request<ConfigItem> = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return malformed(&error),
    };
    drop(body);
    let options = request.options();
    // The answer has an item for each, also for those that can't be one of ours.
    let mut told: Vec<Option<Value>> = Vec::with_capacity(request.items.len());
    let mut foreign = Vec::with_capacity(request.items.len());
    for item in request.items {
        match foreign_config(&state.node, item) {
            Ok((config, refused)) => {
                told.push(None);
                foreign.push((config, refused));
            }
            Err(why) => told.push(Some(json!({ "result": "refused", "why": why }))),
        }
    }
    let (foreign, mut refused): (Vec<_>, Vec<_>) = foreign.into_iter().unzip();
    let reports = match state.node.take_over_configs(foreign, options).await {
        Ok(reports) => reports,
        Err(error) => return failed(&error),
    };
    let mut reports =
        reports.into_iter().zip(refused.drain(..)).map(|(report, refused)| shown(report, refused));
    let items: Vec<Value> =
        told.into_iter().map(|told| told.or_else(|| reports.next()).unwrap_or_default()).collect();
    axum::Json(json!({ "items": items })).into_response()
}

/// Versions and history entries of a config that can't be here, beside what can.
#[derive(Debug, Default)]
struct Refusals {
    /// Place and reason of each version.
    versions: Vec<(usize, String)>,
    history: usize,
}

fn shown(report: ConfigTakenOver, refused: Refusals) -> Value {
    let mut versions: Vec<Told> = report.versions.into_iter().map(Told::from).collect();
    for (place, why) in refused.versions {
        versions.insert(place.min(versions.len()), Told::Refused { why });
    }
    let history = report.history;
    json!({
        "versions": versions,
        "history": {
            "added": history.added,
            "same": history.same,
            "beyond": history.beyond,
            "late": history.late,
            "refused": history.refused + refused.history,
        },
    })
}

fn foreign_config(node: &Node, item: ConfigItem) -> Result<(ForeignConfig, Refusals), String> {
    let name = |error: muster_model::NameError| error.to_string();
    let key = ConfigKey::new(
        Namespace::canonical(&item.namespace).map_err(name)?,
        GroupName::new(&item.group).map_err(name)?,
        DataId::new(&item.data_id).map_err(name)?,
    );
    let mut refused = Refusals::default();
    let mut versions = Vec::with_capacity(item.versions.len());
    for (place, version) in item.versions.into_iter().enumerate() {
        match publication(node, &key, version) {
            Ok(publish) => versions.push(publish),
            Err(why) => refused.versions.push((place, why)),
        }
    }
    let mut history = Vec::with_capacity(item.history.len());
    for entry in item.history {
        match past(node, &key, entry) {
            Ok(past) => history.push(past),
            Err(_) => refused.history += 1,
        }
    }
    Ok((ForeignConfig { key, history, versions }, refused))
}

fn publication(node: &Node, key: &ConfigKey, item: VersionItem) -> Result<Publish, String> {
    let content = Content::new(item.content.into()).map_err(|error| error.to_string())?;
    let author = Author { user: item.user.filter(|user| !user.is_empty()), ip: item.address };
    let mut publish = Publish::new(key.clone(), content, author, node.config_bounds());
    publish.gray = item.gray.map(gray_of).transpose()?;
    publish.kind = item.r#type.as_deref().map_or(ConfigType::Undeclared, ConfigType::parse);
    publish.app_name = Some(item.app_name.unwrap_or_default());
    publish.tags = Some(item.tags.unwrap_or_default());
    let written = |text: Option<String>| text.filter(|text| !text.is_empty());
    publish.details = Details {
        description: written(item.description),
        purpose: written(item.purpose),
        effect: written(item.effect),
        schema: written(item.schema),
    };
    publish.encrypted_data_key = item.encrypted_data_key;
    Ok(publish)
}

fn gray_of(item: GrayItem) -> Result<Gray, String> {
    Gray::general(&item.name, &item.version, &item.expression, item.priority)
        .map_err(|error| error.to_string())
}

fn past(node: &Node, key: &ConfigKey, item: HistoryItem) -> Result<TakeOver, String> {
    let op = ForeignConfig::history_op(&item.op).ok_or_else(|| format!("unknown operation {}", item.op))?;
    let publish = publication(node, key, item.version)?;
    Ok(TakeOver {
        key: publish.key,
        op,
        time: Timestamp(item.time),
        author: Author { user: item.by_user.filter(|user| !user.is_empty()), ip: item.by_address },
        gray: publish.gray,
        content: publish.content,
        kind: publish.kind,
        app_name: publish.app_name.unwrap_or_default(),
        tags: publish.tags.unwrap_or_default(),
        details: publish.details,
        encrypted_data_key: publish.encrypted_data_key,
        published_by: publish.author,
        bounds: publish.bounds,
    })
}

/// `POST /muster/v1/import/accounts`: keeps users (with bcrypt hashes), roles and permissions. Nothing uses them until
/// there is access control.
pub(crate) async fn accounts(State(state): State<AdminState>, body: Bytes) -> Response {
    let request: Request<AccountItem> = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return malformed(&error),
    };
    let options = request.options();
    let accounts = request.items.into_iter().map(|item| match item {
        AccountItem::User { name, hash, enabled } => Account::User { name, hash, enabled },
        AccountItem::Role { user, role } => Account::Role { user, role },
        AccountItem::Permission { role, resource, action } => Account::Permission { role, resource, action },
    });
    match state.node.take_over_accounts(accounts.collect(), options).await {
        Ok(taken) => {
            let items: Vec<Told> = taken.into_iter().map(Told::from).collect();
            axum::Json(json!({ "items": items })).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn malformed(error: &serde_json::Error) -> Response {
    (StatusCode::BAD_REQUEST, format!("the body can't be read: {error}\n")).into_response()
}

fn failed(error: &NodeError) -> Response {
    let is_defect = error.code() == ErrorCode::Internal;
    let status = if is_defect { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, format!("{error}\n")).into_response()
}
