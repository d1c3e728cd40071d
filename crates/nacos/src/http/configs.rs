//! What all generations do with configs: how a request names one, and what it publishes.

use super::{Http, call::Call, refuse, trouble::Trouble};
use bytes::Bytes;
use muster_model::{ConfigKey, ConfigType, ErrorCode, Namespace};
use muster_nacos_wire::{
    ParamError, config_key,
    http::{ConfigInfo, Parameters, Refusal, check_filter},
};
use muster_node::{
    FoundConfig,
    config::{Condition, Config, Content, Details, FieldError, Gray, Publish},
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

/// The names of v3.
pub(crate) const V3_NAMES: PublishNames = PublishNames {
    group: "groupName",
    namespace: "namespaceId",
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
}

/// The namespace as it was given; the text `null`, which scripts send, is none.
fn namespace_text<'a>(parameters: &'a Parameters, name: &str) -> &'a str {
    parameters.first(&[name]).filter(|text| *text != "null").unwrap_or_default()
}

/// The namespace of a v1 config request.
pub(crate) fn tenant_of(parameters: &Parameters) -> Result<Namespace, Refusal> {
    let text = namespace_text(parameters, V1_NAMES.namespace);
    Namespace::canonical(text).map_err(|error| Refusal::Filter(ParamError::from(error)))
}

/// A namespace as v1 shows it.
pub(crate) fn shown_tenant(key: &ConfigKey) -> &str {
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
        tenant: shown_tenant(key),
        app_name: config.app_name(),
        r#type: Some(found.selection.kind.as_str()),
    }
}
