//! `muster settings`.

use super::output;
use crate::{
    cli::SettingsArgs,
    exit::{Exit, USAGE},
    settings,
};
use serde_json::json;
use std::collections::BTreeMap;

/// Prints every setting, its value, and where it came from.
pub(crate) fn run(args: &SettingsArgs, environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let flags = args.serve.flags().map_err(|problem| Exit::new(USAGE, problem))?;
    let (_, effective) =
        settings::load(&flags, environment).map_err(|problems| Exit::new(USAGE, problems.to_string()))?;
    if args.json {
        let all = effective.iter().map(|one| {
            let entry = json!({
                "value": one.value, "source": one.source, "variable": one.variable, "about": one.about,
            });
            (one.key.to_owned(), entry)
        });
        return output::json(&serde_json::Value::Object(all.collect()));
    }
    let rows =
        effective.into_iter().map(|one| [one.key.to_owned(), one.value, one.source, one.about.to_owned()]);
    output::table(["SETTING", "VALUE", "FROM", "MEANING"], rows)
}
