//! Reading an archive.

use super::{META, METADATA, meta::Applications, metadata};
use bytes::Bytes;
use std::{
    collections::{HashMap, HashSet},
    io::{Cursor, Read as _},
};
use zip::{ZipArchive, result::ZipError};

/// The most bytes of metadata: a hundred for each of many configs.
const METADATA_BYTES_MAX: u64 = 32 << 20;
/// What the directory entry of a file in an archive begins with (APPNOTE.TXT 4.3.12).
const ENTRY: &[u8] = b"PK\x01\x02";
/// What the first file of an archive begins with (APPNOTE.TXT 4.3.7).
const FILE: &[u8] = b"PK\x03\x04";

/// What an archive may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportLimits {
    /// Files (100,000).
    pub files_max: usize,
    /// Bytes of all files, unpacked (512 MiB).
    pub unpacked_bytes_max: u64,
    /// Bytes of one file, unpacked: those of a content (10 MiB).
    pub content_bytes_max: u64,
    /// Whether the second format may leave out the type of a config. Imports over HTTP refuse that, although exports of
    /// the original do it for configs that have none.
    pub types_optional: bool,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self {
            files_max: 100_000,
            unpacked_bytes_max: 512 << 20,
            content_bytes_max: 10 << 20,
            types_optional: false,
        }
    }
}

/// Why an archive is not imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Its metadata is malformed, or leaves out what it must say.
    #[error("the metadata is malformed")]
    Metadata,
    /// It is no archive, or has no configs.
    #[error("there are no configs")]
    Nothing,
    /// It is damaged.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// It is larger than may be.
    #[error("the archive has more than {0}")]
    TooLarge(String),
    /// A content is none.
    #[error("{name}: {why}")]
    Content {
        /// The file.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl From<ZipError> for ImportError {
    fn from(error: ZipError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// A file that is no config, or a config without a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrecognized {
    /// Its name is not `group/dataId`.
    Name(String),
    /// The metadata does not know the file.
    NotInMetadata(String),
    /// The metadata knows it, and there is no file: group and data id.
    NotInFiles(String),
}

/// A config of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportItem {
    /// Group.
    pub group: String,
    /// Data id.
    pub data_id: String,
    /// Its type; `None` in archives of the first format, which say none, and where it may be left out.
    pub kind: Option<String>,
    /// Application.
    pub app_name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Tags, comma-separated.
    pub tags: Option<String>,
    file: usize,
}

/// An archive whose configs are known and whose contents have been looked at; they are read one by one.
pub struct ImportZip {
    archive: ZipArchive<Cursor<Bytes>>,
    limits: ImportLimits,
    items: Vec<ImportItem>,
    unrecognized: Vec<Unrecognized>,
}

