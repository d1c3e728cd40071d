//! Exports.

use super::{PublishNames, ids_of};
use crate::http::{Http, call::Call, refuse, reply::Reply, trouble::Trouble};
use bytes::Bytes;
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Answer, ExportItem, ExportZip, ZipFormat, check_filter, compact_date};
use muster_node::{
    ConfigSearch, Like, Node, NodeError,
    config::{Config, VariantName},
};
use std::sync::Arc;

/// Bytes of the contents of one export.
const EXPORT_BYTES_MAX: u64 = 512 << 20;

impl Http {
    /// An archive of the configs that are named by number, or else by names.
    pub(crate) async fn export(
        &self,
        call: &Call,
        names: PublishNames,
        format: ZipFormat,
    ) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let configs = match ids_of(&call.parameters)? {
            Some(ids) => self.node.configs_by_id(&ids),
            None => {
                let text = |name| call.parameters.get(name).map(str::trim).unwrap_or_default();
                let search = ConfigSearch {
                    data_id: Like::exactly(text("dataId")),
                    group: Like::exactly(text(names.group)),
                    app_name: text("appName").to_owned(),
                    ..ConfigSearch::all_of(names.namespace(&call.parameters)?)
                };
                self.node.all_configs(&search).await?
            }
        };
        let bytes: u64 = configs.iter().filter_map(|config| Some(config.formal()?.size)).sum();
        if bytes > EXPORT_BYTES_MAX {
            let text = format!("the contents have more than {EXPORT_BYTES_MAX} bytes, export fewer at once");
            return Err(refuse(ErrorCode::InvalidParameter, text));
        }
        let permit = self.archives.clone().acquire_owned().await;
        let node = self.node.clone();
        let packed = tokio::task::spawn_blocking(move || {
            // Held until it is packed, even if nobody waits any more.
            let _permit = permit;
            pack(&node, &configs, format)
        });
        let packed = packed.await.map_err(|error| {
            tracing::error!(%error, "an export broke");
            NodeError::Defect("an export broke")
        })?;
        let name = format!("nacos_config_export_{}.zip", compact_date(self.node.now().wall));
        let content_type = Some("application/octet-stream");
        let reply = Reply::from(Answer { status: 200, content_type, body: packed? });
        Ok(reply.with_headers([("Content-Disposition", format!("attachment;filename={name}"))]))
    }
}

fn pack(node: &Node, configs: &[Arc<Config>], format: ZipFormat) -> Result<Bytes, NodeError> {
    let mut zip = ExportZip::new(format);
    for config in configs {
        // A content that is gone was replaced meanwhile, or removed with its config.
        let content = match config.formal() {
            Some(formal) => node.content_of(&config.content_of(formal))?,
            None => continue,
        };
        let content = match content {
            Some(content) => Some(content),
            None => node
                .config_variant(config.key(), &VariantName::Formal)?
                .map(|found| found.content.bytes.clone()),
        };
        if let Some(content) = content {
            let key = config.key();
            zip.add(&ExportItem {
                group: key.group().as_str(),
                data_id: key.data_id().as_str(),
                content: &content,
                app_name: config.app_name(),
                kind: config.formal().and_then(|formal| formal.kind.declared()),
                description: config.details().description.as_deref(),
                tags: config.tags(),
            });
        }
    }
    Ok(zip.finish())
}
