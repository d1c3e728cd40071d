//! Configs: read, publish, remove.

use crate::http::{
    Http,
    call::Call,
    configs::{V1_NAMES, config_info, read_headers, shown_tags},
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ConfigKey;
use muster_nacos_wire::http::{
    Answer, BetaConfig, CONFIG_NOT_FOUND, ConfigCatalog, ConfigDetail, ConfigInfo, Refusal, ZipFormat,
    check_filter, rest_result, write_json,
};
use muster_node::config::{GrayName, Outcome, RemoveTarget, VariantName};

impl Http {
    pub(super) async fn get_config(&self, call: &Call) -> Result<Reply, Trouble> {
        let is = |name, value: &str| call.parameters.get(name) == Some(value);
        if is("search", "blur") {
            return self.search_configs(call, true).await;
        }
        check_filter(&call.parameters, self.metadata_chars_max())?;
        if is("search", "accurate") {
            self.search_configs(call, false).await
        } else if is("show", "all") {
            self.show_config(call)
        } else if is("beta", "true") {
            self.show_beta(call)
        } else if is("exportV2", "true") {
            self.export(call, V1_NAMES, ZipFormat::Second).await
        } else if is("export", "true") {
            self.export(call, V1_NAMES, ZipFormat::First).await
        } else {
            self.read_config(call)
        }
    }

    pub(super) async fn post_config(&self, call: &Call) -> Result<Reply, Trouble> {
        let is = |name| call.parameters.get(name) == Some("true");
        if is("import") {
            self.v1_import(call).await
        } else if is("clone") {
            self.v1_clone(call).await
        } else {
            self.publish_described(call, V1_NAMES).await?;
            Ok(Answer::config(200, "true").into())
        }
    }

    /// The content itself, what is known of it in headers.
    fn read_config(&self, call: &Call) -> Result<Reply, Trouble> {
        let key = V1_NAMES.key(&call.parameters)?;
        let tag = call.parameters.first(&["tag"]);
        let Some(found) = self.node.query_config(&key, &call.labels(), tag)? else {
            return Ok(Answer::config(404, CONFIG_NOT_FOUND).into());
        };
        let answer = Answer { body: found.content.bytes.clone(), ..Answer::text(200, "") };
        Ok(Reply::from(answer).with_headers(read_headers(&found)))
    }

    /// Everything about the formal version; nothing at all if there is none.
    fn show_config(&self, call: &Call) -> Result<Reply, Trouble> {
        let key = V1_NAMES.key(&call.parameters)?;
        let found = self.node.config_variant(&key, &VariantName::Formal)?;
        let (Some(config), Some(found)) = (self.node.config(&key), found) else {
            return Ok(Answer::json("").into());
        };
        // Who published it last, not who created it (recording v1-cs-metadata).
        let Some(author) = config.formal().map(|formal| &formal.author) else {
            return Ok(Answer::json("").into());
        };
        let details = config.details();
        let detail = ConfigDetail {
            config: ConfigInfo {
                encrypted_data_key: Some(&found.selection.encrypted_data_key),
                ..config_info(&config, &found)
            },
            create_time: config.created().0,
            modify_time: found.selection.modified.0,
            create_user: author.user.as_deref(),
            create_ip: &author.ip,
            desc: details.description.as_deref(),
            r#use: details.purpose.as_deref(),
            effect: details.effect.as_deref(),
            schema: details.schema.as_deref(),
            config_tags: shown_tags(config.tags()),
        };
        let mut body = Vec::with_capacity(512 + found.content.bytes.len());
        write_json(&mut body, &detail);
        Ok(Answer::json(body).into())
    }

    fn show_beta(&self, call: &Call) -> Result<Reply, Trouble> {
        const OK: Option<&str> = Some("query beta ok");
        let key = V1_NAMES.key(&call.parameters)?;
        let config = self.node.config(&key);
        let beta = config.as_ref().and_then(|config| {
            config.grays().find(|(name, ..)| name.is_beta()).map(|(name, rule, _)| (config, name, rule))
        });
        let Some((config, name, rule)) = beta else {
            return Ok(rest_result(200, OK, |out| write_json(out, &None::<&str>)).into());
        };
        let Some(found) = self.node.config_variant(&key, &VariantName::Gray(name.clone()))? else {
            return Ok(rest_result(200, OK, |out| write_json(out, &None::<&str>)).into());
        };
        let shown = BetaConfig {
            config: ConfigInfo { r#type: None, ..config_info(config, &found) },
            beta_ips: rule.expression(),
        };
        Ok(rest_result(200, OK, |out| write_json(out, &shown)).into())
    }

    pub(super) async fn delete_config(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        if call.parameters.get("delType") == Some("ids") {
            return self.delete_configs_by_id(call).await;
        }
        let key = V1_NAMES.key(&call.parameters)?;
        if call.parameters.get("beta") == Some("true") {
            return self.stop_beta(call, key).await;
        }
        self.remove_described(call, V1_NAMES, key).await?;
        Ok(Answer::config(200, "true").into())
    }

    async fn stop_beta(&self, call: &Call, key: ConfigKey) -> Result<Reply, Trouble> {
        let target = RemoveTarget::Gray(GrayName::BETA.to_owned());
        let outcome = self.node.remove_config(key, target, call.author(V1_NAMES.user)).await?;
        Ok(match outcome {
            Outcome::Removed { existed: false } => {
                rest_result(500, Some("remove beta data error"), |out| write_json(out, &false))
            }
            Outcome::Removed { .. }
            | Outcome::Published { .. }
            | Outcome::Done
            | Outcome::HistoryExpired { .. } => {
                rest_result(200, Some("stop beta ok"), |out| write_json(out, &true))
            }
        }
        .into())
    }

    async fn delete_configs_by_id(&self, call: &Call) -> Result<Reply, Trouble> {
        call.parameters.get("ids").ok_or(Refusal::Missing { name: "ids", of_type: "List" })?;
        self.remove_by_id(call, V1_NAMES).await?;
        Ok(rest_result(200, None, |out| write_json(out, &true)).into())
    }

    /// Everything about a config but its content.
    pub(super) fn config_catalog(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V1_NAMES.key(&call.parameters)?;
        let config = self.node.config(&key);
        let catalog = config.as_ref().and_then(|config| {
            let (formal, details) = (config.formal()?, config.details());
            Some(ConfigCatalog {
                create_time: config.created().0,
                modify_time: formal.modified.0,
                create_user: formal.author.user.as_deref(),
                create_ip: &formal.author.ip,
                desc: details.description.as_deref(),
                r#use: details.purpose.as_deref(),
                effect: details.effect.as_deref(),
                r#type: formal.kind.declared(),
                schema: details.schema.as_deref(),
                config_tags: shown_tags(config.tags()),
            })
        });
        Ok(rest_result(200, None, |out| write_json(out, &catalog)).into())
    }
}