impl ImportZip {
    /// Reads an archive: with `.metadata.yml` it is of the second format, else of the first. Every content is unpacked
    /// once, so that nothing is imported of a damaged archive; what is declared of sizes is not believed.
    pub fn open(bytes: Bytes, limits: ImportLimits) -> Result<Self, ImportError> {
        let entries = bytes.windows(ENTRY.len()).filter(|window| *window == ENTRY).count();
        // Reading the directory costs memory for each entry.
        if entries > limits.files_max {
            return Err(ImportError::TooLarge(format!("{} files", limits.files_max)));
        }
        let looks_like_one = bytes.starts_with(FILE);
        let archive = match ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) => archive,
            Err(error) if looks_like_one => return Err(error.into()),
            Err(_) => return Err(ImportError::Nothing),
        };
        let mut zip = Self { archive, limits, items: Vec::new(), unrecognized: Vec::new() };
        let files = zip.files()?;
        match zip.text_of(METADATA)? {
            Some(metadata) => zip.by_metadata(&metadata, files)?,
            None => {
                let meta = zip.text_of(META)?.unwrap_or_default();
                zip.by_files(&Applications::parse(&meta)?, files);
            }
        }
        if zip.items.is_empty() {
            return Err(ImportError::Nothing);
        }
        zip.verify()?;
        Ok(zip)
    }

    /// Its configs, in the order in which they are imported.
    pub fn items(&self) -> &[ImportItem] {
        &self.items
    }

    /// What is no config.
    pub fn unrecognized(&self) -> &[Unrecognized] {
        &self.unrecognized
    }

    /// The content of a config, by its place.
    pub fn content(&mut self, place: usize) -> Result<Vec<u8>, ImportError> {
        let (file, max) = (self.items[place].file, self.limits.content_bytes_max);
        self.read(file, max)
    }

    /// Number and name of each file that is neither folder nor metadata.
    fn files(&mut self) -> Result<Vec<(usize, String)>, ImportError> {
        let mut files = Vec::with_capacity(self.archive.len());
        for number in 0..self.archive.len() {
            let file = self.archive.by_index_raw(number)?;
            let name = file.name()?.into_owned();
            if !file.is_dir() && name != META && name != METADATA {
                files.push((number, name));
            }
        }
        Ok(files)
    }

    fn text_of(&mut self, name: &str) -> Result<Option<String>, ImportError> {
        let Some(number) = self.archive.index_for_name(name) else { return Ok(None) };
        let bytes = self.read(number, METADATA_BYTES_MAX)?;
        String::from_utf8(bytes).map(Some).map_err(|_| ImportError::Metadata)
    }

    fn read(&mut self, number: usize, bytes_max: u64) -> Result<Vec<u8>, ImportError> {
        let mut content = Vec::new();
        let file = self.archive.by_index(number)?;
        let name = file.name()?.into_owned();
        // Also notices what does not agree with its checksum.
        let read = file.take(bytes_max + 1).read_to_end(&mut content);
        read.map_err(|error| ImportError::Damaged(format!("{name}: {error}")))?;
        if content.len() as u64 > bytes_max {
            return Err(ImportError::TooLarge(format!("{bytes_max} bytes in {name}")));
        }
        Ok(content)
    }

    fn by_files(&mut self, applications: &Applications, files: Vec<(usize, String)>) {
        for (file, name) in files {
            let Some((group, data_id)) = two_parts(&name) else {
                self.unrecognized.push(Unrecognized::Name(name));
                continue;
            };
            self.items.push(ImportItem {
                group: group.to_owned(),
                data_id: data_id.to_owned(),
                kind: None,
                app_name: applications.of(group, data_id).map(str::to_owned),
                description: None,
                tags: None,
                file,
            });
        }
    }

    fn by_metadata(&mut self, text: &str, files: Vec<(usize, String)>) -> Result<(), ImportError> {
        let described = metadata::parse(text, self.limits.types_optional)?;
        let known: HashSet<(&str, &str)> =
            described.iter().map(|item| (item.group.as_str(), item.data_id.as_str())).collect();
        let mut places = HashMap::new();
        for (file, name) in files {
            match two_parts(&name) {
                None => self.unrecognized.push(Unrecognized::Name(name)),
                Some(key) if !known.contains(&key) => {
                    self.unrecognized.push(Unrecognized::NotInMetadata(name));
                }
                Some((group, data_id)) => {
                    places.insert((group.to_owned(), data_id.to_owned()), file);
                }
            }
        }
        for item in described {
            match places.get(&(item.group.clone(), item.data_id.clone())) {
                Some(&file) => self.items.push(ImportItem {
                    group: item.group,
                    data_id: item.data_id,
                    kind: item.kind,
                    app_name: item.app_name,
                    description: item.description,
                    tags: item.tags,
                    file,
                }),
                None => {
                    let name = format!("{}/{}", item.group, item.data_id);
                    self.unrecognized.push(Unrecognized::NotInFiles(name));
                }
            }
        }
        Ok(())
    }

    fn verify(&mut self) -> Result<(), ImportError> {
        let mut unpacked = 0;
        for place in 0..self.items.len() {
            let content = self.content(place)?;
            unpacked += content.len() as u64;
            if unpacked > self.limits.unpacked_bytes_max {
                let max = self.limits.unpacked_bytes_max;
                return Err(ImportError::TooLarge(format!("{max} bytes when unpacked")));
            }
            let item = &self.items[place];
            let wrong = |why| ImportError::Content { name: format!("{}/{}", item.group, item.data_id), why };
            let text = std::str::from_utf8(&content).map_err(|_| wrong("content is not UTF-8"))?;
            if text.trim().is_empty() {
                return Err(wrong("content is blank"));
            }
        }
        Ok(())
    }
}

fn two_parts(name: &str) -> Option<(&str, &str)> {
    let (group, data_id) = name.split_once('/')?;
    (!group.is_empty() && !data_id.is_empty() && !data_id.contains('/')).then_some((group, data_id))
}
