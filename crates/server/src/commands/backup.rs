//! `muster backup`.

use super::{http, output};
use crate::{
    cli::BackupArgs,
    exit::{Exit, USAGE},
};
use anyhow::Context;
use http_body_util::BodyExt;
use muster_storage::snapshot::verify_stream;
use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Write},
    path::Path,
};

/// Streams a backup of a running node into a file, verifies it, and only then gives it its name.
pub(crate) async fn run(args: &BackupArgs) -> anyhow::Result<()> {
    if args.file.exists() {
        let message = format!("{} exists: choose another file, or remove it", args.file.display());
        return Err(Exit::new(USAGE, message).into());
    }
    let partial = args.file.with_extension("partial");
    let written = write(&args.server, &partial).await;
    let rows = match written {
        Ok(rows) => rows,
        Err(error) => {
            // Whether or not there is something to remove, the first error is the one to tell.
            drop(fs::remove_file(&partial));
            return Err(error);
        }
    };
    fs::rename(&partial, &args.file).with_context(|| format!("name {}", args.file.display()))?;
    output::line(&format!("{} rows in {}", rows, args.file.display()))
}

async fn write(server: &str, path: &Path) -> anyhow::Result<u64> {
    let mut body = http::get(server, "/muster/v1/backup").await?;
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = BufWriter::new(file.with_context(|| format!("create {}", path.display()))?);
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame.context("the backup was cut off")?.data_ref() {
            file.write_all(data).with_context(|| format!("write {}", path.display()))?;
        }
    }
    let file = file.into_inner().with_context(|| format!("write {}", path.display()))?;
    file.sync_all().with_context(|| format!("sync {}", path.display()))?;
    let mut file = BufReader::new(File::open(path).with_context(|| format!("open {}", path.display()))?);
    verify_stream(&mut file).context("verify the backup")
}
