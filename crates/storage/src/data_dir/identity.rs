//! Which node this is, and which of its lives this is: one small file in two copies, each checksummed, written one after
//! the other and synced.
//!
//! ```text
//! version: u8 = 1 | flags: u8 (1: of an ensemble, 2: has a log) | cluster: u128 | node: u64 | boot: u64    little endian
//! ```

use super::{DataDir, DataDirError};
use crate::double::{Double, Found};
use muster_model::{
    ClusterId, Epoch, NodeId,
    mutation::{self, Mutation},
};
use muster_runtime::Rng;
use std::path::PathBuf;

const NAME: &str = "node";
const VERSION: u8 = 1;
const MEMBER: u8 = 1;
const BEGUN: u8 = 2;
const LENGTH: usize = 34;

/// Which node a data directory belongs to. It changes once at most: when a node that stood alone begins an ensemble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeIdentity {
    /// The nodes it belongs to.
    pub cluster: ClusterId,
    /// Itself.
    pub node: NodeId,
    /// Whether it is one of an ensemble; else it stands alone, and nobody else has its cluster id.
    pub is_member: bool,
    /// Whether its log was begun. A directory that says so and has no log has lost it, and with it the votes that this
    /// node gave: it must not vote again.
    pub has_begun: bool,
}

impl NodeIdentity {
    /// Whether this node's log is lost, and with it the votes that it gave: it must not vote again. `has_data`: there is
    /// anything in log, state or snapshots.
    pub fn has_lost_log(&self, has_data: bool) -> bool {
        self.has_begun && !has_data && !mutation::is_on(Mutation::WipedVote)
    }
}

/// What is in the file.
#[derive(Clone, Copy)]
struct Stored {
    identity: NodeIdentity,
    boot: u64,
}

impl DataDir {
    /// Which node the directory belongs to; `None`: nobody said so yet. One copy that is damaged is mended.
    pub fn identity(&self) -> Result<Option<NodeIdentity>, DataDirError> {
        Ok(self.read_identity()?.map(|(_, stored)| stored.identity))
    }

    /// Says which node it belongs to. When it returns, that is on disk. How often it began is kept.
    pub fn set_identity(&self, identity: NodeIdentity) -> Result<(), DataDirError> {
        let known = self.read_identity()?;
        let boot = known.map_or(0, |(_, stored)| stored.boot);
        let (mut file, _) = Double::open(&*self.disk, &self.identity_path())?;
        Ok(file.write(&encode(Stored { identity, boot }))?)
    }

    /// Begins a life of the node: no other has the same epoch, whatever happens. When it returns, that is on disk.
    pub fn begin_life(&self, rng: &mut Rng) -> Result<Epoch, DataDirError> {
        let missing = || DataDirError::IdentityMissing { path: self.path.clone() };
        let (mut file, stored) = self.read_identity()?.ok_or_else(missing)?;
        if mutation::is_on(Mutation::ReuseEpoch) {
            return Ok(Epoch { boot: 1, random: 1 });
        }
        let boot = stored.boot + 1;
        file.write(&encode(Stored { boot, ..stored }))?;
        Ok(Epoch { boot, random: rng.next_u64() })
    }

    fn identity_path(&self) -> PathBuf {
        self.path.join(NAME)
    }

    fn read_identity(&self) -> Result<Option<(Double, Stored)>, DataDirError> {
        let path = self.identity_path();
        if !self.disk.exists(&path)? {
            return Ok(None);
        }
        let (mut file, found) = Double::open(&*self.disk, &path)?;
        match found {
            Found::Nothing => Ok(None),
            Found::Value { value, damaged } => {
                let stored = decode(&value).ok_or(DataDirError::IdentityDamaged { path })?;
                if damaged {
                    tracing::warn!("one of two copies of who this node is was damaged and has been restored");
                    file.write(&value)?;
                }
                Ok(Some((file, stored)))
            }
            Found::Damaged => Err(DataDirError::IdentityDamaged { path }),
            Found::Newer(found) => {
                Err(DataDirError::NewerFormat { path: self.path.clone(), found: u32::from(found) })
            }
        }
    }
}

