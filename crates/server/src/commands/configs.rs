//! `muster get` and `muster publish`.

use super::{connection::open, output};
use crate::{
    cli::{GetArgs, PublishArgs},
    exit::{Exit, NOT_FOUND},
};
use anyhow::Context;
use muster_client::Publish;
use serde_json::json;
use std::io::Read;

/// Prints a config's content exactly as it is, or everything about it as JSON.
pub(crate) async fn get(args: &GetArgs) -> anyhow::Result<()> {
    let (client, _driver, _pushes) = open(&args.client).await?;
    let found = client.get(&args.client.group, &args.data_id).await.context("read the config")?;
    let Some(config) = found else {
        let message = format!("there is no config {} in group {}", args.data_id, args.client.group);
        return Err(Exit::new(NOT_FOUND, message).into());
    };
    if args.client.json {
        return output::json(&json!({
            "dataId": args.data_id, "group": args.client.group, "content": config.content,
            "type": config.content_type, "md5": config.md5, "lastModified": config.last_modified,
        }));
    }
    output::exactly(config.content.as_bytes())
}

/// Publishes a config.
pub(crate) async fn publish(args: &PublishArgs) -> anyhow::Result<()> {
    let content = match (&args.content, &args.file) {
        (Some(content), _) => content.clone(),
        (None, Some(file)) => {
            std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?
        }
        (None, None) => {
            let mut content = String::new();
            std::io::stdin().read_to_string(&mut content).context("read standard input")?;
            content
        }
    };
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
