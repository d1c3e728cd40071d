//! `muster restore`.

use super::output;
use crate::cli::RestoreArgs;
use anyhow::Context;
use muster_runtime::disk::RealDisk;
use muster_storage::data_dir::DataDir;
use std::{fs::File, io::BufReader, sync::Arc};

/// Fills an empty data directory from a backup.
pub(crate) fn run(args: &RestoreArgs) -> anyhow::Result<()> {
    let file = File::open(&args.file).with_context(|| format!("open {}", args.file.display()))?;
    let rows = DataDir::restore(Arc::new(RealDisk), &args.data_dir, &mut BufReader::new(file))?;
    output::line(&format!("restored {rows} rows into {}", args.data_dir.display()))
}
