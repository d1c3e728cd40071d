//! Configs: read, publish, remove.

use crate::http::{Http, call::Call, refuse, reply::Reply, trouble::Trouble};
use bytes::Bytes;
use muster_model::{ConfigKey, ConfigType, ErrorCode, Namespace};
use muster_nacos_wire::{
    ParamError, config_key,
    http::{
        Answer, BetaConfig, CONFIG_NOT_FOUND, ConfigDetail, ConfigHeaders, ConfigInfo, Parameters, Refusal,
        check_filter, config_headers, rest_result, write_json,
    },
};
use muster_node::{
    FoundConfig,
    config::{
        Condition, Config, Content, Details, FieldError, Gray, GrayName, Outcome, Publish, RemoveTarget,
        VariantName,
    },
};

/// What the parameters of a publication are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublishNames {
    pub(crate) group: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) tags: &'static str,
    pub(crate) user: &'static str,
    /// Whether a blank name is as an absent one.
    pub(crate) blank_is_missing: bool,
}

/// The names of v1.
pub(crate) const V1_NAMES: PublishNames = PublishNames {
    group: "group",
    namespace: "tenant",
    tags: "config_tags",
    user: "src_user",
    blank_is_missing: false,
};

impl PublishNames {
    /// A required text.
    fn required<'a>(&self, parameters: &'a Parameters, name: &'static str) -> Result<&'a str, Refusal> {
        let value = parameters.get(name).filter(|text| !self.blank_is_missing || !text.trim().is_empty());
        value.ok_or(Refusal::Missing { name, of_type: "String" })
    }

    /// The config that a request is about.
    pub(crate) fn key(&self, parameters: &Parameters) -> Result<ConfigKey, Trouble> {
        let data_id = self.required(parameters, "dataId")?;
        let group = self.required(parameters, self.group)?;
        for (name, value) in [("dataId", data_id), ("group", group)] {
            if value.trim().is_empty() {
                return Err(refuse(ErrorCode::InvalidParameter, format!("invalid {name} : {value}")));
            }
        }
        let namespace = namespace_text(parameters, self.namespace);
        Ok(config_key(namespace, group, data_id).map_err(Refusal::Filter)?)
    }
}

/// The namespace as it was given; the text `null`, which scripts send, is none.
fn namespace_text<'a>(parameters: &'a Parameters, name: &str) -> &'a str {
    parameters.first(&[name]).filter(|text| *text != "null").unwrap_or_default()
}

/// The namespace of a v1 config request.
pub(super) fn tenant_of(parameters: &Parameters) -> Result<Namespace, Refusal> {
    let text = namespace_text(parameters, V1_NAMES.namespace);
    Namespace::canonical(text).map_err(|error| Refusal::Filter(ParamError::from(error)))
}

/// A namespace as v1 shows it.
pub(super) fn shown_tenant(key: &ConfigKey) -> &str {
    match key.namespace().as_str() {
        Namespace::PUBLIC => "",
        other => other,
    }
}

/// A content as text.
pub(crate) fn text_of(found: &FoundConfig) -> &str {
    std::str::from_utf8(&found.content.bytes).expect("contents are checked when they are published")
}

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

    /// Publishes what the parameters and headers describe.
    pub(crate) async fn publish_described(&self, call: &Call, names: PublishNames) -> Result<(), Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let parameters = &call.parameters;
        names.required(parameters, "dataId")?;
        names.required(parameters, names.group)?;
        let content = names.required(parameters, "content")?;
        let key = names.key(parameters)?;
        let publish = self.publication(call, names, key, content).map_err(|error| {
            if error == FieldError::ContentBlank {
                refuse(ErrorCode::ParameterMissing, format!("content is blank : {content}"))
            } else {
                error.into()
            }
        })?;
        self.node.publish_config(publish).await?;
        Ok(())
    }

    fn publication(
        &self,
        call: &Call,
        names: PublishNames,
        key: ConfigKey,
        content: &str,
    ) -> Result<Publish, FieldError> {
        let parameters = &call.parameters;
        let owned = |name| parameters.get(name).map(str::to_owned);
        let content = Content::new(Bytes::copy_from_slice(content.as_bytes()))?;
        let mut publish = Publish::new(key, content, call.author(names.user), self.node.config_bounds());
        publish.gray = match (call.header("betaIps"), parameters.first(&["tag"])) {
            (Some(addresses), _) => Gray::beta(addresses)?,
            (None, Some(tag)) => Some(Gray::tag(tag)?),
            (None, None) => None,
        };
        publish.kind = ConfigType::parse(parameters.get("type").unwrap_or_default());
        publish.app_name = owned("appName");
        publish.tags = parameters.get(names.tags).map(Publish::tags_of);
        publish.details = Details {
            description: owned("desc"),
            purpose: owned("use"),
            effect: owned("effect"),
            schema: owned("schema"),
        };
        publish.encrypted_data_key = owned("encryptedDataKey").unwrap_or_default();
        if let Some(md5) = call.header("casMd5") {
            publish.condition = Condition::Md5(md5.to_owned());
        }
        Ok(publish)
    }

    pub(super) async fn publish_config(&self, call: &Call, names: PublishNames) -> Result<Reply, Trouble> {
        self.publish_described(call, names).await?;
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

/// A config as it is shown, with the content that was found.
pub(super) fn config_info<'a>(config: &'a Config, found: &'a FoundConfig) -> ConfigInfo<'a> {
    let key = config.key();
    ConfigInfo {
        id: config.id().to_string(),
        data_id: key.data_id().as_str(),
        group: key.group().as_str(),
        content: text_of(found),
        md5: Some(found.selection.md5.to_string()),
        encrypted_data_key: None,
        tenant: shown_tenant(key),
        app_name: config.app_name(),
        r#type: Some(found.selection.kind.as_str()),
    }
}
