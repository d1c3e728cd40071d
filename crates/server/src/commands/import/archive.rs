//! Archives as the console of Nacos exports them, of either format.

use super::collected::{Collected, VersionItem, tags_of};
use anyhow::Context;
use muster_nacos_wire::http::{ImportLimits, ImportZip, Unrecognized};
use std::{fs, path::Path};

/// Reads an archive whose configs are for one namespace.
pub(super) fn read(file: &Path, namespace: &str) -> anyhow::Result<Collected> {
    let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
    let limits = ImportLimits { types_optional: true, ..ImportLimits::default() };
    let opened = ImportZip::open(bytes.into(), limits);
    let mut zip = opened.with_context(|| format!("{} can't be imported", file.display()))?;
    let mut collected = Collected::default();
    for (place, item) in zip.items().to_vec().into_iter().enumerate() {
        let content = String::from_utf8(zip.content(place)?).context("a content is not UTF-8")?;
        let version = VersionItem {
            content,
            r#type: item.kind,
            app_name: item.app_name,
            tags: item.tags.as_deref().map(tags_of),
            description: item.description,
            ..VersionItem::default()
        };
        collected.config(namespace, &item.group, &item.data_id).versions.push(version);
    }
    collected.notes.extend(zip.unrecognized().iter().map(|unrecognized| match unrecognized {
        Unrecognized::Name(name) => format!("{name} is no config: its name is not GROUP/DATAID"),
        Unrecognized::NotInMetadata(name) => format!("{name} is not in the metadata of the archive"),
        Unrecognized::NotInFiles(name) => format!("{name} is in the metadata, and has no file"),
    }));
    Ok(collected)
}
