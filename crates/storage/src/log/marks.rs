//! The small facts beside the entries: vote and purge point (synced), commit point (not synced).

use super::{Corruption, EntryId, LogError, Recovery, Vote};
use crate::double::{Double, Found};
use muster_runtime::disk::Disk;
use std::path::{Path, PathBuf};

/// The file of vote and purge point.
pub(super) const MARKS: &str = "marks";
/// The file of the commit point.
pub(super) const COMMITTED: &str = "committed";

/// Vote, purge point and commit point, with their files.
#[derive(Debug)]
pub(super) struct Marks {
    marks: Double,
    committed_file: Double,
    vote: Option<Vote>,
    purged: Option<EntryId>,
    committed: Option<EntryId>,
}

impl Marks {
    /// Opens both files; `has_segments` says that the log is not new, so that the marks must be there.
    pub(super) fn open(
        disk: &dyn Disk,
        dir: &Path,
        has_segments: bool,
        recovery: &mut Recovery,
    ) -> Result<Self, LogError> {
        let path = dir.join(MARKS);
        let corrupt = |detail| Corruption { file: path.clone(), offset: 0, index: 0, detail };
        let (mut marks, found) = Double::open(disk, &path)?;
        let (vote, purged) = match found {
            Found::Value { value, damaged } => {
                let decoded = decode_marks(&value).ok_or(corrupt("vote and purge point make no sense"))?;
                if damaged {
                    marks.write(&value)?;
                    recovery.repaired.push(path);
                }
                decoded
            }
            Found::Nothing if !has_segments => {
                marks.write(&encode_marks(None, None))?;
                (None, None)
            }
            Found::Nothing => return Err(corrupt("vote and purge point are missing").into()),
            Found::Damaged => return Err(corrupt("both copies of vote and purge point are damaged").into()),
            Found::Newer(found) => return Err(LogError::NewerFormat { path, found }),
        };
        let path = dir.join(COMMITTED);
        let (committed_file, found) = Double::open(disk, &path)?;
        let committed = Self::read_committed(found, path, recovery)?;
        Ok(Self { marks, committed_file, vote, purged, committed })
    }

    fn read_committed(
        found: Found,
        path: PathBuf,
        recovery: &mut Recovery,
    ) -> Result<Option<EntryId>, LogError> {
        match found {
            Found::Value { value, damaged } => {
                if damaged {
                    recovery.repaired.push(path);
                }
                Ok(decode_id(&value).flatten())
            }
            Found::Nothing => Ok(None),
            // It is never synced, so a power cut may do this, and it is only a hint.
            Found::Damaged => {
                recovery.repaired.push(path);
                Ok(None)
            }
            Found::Newer(found) => Err(LogError::NewerFormat { path, found }),
        }
    }

    pub(super) fn vote(&self) -> Option<Vote> {
        self.vote
    }

    pub(super) fn purged(&self) -> Option<EntryId> {
        self.purged
    }

    pub(super) fn committed(&self) -> Option<EntryId> {
        self.committed
    }

    pub(super) fn save_vote(&mut self, vote: Vote) -> Result<(), LogError> {
        self.marks.write(&encode_marks(Some(vote), self.purged))?;
        self.vote = Some(vote);
        Ok(())
    }

    pub(super) fn save_purged(&mut self, purged: EntryId) -> Result<(), LogError> {
        self.marks.write(&encode_marks(self.vote, Some(purged)))?;
        self.purged = Some(purged);
        Ok(())
    }

    /// Notes the commit point; on disk only if `durable`: the entry is, so that the note can be relied on.
    pub(super) fn save_committed(
        &mut self,
        committed: Option<EntryId>,
        durable: bool,
    ) -> Result<(), LogError> {
        if durable {
            self.committed_file.write_lazily(&encode_id(committed))?;
        }
        self.committed = committed;
        Ok(())
    }
}

fn encode_marks(vote: Option<Vote>, purged: Option<EntryId>) -> Vec<u8> {
    let (given, vote) = (vote.is_some(), vote.unwrap_or_default());
    let mut out = vec![u8::from(given), u8::from(vote.committed)];
    out.extend_from_slice(&vote.term.to_le_bytes());
    out.extend_from_slice(&vote.node.to_le_bytes());
    out.extend_from_slice(&encode_id(purged));
    out
}

fn decode_marks(bytes: &[u8]) -> Option<(Option<Vote>, Option<EntryId>)> {
    let (head, rest) = bytes.split_at_checked(18)?;
    let vote = Vote { committed: head[1] == 1, term: number(head, 2), node: number(head, 10) };
    Some(((head[0] == 1).then_some(vote), decode_id(rest)?))
}

fn encode_id(id: Option<EntryId>) -> Vec<u8> {
    let (given, id) = (id.is_some(), id.unwrap_or_default());
    let mut out = vec![u8::from(given)];
    [id.index, id.term, id.node].iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    out
}

fn decode_id(bytes: &[u8]) -> Option<Option<EntryId>> {
    let bytes: &[u8; 25] = bytes.try_into().ok()?;
    let id = EntryId { index: number(bytes, 1), term: number(bytes, 9), node: number(bytes, 17) };
    Some((bytes[0] == 1).then_some(id))
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().expect("lengths are checked"))
}
