//! What servers tell each other: `peerreplication/batch/`.
//!
//! ```json
//! {"replicationList":[{"appName":"ORDER","id":"h1","lastDirtyTimestamp":1,"status":"UP","instanceInfo":{…},
//!   "action":"Register"}, {"appName":"ORDER","id":"h1","action":"Cancel"}]}
//! {"responseList":[{"statusCode":200},{"statusCode":409,"responseEntity":{…}}]}
//! ```

use super::{
    Amount, Declared, Form, Format, Refusal, Shown,
    draft::{Draft, status},
    escape::{integer, json},
    json_read::{self, integer as number, text},
    write_fragment,
};
use muster_model::EurekaStatus;
use serde_json::{Map, Value};

/// What an item asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchAction {
    /// Register the instance that comes along.
    Register,
    /// Renew its lease.
    Heartbeat,
    /// Cancel it.
    Cancel,
    /// Override its status by `status`.
    StatusUpdate,
    /// Lift the override.
    DeleteStatusOverride,
}

impl BatchAction {
    const ALL: [Self; 5] =
        [Self::Register, Self::Heartbeat, Self::Cancel, Self::StatusUpdate, Self::DeleteStatusOverride];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Register => "Register",
            Self::Heartbeat => "Heartbeat",
            Self::Cancel => "Cancel",
            Self::StatusUpdate => "StatusUpdate",
            Self::DeleteStatusOverride => "DeleteStatusOverride",
        }
    }
}

/// One change.
#[derive(Debug)]
pub struct BatchItem {
    /// The application.
    pub app: String,
    /// The instance.
    pub id: String,
    /// Its last change as the sender knows it.
    pub last_dirty: Option<i64>,
    /// Its status: of a status update the new one.
    pub status: Option<EurekaStatus>,
    /// The override the sender knows of; never `UNKNOWN`.
    pub overridden: Option<EurekaStatus>,
    /// `None` is an item without an action, answered 500.
    pub action: Option<BatchAction>,
    instance: Option<Draft>,
}

impl BatchItem {
    /// The instance of a registration; `None` if there is none.
    pub fn take_instance(&mut self, now: i64) -> Option<Result<Declared, Refusal>> {
        let mut draft = self.instance.take()?;
        if draft.app.is_none() {
            draft.app = Some(self.app.clone());
        }
        Some(draft.declare(&self.app, now))
    }
}

/// Items of a batch; real servers send 250 at most. Even an empty one takes half a kilobyte here.
const BATCH_ITEMS_MAX: usize = 2_500;

/// Why a whole batch is refused (the first two as recorded).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No JSON, an unknown action, or an unknown member: 400.
    #[error("cannot parse request body")]
    Unreadable,
    /// No list: 500.
    #[error("there is no replicationList")]
    NoList,
    /// More items than a batch may have: 413.
    #[error("there are more than {BATCH_ITEMS_MAX} items")]
    TooMany,
}

/// Reads a batch. The answer must have as many items, in the same order.
pub fn read_batch(bytes: &[u8]) -> Result<Vec<BatchItem>, BatchError> {
    let root: Value = serde_json::from_slice(bytes).map_err(|_| BatchError::Unreadable)?;
    let Value::Object(mut members) = root else { return Err(BatchError::Unreadable) };
    let list = members.remove("replicationList");
    if !members.is_empty() {
        return Err(BatchError::Unreadable);
    }
    match list {
        Some(Value::Array(items)) if items.len() > BATCH_ITEMS_MAX => Err(BatchError::TooMany),
        Some(Value::Array(items)) => items.into_iter().map(item).collect(),
        None | Some(Value::Null) => Err(BatchError::NoList),
        Some(_) => Err(BatchError::Unreadable),
    }
}

fn item(value: Value) -> Result<BatchItem, BatchError> {
    let Value::Object(members) = value else { return Err(BatchError::Unreadable) };
    let mut item = BatchItem {
        app: String::new(),
        id: String::new(),
        last_dirty: None,
        status: None,
        overridden: None,
        action: None,
        instance: None,
    };
    for (name, value) in members {
        match name.as_str() {
            "appName" => item.app = text(value).unwrap_or_default(),
            "id" => item.id = text(value).unwrap_or_default(),
            "lastDirtyTimestamp" => item.last_dirty = number(&value),
            "status" => item.status = text(value).map(|name| status(&name)),
            "overriddenStatus" => {
                let named = text(value).map(|name| status(&name));
                item.overridden = named.filter(|status| *status != EurekaStatus::Unknown);
            }
            "instanceInfo" => {
                if let Value::Object(members) = value {
                    item.instance = Some(json_read::instance(members));
                }
            }
            "action" => item.action = action(value)?,
            _ => return Err(BatchError::Unreadable),
        }
    }
    Ok(item)
}

