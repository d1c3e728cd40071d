//! `muster restore`.

use super::output;
use crate::cli::RestoreArgs;
use anyhow::Context;
use muster_runtime::disk::RealDisk;
use muster_storage::{data_dir::DataDir, snapshot::verify_stream};
use serde_json::json;
use std::{fs::File, io::BufReader, sync::Arc};

/// Fills an empty data directory from a backup. The file is verified first, so that a damaged one leaves no
/// directory behind.
pub(crate) fn run(args: &RestoreArgs) -> anyhow::Result<()> {
    let name = args.file.display();
    let open = || File::open(&args.file).map(BufReader::new).with_context(|| format!("open {name}"));
    verify_stream(&mut open()?).with_context(|| format!("{name} can't be restored"))?;
    let rows = DataDir::restore(Arc::new(RealDisk), &args.data_dir, &mut open()?)?;
    if args.json {
        output::json(&json!({ "rows": rows, "dataDir": args.data_dir }))
    } else {
        output::line(&format!("restored {rows} rows into {}", args.data_dir.display()))
    }
}
