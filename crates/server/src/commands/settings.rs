//! `muster settings`.

use super::output;
use crate::{
    cli::SettingsArgs,
    exit::{Exit, USAGE},
    settings,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Columns the table may take.
const WIDTH: u16 = 100;

/// Prints every setting, its value, and where it came from.
pub(crate) fn run(args: &SettingsArgs, environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let (_, effective) = settings::load(&args.serve.flags(), environment)
        .map_err(|problems| Exit::new(USAGE, problems.to_string()))?;
    if args.json {
        let all = effective.iter().map(|one| {
            let entry = json!({
                "value": typed(&one.value), "source": one.source, "variable": one.variable, "about": one.about,
            });
            (one.key.to_owned(), entry)
        });
        return output::json(&Value::Object(all.collect()));
    }
    let rows =
        effective.into_iter().map(|one| [one.key.to_owned(), one.value, one.source, one.about.to_owned()]);
    output::wrapped(WIDTH, ["SETTING", "VALUE", "FROM", "MEANING"], rows)
}

/// Numbers and booleans as such, as they stand in `muster.toml`.
fn typed(value: &str) -> Value {
    match (value.parse::<u64>(), value.parse::<bool>()) {
        (Ok(number), _) => number.into(),
        (_, Ok(boolean)) => boolean.into(),
        (Err(_), Err(_)) => value.into(),
    }
}
