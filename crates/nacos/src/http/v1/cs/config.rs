//! Configs: read, publish, remove.

use crate::http::{
    Http,
    call::Call,
    configs::{V1_NAMES, config_info},
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ConfigKey;
use muster_nacos_wire::http::{
    Answer, BetaConfig, CONFIG_NOT_FOUND, ConfigDetail, ConfigHeaders, ConfigInfo, Refusal, check_filter,
    config_headers, rest_result, write_json,
};
use muster_node::config::{GrayName, Outcome, RemoveTarget, VariantName};

impl Http {
    pub(super) fn get_config(&self, call: &Call) -> Result<Reply, Trouble> {
        let is = |name, value: &str| call.parameters.get(name) == Some(value);
        if is("search", "blur") {
            return self.search_configs(call, true);
        }
        check_filter(&call.parameters, self.metadata_chars_max())?;
        if is("search", "accurate") {
            self.search_configs(call, false)
        } else if is("show", "all") {
            self.show_config(call)
        } else if is("beta", "true") {
            self.show_beta(call)
        } else {
            self.read_config(call)
        }
    }

    /// The content itself, what is known of it in headers.
    fn read_config(&self, call: &Call) -> Result<Reply, Trouble> {
        let key = V1_NAMES.key(&call.parameters)?;
        let tag = call.parameters.first(&["tag"]);
        let Some(found) = self.node.query_config(&key, &call.labels(), tag)? else {
            return Ok(Answer::config(404, CONFIG_NOT_FOUND).into());
        };
        let selection = &found.selection;
        let headers = config_headers(&ConfigHeaders {
            config_type: selection.kind.as_str(),
            md5: &selection.md5.to_string(),
            encrypted_data_key: &selection.encrypted_data_key,
            last_modified: selection.modified,
            beta: selection.is_beta(),
            tag: selection.tag(),
        });
        let answer = Answer { body: found.content.bytes.clone(), ..Answer::text(200, "") };
        Ok(Reply::from(answer).with_headers(headers))
    }

    /// Everything about the formal version; nothing at all if there is none.
    fn show_config(&self, call: &Call) -> Result<Reply, Trouble> {
        let key = V1_NAMES.key(&call.parameters)?;
        let found = self.node.config_variant(&key, &VariantName::Formal)?;
        let (Some(config), Some(found)) = (self.node.config(&key), found) else {
            return Ok(Answer::json("").into());
        };
        let details = config.details();
        let tags = Some(config.tags().join(",")).filter(|tags| !tags.is_empty());
        let detail = ConfigDetail {
            config: ConfigInfo {
                encrypted_data_key: Some(&found.selection.encrypted_data_key),
                ..config_info(&config, &found)
            },
            create_time: config.created().0,
            modify_time: found.selection.modified.0,
            create_user: config.created_by().user.as_deref(),
            create_ip: &config.created_by().ip,
            desc: details.description.as_deref(),
            r#use: details.purpose.as_deref(),
            effect: details.effect.as_deref(),
            schema: details.schema.as_deref(),
            config_tags: tags,
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

    pub(super) async fn publish_config(&self, call: &Call) -> Result<Reply, Trouble> {
        self.publish_described(call, V1_NAMES).await?;
        Ok(Answer::config(200, "true").into())
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
        let target = match call.parameters.first(&["tag"]) {
            Some(tag) => RemoveTarget::Gray(format!("{}{tag}", GrayName::TAG_PREFIX)),
            None => RemoveTarget::All,
        };
        self.node.remove_config(key, target, call.author(V1_NAMES.user)).await?;
        Ok(Answer::config(200, "true").into())
    }

    async fn stop_beta(&self, call: &Call, key: ConfigKey) -> Result<Reply, Trouble> {
        let target = RemoveTarget::Gray(GrayName::BETA.to_owned());
        let outcome = self.node.remove_config(key, target, call.author(V1_NAMES.user)).await?;
        Ok(match outcome {
            Outcome::Removed { existed: false } => {
                rest_result(500, Some("remove beta data error"), |out| write_json(out, &false))
            }
            Outcome::Removed { .. } | Outcome::Published { .. } | Outcome::HistoryExpired { .. } => {
                rest_result(200, Some("stop beta ok"), |out| write_json(out, &true))
            }
        }
        .into())
    }

    async fn delete_configs_by_id(&self, call: &Call) -> Result<Reply, Trouble> {
        let text = call.parameters.get("ids").ok_or(Refusal::Missing { name: "ids", of_type: "List" })?;
        let ids: Result<Vec<u64>, _> = text.split(',').map(|id| id.trim().parse()).collect();
        let ids = ids.map_err(|_| Refusal::BadValue { name: "ids", value: text.to_owned() })?;
        for key in self.node.configs_by_id(&ids) {
            self.node.remove_config(key, RemoveTarget::All, call.author(V1_NAMES.user)).await?;
        }
        Ok(rest_result(200, None, |out| write_json(out, &true)).into())
    }
}
