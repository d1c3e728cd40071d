//! Metadata of the first format: lines `GROUP.dataId~ext.app=application`, the last dot of the data id a tilde.

use super::{ExportItem, ImportError};
use std::collections::HashMap;

fn key(group: &str, data_id: &str) -> String {
    match data_id.rsplit_once('.') {
        Some((name, ext)) => format!("{group}.{name}~{ext}.app"),
        None => format!("{group}.{data_id}.app"),
    }
}

/// Adds the line of a config, if it has an application.
pub(super) fn add(out: &mut String, item: &ExportItem<'_>) {
    if !item.app_name.trim().is_empty() {
        out.extend([key(item.group, item.data_id).as_str(), "=", item.app_name, "\r\n"]);
    }
}

/// The applications of the configs that have one.
#[derive(Debug, Default)]
pub(super) struct Applications(HashMap<String, String>);

impl Applications {
    /// Reads lines with either line end; each must have one `=` between two texts.
    pub(super) fn parse(text: &str) -> Result<Self, ImportError> {
        let lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
        let pairs = lines.map(|line| match line.split_once('=') {
            Some((key, value)) if !value.is_empty() && !value.contains('=') => {
                Ok((key.to_owned(), value.to_owned()))
            }
            Some(_) | None => Err(ImportError::Metadata),
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn of(&self, group: &str, data_id: &str) -> Option<&str> {
        self.0.get(&key(group, data_id)).map(String::as_str)
    }
}
