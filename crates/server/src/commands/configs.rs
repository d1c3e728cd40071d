//! `muster get` and `muster publish`.

use super::{connection::open, output};
use crate::{
    cli::{GetArgs, PublishArgs},
    exit::{Exit, NOT_FOUND},
};
use anyhow::{Context, anyhow};
use muster_client::Publish;
use serde_json::json;
use std::{
    fs,
    io::{self, IsTerminal, Read},
};

/// Prints a config's content exactly as it is, or everything about it as JSON.
pub(crate) async fn get(args: &GetArgs) -> anyhow::Result<()> {
    let (client, _driver, _pushes) = open(&args.client).await?;
    let group = &args.client.group;
    let found = client.get(group, &args.data_id).await.context("read the config")?;
    let Some(config) = found else {
        let namespace = match args.client.namespace.as_str() {
            "" => "public",
            named => named,
        };
        let message =
            format!("there is no config {} in group {group} of namespace {namespace}", args.data_id);
        return Err(Exit::new(NOT_FOUND, message).into());
    };
    if args.client.json {
        return output::json(&json!({
            "dataId": args.data_id, "group": group, "content": config.content,
            "type": config.content_type, "md5": config.md5, "lastModified": config.last_modified,
        }));
    }
    output::exactly(&config.content)
}

/// Publishes a config.
pub(crate) async fn publish(args: &PublishArgs) -> anyhow::Result<()> {
    let content = content(args)?;
    let (client, _driver, _pushes) = open(&args.client).await?;
    let publish = Publish {
        group: &args.client.group,
        data_id: &args.data_id,
        content: &content,
        cas_md5: args.cas.as_deref(),
        additions: args.kind.iter().map(|kind| ("type", kind.as_str())).collect(),
    };
    client.publish(publish).await.context("publish")?;
    if args.client.json {
        output::json(&json!({ "published": true, "dataId": args.data_id, "group": args.client.group }))
    } else {
        output::line(&format!("published {} in group {}", args.data_id, args.client.group))
    }
}

/// The content from where the arguments say it is.
fn content(args: &PublishArgs) -> anyhow::Result<String> {
    let (bytes, from) = match (&args.content, &args.file) {
        (Some(content), _) => return Ok(content.clone()),
        (None, Some(file)) => {
            let name = file.display().to_string();
            (fs::read(file).with_context(|| format!("read {name}"))?, name)
        }
        (None, None) => {
            let mut input = io::stdin();
            if input.is_terminal() {
                output::note("type the content, and end it with Ctrl-D");
            }
            let mut bytes = Vec::new();
            input.read_to_end(&mut bytes).context("read standard input")?;
            (bytes, "standard input".to_owned())
        }
    };
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow!("{from} is not UTF-8 text at byte {at}, and a config is text")
    })
}