fn action(value: Value) -> Result<Option<BatchAction>, BatchError> {
    let Some(name) = text(value) else { return Ok(None) };
    let known = BatchAction::ALL.into_iter().find(|action| action.as_str() == name);
    known.map(Some).ok_or(BatchError::Unreadable)
}

/// Writes a batch: items as objects that [`BatchItem`] reads, each with the instance if it has one.
pub fn write_batch<'a>(items: impl IntoIterator<Item = (&'a BatchItem, Option<Shown<'a>>)>) -> Vec<u8> {
    let mut out = b"{\"replicationList\":[".to_vec();
    for (at, (item, shown)) in items.into_iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",{\"appName\":" } else { b"{\"appName\":" });
        json(&mut out, &item.app);
        out.extend_from_slice(b",\"id\":");
        json(&mut out, &item.id);
        if let Some(last_dirty) = item.last_dirty {
            out.extend_from_slice(b",\"lastDirtyTimestamp\":");
            integer(&mut out, last_dirty);
        }
        for (name, status) in [(",\"overriddenStatus\":", item.overridden), (",\"status\":", item.status)] {
            if let Some(status) = status {
                out.extend_from_slice(name.as_bytes());
                json(&mut out, status.as_str());
            }
        }
        if let Some(shown) = shown {
            out.extend_from_slice(b",\"instanceInfo\":");
            write_fragment(&mut out, FULL_JSON, &shown);
        }
        if let Some(action) = item.action {
            out.extend_from_slice(b",\"action\":");
            json(&mut out, action.as_str());
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

impl BatchItem {
    /// An item that tells only what it is about.
    pub fn new(app: impl Into<String>, id: impl Into<String>, action: BatchAction) -> Self {
        Self {
            app: app.into(),
            id: id.into(),
            last_dirty: None,
            status: None,
            overridden: None,
            action: Some(action),
            instance: None,
        }
    }
}

const FULL_JSON: Form = Form { format: Format::Json, amount: Amount::Full };

/// Writes the answer to a batch: a status an item, with our copy of the instance where it is newer.
pub fn write_batch_replies<'a>(replies: impl IntoIterator<Item = (u16, Option<Shown<'a>>)>) -> Vec<u8> {
    let mut out = b"{\"responseList\":[".to_vec();
    for (at, (status, shown)) in replies.into_iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",{\"statusCode\":" } else { b"{\"statusCode\":" });
        integer(&mut out, status);
        if let Some(shown) = shown {
            out.extend_from_slice(b",\"responseEntity\":");
            write_fragment(&mut out, FULL_JSON, &shown);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

/// What a server answered to one item.
#[derive(Debug)]
pub struct BatchReply {
    /// 200, 404 (it does not know the instance), 409 (its copy is newer).
    pub status: u16,
    /// Its copy, with a 409.
    pub instance: Option<Declared>,
}

/// Reads the answer to a batch. An instance that is none is left out; `now` as in [`super::Body::declare`].
pub fn read_batch_replies(bytes: &[u8], now: i64) -> Result<Vec<BatchReply>, BatchError> {
    let root: Value = serde_json::from_slice(bytes).map_err(|_| BatchError::Unreadable)?;
    let Value::Object(mut members) = root else { return Err(BatchError::Unreadable) };
    match members.remove("responseList") {
        Some(Value::Array(replies)) => Ok(replies.into_iter().map(|value| reply(value, now)).collect()),
        Some(_) | None => Err(BatchError::NoList),
    }
}

fn reply(mut value: Value, now: i64) -> BatchReply {
    let status = value.get("statusCode").and_then(number).and_then(|code| u16::try_from(code).ok());
    let instance = match value.get_mut("responseEntity").map(Value::take) {
        Some(Value::Object(members)) => entity(members, now),
        Some(_) | None => None,
    };
    BatchReply { status: status.unwrap_or(0), instance }
}

fn entity(members: Map<String, Value>, now: i64) -> Option<Declared> {
    let draft = json_read::instance(members);
    let app = draft.app.clone().unwrap_or_default();
    draft.declare(&app, now).ok()
}
