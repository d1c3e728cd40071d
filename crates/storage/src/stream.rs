//! Files of a disk as streams.

use muster_runtime::disk::{Disk, DiskError, DiskFile, Open};
use std::{
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

const BUFFER: usize = 256 << 10;

/// Reads a file from its beginning, through a buffer.
pub(crate) struct FileReader {
    file: Arc<dyn DiskFile>,
    offset: u64,
    buffer: Vec<u8>,
    at: usize,
}

impl FileReader {
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, DiskError> {
        Ok(Self { file: disk.open(path, Open::Read)?, offset: 0, buffer: Vec::new(), at: 0 })
    }

    pub(crate) fn size(&self) -> Result<u64, DiskError> {
        self.file.len()
    }
}

impl Read for FileReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() {
            self.buffer.resize(BUFFER, 0);
            let count = self.file.read_at(self.offset, &mut self.buffer).map_err(io::Error::other)?;
            self.buffer.truncate(count);
            self.offset += count as u64;
            self.at = 0;
        }
        let rest = &self.buffer[self.at..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// Writes a file from its beginning, through a buffer. A failure is kept as it was.
pub(crate) struct FileWriter {
    file: Arc<dyn DiskFile>,
    offset: u64,
    buffer: Vec<u8>,
    failure: Option<DiskError>,
}

impl FileWriter {
    pub(crate) fn new(file: Arc<dyn DiskFile>) -> Self {
        Self { file, offset: 0, buffer: Vec::with_capacity(BUFFER), failure: None }
    }

    /// What has gone wrong with the file, if something has.
    pub(crate) fn failure(&mut self) -> Option<DiskError> {
        self.failure.take()
    }

    /// Makes what was flushed durable, and says how much it was.
    pub(crate) fn sync(self) -> Result<u64, DiskError> {
        self.file.sync_data()?;
        Ok(self.offset)
    }
}

impl Write for FileWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Err(error) = self.file.write_at(self.offset, &self.buffer) {
            let text = error.to_string();
            self.failure = Some(error);
            return Err(io::Error::other(text));
        }
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// Hands on what is read, and writes it down.
pub(crate) struct Tee<'a> {
    pub(crate) from: &'a mut dyn Read,
    pub(crate) to: &'a mut dyn Write,
}

impl Read for Tee<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(out)?;
        self.to.write_all(&out[..count])?;
        Ok(count)
    }
}
