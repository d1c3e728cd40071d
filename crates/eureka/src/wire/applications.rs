//! A whole list, as another server answers it.

use super::{Declared, Unreadable, json_read};
use serde_json::Value;

/// The instances of `{"applications": {"application": [{"name": …, "instance": [{…}]}]}}`, in order; a single application
/// or instance may stand without its array. `now` is the last change of an instance that tells none (milliseconds
/// since 1970). An instance that is none is left out: one bad entry does not hide the others.
pub fn read_applications(bytes: &[u8], now: i64) -> Result<Vec<Declared>, Unreadable> {
    let mut root: Value = serde_json::from_slice(bytes).map_err(|_| Unreadable)?;
    let Some(Value::Object(list)) = root.get_mut("applications") else { return Err(Unreadable) };
    let apps = list.remove("application").map(many).unwrap_or_default();
    let mut found = Vec::new();
    for mut app in apps {
        let name = app.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        for instance in app.get_mut("instance").map(|value| many(value.take())).unwrap_or_default() {
            let Value::Object(members) = instance else { continue };
            found.extend(json_read::instance(members).declare(&name, now).ok());
        }
    }
    Ok(found)
}

fn many(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one],
    }
}
