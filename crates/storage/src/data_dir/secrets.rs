//! Small files that prove who the node is: keys and certificates. Their owner alone may read them.

use super::{DataDir, DataDirError};
use muster_runtime::disk::{read_all, replace};
use std::path::PathBuf;

const CLUSTER: &str = "cluster";

impl DataDir {
    /// Where they are.
    pub fn cluster_dir(&self) -> PathBuf {
        self.path.join(CLUSTER)
    }

    /// The content of one; `None`: there is none.
    pub fn cluster_file(&self, name: &str) -> Result<Option<Vec<u8>>, DataDirError> {
        let path = self.cluster_dir().join(name);
        if !self.disk.exists(&path)? {
            return Ok(None);
        }
        Ok(Some(read_all(&*self.disk, &path)?))
    }

    /// Replaces one, durably: there is the old content or the new, whatever happens.
    pub fn set_cluster_file(&self, name: &str, content: &[u8]) -> Result<(), DataDirError> {
        let dir = self.cluster_dir();
        if !self.disk.exists(&dir)? {
            self.disk.create_dir(&dir)?;
            self.disk.sync_dir(&self.path)?;
        }
        Ok(replace(&*self.disk, &dir.join(name), content)?)
    }
}
