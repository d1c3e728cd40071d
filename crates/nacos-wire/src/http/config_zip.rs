//! Archives of configs, as exports give and imports take them (nacos-http.md 4.9): files `GROUP/dataId`, and metadata in
//! one of two formats.

mod import;
mod meta;
mod metadata;

pub use import::{ImportError, ImportItem, ImportLimits, ImportZip, Unrecognized};

use bytes::Bytes;
use std::io::{Cursor, Write as _};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The metadata of the first format: the applications.
const META: &str = ".meta.yml";
/// The metadata of the second.
const METADATA: &str = ".metadata.yml";

/// Which metadata an export writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZipFormat {
    /// `.meta.yml`, `G.a~yaml.app=shop`, if some config has an application.
    First,
    /// `.metadata.yml`: application, description and type of each.
    Second,
    /// The same, with tags, as 3.x has it.
    SecondWithTags,
}

/// One config to export.
#[derive(Clone, Copy, Debug)]
pub struct ExportItem<'a> {
    /// Group.
    pub group: &'a str,
    /// Data id.
    pub data_id: &'a str,
    /// Content.
    pub content: &'a [u8],
    /// Application, "" if it has none.
    pub app_name: &'a str,
    /// Type; `None` if none was declared.
    pub kind: Option<&'a str>,
    /// Description.
    pub description: Option<&'a str>,
    /// Tags.
    pub tags: &'a [String],
}

/// An archive being written, in memory.
pub struct ExportZip {
    format: ZipFormat,
    writer: ZipWriter<Cursor<Vec<u8>>>,
    metadata: String,
    items: usize,
}

impl ExportZip {
    /// Without configs.
    pub fn new(format: ZipFormat) -> Self {
        Self { format, writer: ZipWriter::new(Cursor::default()), metadata: String::new(), items: 0 }
    }

    /// Adds a config.
    pub fn add(&mut self, item: &ExportItem<'_>) {
        self.file(&format!("{}/{}", item.group, item.data_id), item.content);
        self.items += 1;
        match self.format {
            ZipFormat::First => meta::add(&mut self.metadata, item),
            ZipFormat::Second => metadata::add(&mut self.metadata, &ExportItem { tags: &[], ..*item }),
            ZipFormat::SecondWithTags => metadata::add(&mut self.metadata, item),
        }
    }

    /// The archive, with its metadata at the end.
    pub fn finish(mut self) -> Bytes {
        let metadata = std::mem::take(&mut self.metadata);
        match self.format {
            ZipFormat::First if metadata.is_empty() => {}
            ZipFormat::First => self.file(META, metadata.as_bytes()),
            ZipFormat::Second | ZipFormat::SecondWithTags if self.items == 0 => {
                self.file(METADATA, b"metadata: []\n");
            }
            ZipFormat::Second | ZipFormat::SecondWithTags => {
                self.file(METADATA, format!("metadata:\n{metadata}").as_bytes());
            }
        }
        self.writer.finish().expect("writing to memory can't fail").into_inner().into()
    }

    fn file(&mut self, name: &str, content: &[u8]) {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.writer.start_file(name, options).expect("names are short, and each comes once");
        self.writer.write_all(content).expect("writing to memory can't fail");
    }
}

#[cfg(test)]
mod tests;