fn encode(Stored { identity, boot }: Stored) -> Vec<u8> {
    let flag = |is: bool, flag| if is { flag } else { 0 };
    let mut out = vec![VERSION, flag(identity.is_member, MEMBER) | flag(identity.has_begun, BEGUN)];
    out.extend_from_slice(&identity.cluster.0.to_le_bytes());
    out.extend_from_slice(&identity.node.0.to_le_bytes());
    out.extend_from_slice(&boot.to_le_bytes());
    out
}

fn decode(bytes: &[u8]) -> Option<Stored> {
    let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
    let identity = NodeIdentity {
        cluster: ClusterId(u128::from_le_bytes(*bytes[2..].first_chunk()?)),
        node: NodeId(u64::from_le_bytes(*bytes[18..].first_chunk()?)),
        is_member: bytes[1] & MEMBER != 0,
        has_begun: bytes[1] & BEGUN != 0,
    };
    let boot = u64::from_le_bytes(*bytes[26..].first_chunk()?);
    (bytes[0] == VERSION).then_some(Stored { identity, boot })
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_runtime::disk::{Disk as _, MemoryDisk};
    use std::{path::Path, sync::Arc};

    const IDENTITY: NodeIdentity =
        NodeIdentity { cluster: ClusterId(7), node: NodeId(3), is_member: true, has_begun: false };

    fn disk() -> MemoryDisk {
        let disk = MemoryDisk::new();
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk
    }

    fn open(disk: &MemoryDisk) -> DataDir {
        DataDir::open(Arc::new(disk.clone()), Path::new("/d/data")).unwrap()
    }

    #[test]
    fn an_identity_stays_and_lives_are_counted() {
        let disk = disk();
        let rng = &mut Rng::seeded(1);
        let dir = open(&disk);
        assert_eq!(dir.identity().unwrap(), None);
        assert!(matches!(dir.begin_life(rng), Err(DataDirError::IdentityMissing { .. })));
        dir.set_identity(IDENTITY).unwrap();
        assert_eq!(dir.begin_life(rng).unwrap().boot, 1);
        dir.set_identity(NodeIdentity { has_begun: true, ..IDENTITY }).unwrap();
        assert_eq!(dir.begin_life(rng).unwrap().boot, 2);
        disk.power_cut(rng);
        drop(dir);
        let dir = open(&disk);
        assert!(dir.identity().unwrap().unwrap().has_begun);
        assert_eq!(dir.begin_life(rng).unwrap().boot, 3, "a life that was begun is on disk");
    }

    #[test]
    fn no_power_cut_brings_an_epoch_back() {
        for seed in 0..300 {
            let mut rng = Rng::seeded(seed);
            let disk = disk();
            let dir = open(&disk);
            dir.set_identity(IDENTITY).unwrap();
            let before = dir.begin_life(&mut rng).unwrap();
            disk.fail_syncs(1);
            dir.begin_life(&mut rng).unwrap_err();
            disk.power_cut(&mut rng);
            drop(dir);
            let after = open(&disk).begin_life(&mut rng).unwrap();
            assert!(after.boot > before.boot, "seed {seed}");
        }
    }

    #[test]
    fn damage_to_one_copy_is_mended_and_to_both_refuses() {
        let disk = disk();
        let dir = open(&disk);
        dir.set_identity(IDENTITY).unwrap();
        let flip = |at: usize| {
            disk.damage(Path::new("/d/data/node"), |bytes| bytes[at] ^= 1).unwrap();
        };
        flip(30);
        assert_eq!(dir.identity().unwrap(), Some(IDENTITY));
        flip(4_096 + 30);
        assert_eq!(dir.identity().unwrap(), Some(IDENTITY), "the first copy was mended");
        flip(30);
        flip(4_096 + 30);
        let refused = dir.identity().unwrap_err();
        assert!(refused.to_string().contains("muster cluster remove"), "{refused}");
        assert!(matches!(dir.set_identity(IDENTITY), Err(DataDirError::IdentityDamaged { .. })));
    }
}
