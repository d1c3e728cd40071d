//! What all generations do with configs: how a request names one, and what it publishes.

pub(crate) mod capacity;
pub(crate) mod export;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod listeners;
pub(crate) mod metrics;
pub(crate) mod search;

use super::{Http, call::Call, refuse, trouble::Trouble};
use bytes::Bytes;
use muster_model::{ConfigKey, ConfigType, ErrorCode, Namespace};
use muster_nacos_wire::{
    ParamError, config_key,
    http::{ConfigHeaders, ConfigInfo, Parameters, Refusal, check_filter, config_headers},
};
use muster_node::{
    FoundConfig,
    config::{
        Condition, Config, Content, Details, FieldError, Gray, GrayName, GrayRule, Publish, RemoveTarget,
    },
};

/// What the parameters of a publication are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublishNames {
    pub(crate) group: &'static str,
    /// The first that is given counts.
    pub(crate) namespace: &'static [&'static str],
    pub(crate) tags: &'static str,
    pub(crate) user: &'static str,
    /// Whether a blank name is as an absent one.
    pub(crate) blank_is_missing: bool,
}

/// The names of v1.
pub(crate) const V1_NAMES: PublishNames = PublishNames {
    group: "group",
    // What v2 and v3 call it does no harm.
    namespace: &["tenant", "namespaceId"],
    tags: "config_tags",
    user: "src_user",
    blank_is_missing: false,
};

/// The names of v2.
pub(crate) const V2_NAMES: PublishNames = PublishNames {
    group: "group",
    namespace: &["namespaceId", "tenant"],
    tags: "configTags",
    user: "srcUser",
    blank_is_missing: true,
};

/// The names of v3.
pub(crate) const V3_NAMES: PublishNames = PublishNames {
    group: "groupName",
    namespace: &["namespaceId"],
    tags: "configTags",
    user: "srcUser",
    blank_is_missing: true,
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

    /// The config that a request is about, where no form collects its parameters: the binder says what is absent, and
    /// a blank name is refused like a malformed one.
    pub(crate) fn bound_key(&self, parameters: &Parameters) -> Result<ConfigKey, Trouble> {
        for name in ["dataId", self.group] {
            bound(parameters, name, "String")?;
        }
        Self { blank_is_missing: false, ..*self }.key(parameters)
    }

    /// The namespace that a request is about.
    pub(crate) fn namespace(&self, parameters: &Parameters) -> Result<Namespace, Refusal> {
        let text = namespace_text(parameters, self.namespace);
        Namespace::canonical(text).map_err(|error| Refusal::Filter(ParamError::from(error)))
    }
}

/// A parameter that Spring's binder asks for; it may be blank.
pub(crate) fn bound<'a>(
    parameters: &'a Parameters,
    name: &'static str,
    of_type: &'static str,
) -> Result<&'a str, Refusal> {
    parameters.get(name).ok_or(Refusal::Unbound { name, of_type })
}

/// A number that Spring's binder asks for.
pub(crate) fn bound_number(parameters: &Parameters, name: &'static str) -> Result<u64, Refusal> {
    let text = bound(parameters, name, "Long")?.trim();
    text.parse().map_err(|_| Refusal::BadValue { name, value: text.to_owned() })
}

/// Numbers of configs, comma-separated; `None` if there are none.
pub(crate) fn ids_of(parameters: &Parameters) -> Result<Option<Vec<u64>>, Refusal> {
    let Some(text) = parameters.first(&["ids"]) else { return Ok(None) };
    let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::parse);
    let ids = ids.collect::<Result<Vec<u64>, _>>();
    ids.map(Some).map_err(|_| Refusal::BadValue { name: "ids", value: text.to_owned() })
}

/// The namespace as it was given; the text `null`, which scripts send, is none.
fn namespace_text<'a>(parameters: &'a Parameters, names: &[&str]) -> &'a str {
    parameters.first(names).filter(|text| *text != "null").unwrap_or_default()
}

/// A namespace as v1 shows it.
pub(crate) fn shown_tenant(namespace: &Namespace) -> &str {
    match namespace.as_str() {
        Namespace::PUBLIC => "",
        other => other,
    }
}

/// A content as text.
pub(crate) fn text_of(found: &FoundConfig) -> &str {
    std::str::from_utf8(&found.content.bytes).expect("contents are checked when they are published")
}

impl Http {
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

    /// Removes the configs with these numbers; unknown ones are none.
    pub(crate) async fn remove_by_id(&self, call: &Call, names: PublishNames) -> Result<(), Trouble> {
        let ids = ids_of(&call.parameters)?.unwrap_or_default();
        for config in self.node.configs_by_id(&ids) {
            let key = config.key().clone();
            self.node.remove_config(key, RemoveTarget::All, call.author(names.user)).await?;
        }
        Ok(())
    }

    /// Removes a config, or the version of a tag.
    pub(crate) async fn remove_described(
        &self,
        call: &Call,
        names: PublishNames,
        key: ConfigKey,
    ) -> Result<(), Trouble> {
        let target = match call.parameters.first(&["tag"]) {
            Some(tag) => RemoveTarget::Gray(format!("{}{tag}", GrayName::TAG_PREFIX)),
            None => RemoveTarget::All,
        };
        self.node.remove_config(key, target, call.author(names.user)).await?;
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
        publish.gray = gray_of(call)?;
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
}

/// The gray version that is published: for the addresses of a header, for a tag, or, in v2, by a rule of its own.
fn gray_of(call: &Call) -> Result<Option<Gray>, FieldError> {
    let parameters = &call.parameters;
    if let Some(addresses) = call.header("betaIps") {
        return Gray::beta(addresses);
    }
    if let Some(tag) = parameters.first(&["tag"]) {
        return Gray::tag(tag).map(Some);
    }
    let Some(name) = parameters.first(&["grayName"]) else { return Ok(None) };
    let version = parameters.first(&["grayVersion"]).unwrap_or(GrayRule::VERSION);
    let expression = parameters.first(&["grayRuleExp"]).unwrap_or_default();
    let priority = parameters.number("grayPriority").unwrap_or_default();
    let priority = i32::try_from(priority.clamp(0, i64::from(i32::MAX))).unwrap_or_default();
    Gray::general(name, version, expression, priority).map(Some)
}

/// The headers of v1 and v2 that tell of a config which was read.
pub(crate) fn read_headers(found: &FoundConfig) -> Vec<(&'static str, String)> {
    let selection = &found.selection;
    config_headers(&ConfigHeaders {
        config_type: selection.kind.as_str(),
        md5: &selection.md5.to_string(),
        encrypted_data_key: &selection.encrypted_data_key,
        last_modified: selection.modified,
        beta: selection.is_beta(),
        tag: selection.tag(),
    })
}

/// Tags as they are shown; `None` if there are none.
pub(crate) fn shown_tags(tags: &[String]) -> Option<String> {
    Some(tags.join(",")).filter(|tags| !tags.is_empty())
}

/// A config as it is shown, with the content that was found.
pub(crate) fn config_info<'a>(config: &'a Config, found: &'a FoundConfig) -> ConfigInfo<'a> {
    let key = config.key();
    ConfigInfo {
        id: config.id().to_string(),
        data_id: key.data_id().as_str(),
        group: key.group().as_str(),
        content: text_of(found),
        md5: Some(found.selection.md5.to_string()),
        encrypted_data_key: None,
        tenant: shown_tenant(key.namespace()),
        app_name: config.app_name(),
        r#type: found.selection.kind.declared(),
    }
}
