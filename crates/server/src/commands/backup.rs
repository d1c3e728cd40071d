//! `muster backup`.

use super::{http, output};
use crate::{
    cli::BackupArgs,
    exit::{Exit, USAGE},
};
use anyhow::Context;
use http_body_util::BodyExt;
use muster_storage::snapshot::verify_stream;
use serde_json::json;
use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Streams a backup of a running node into a file, verifies it, and only then gives it its name.
pub(crate) async fn run(args: &BackupArgs) -> anyhow::Result<()> {
    if args.file.exists() {
        let message = format!("{} exists: choose another file, or remove it", args.file.display());
        return Err(Exit::new(USAGE, message).into());
    }
    let mut partial = args.file.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = write(&args.node.server, &partial).await;
    let (rows, bytes) = match written {
        Ok(written) => written,
        Err(error) => {
            // Whether or not there is something to remove, the first error is the one to tell.
            drop(fs::remove_file(&partial));
            return Err(error);
        }
    };
    fs::rename(&partial, &args.file).with_context(|| format!("name {}", args.file.display()))?;
    sync_parent(&args.file)?;
    if args.json {
        output::json(&json!({ "rows": rows, "bytes": bytes, "file": args.file }))
    } else {
        output::line(&format!("{rows} rows, {bytes} bytes in {}", args.file.display()))
    }
}

/// The name lasts, too, when this is over.
fn sync_parent(file: &Path) -> anyhow::Result<()> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(parent).and_then(|parent| parent.sync_all());
    synced.with_context(|| format!("sync {}", parent.display()))
}

async fn write(server: &str, path: &Path) -> anyhow::Result<(u64, u64)> {
    let mut body = http::get(server, "/muster/v1/backup").await?;
    // One that a cut-off command left behind is written over. Like the data directory it is its owner's alone.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = BufWriter::new(file.with_context(|| format!("create {}", path.display()))?);
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame.context("the backup was cut off")?.data_ref() {
            file.write_all(data).with_context(|| format!("write {}", path.display()))?;
        }
    }
    let file = file.into_inner().with_context(|| format!("write {}", path.display()))?;
    file.sync_all().with_context(|| format!("sync {}", path.display()))?;
    let bytes = file.metadata().with_context(|| format!("read the size of {}", path.display()))?.len();
    let mut file = BufReader::new(File::open(path).with_context(|| format!("open {}", path.display()))?);
    let rows = verify_stream(&mut file).context("verify the backup")?;
    Ok((rows, bytes))
}
