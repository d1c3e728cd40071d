//! The parameters of the v3 API, in the groups in which operations share them.

use super::schema::Shape;
use serde_json::{Value, json};

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the query, or in a form.
    Anywhere,
    /// A header.
    Header,
    /// A part of a multipart form that is a file.
    File,
    /// The body, which is JSON.
    Json,
}

/// One parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) place: Place,
    pub(super) required: bool,
    default: Option<&'static str>,
    pub(super) about: &'static str,
}

impl Parameter {
    pub(super) fn property(&self) -> Value {
        let mut schema = match self.place {
            Place::File => json!({ "type": "string", "format": "binary" }),
            Place::Anywhere | Place::Header | Place::Json => self.shape.schema(),
        };
        schema["description"] = self.about.into();
        if let Some(default) = self.default {
            schema["default"] = serde_json::from_str(default).unwrap_or_else(|_| default.into());
        }
        schema
    }

    /// As a member of `parameters`.
    pub(super) fn listed(&self) -> Value {
        let mut schema = self.property();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("description");
        }
        json!({
            "name": self.name,
            "in": if self.place == Place::Header { "header" } else { "query" },
            "required": self.required,
            "description": self.about,
            "schema": schema,
        })
    }
}

pub(super) const fn required(name: &'static str, shape: Shape, about: &'static str) -> Parameter {
    Parameter { name, shape, place: Place::Anywhere, required: true, default: None, about }
}

pub(super) const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Parameter {
    Parameter { required: false, ..required(name, shape, about) }
}

pub(super) const fn or(
    name: &'static str,
    shape: Shape,
    default: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { default: Some(default), ..optional(name, shape, about) }
}

const fn header(name: &'static str, about: &'static str) -> Parameter {
    Parameter { place: Place::Header, ..optional(name, Shape::Text, about) }
}

pub(super) const fn body(shape: Shape, about: &'static str) -> Parameter {
    Parameter { place: Place::Json, ..required("body", shape, about) }
}

use Shape::{Flag, Number, Text, Whole};

const NAMESPACE_ID: Parameter = or("namespaceId", Text, "public", "the namespace; blank is `public`");
const GROUP_OR_DEFAULT: Parameter = or("groupName", Text, "DEFAULT_GROUP", "the group");

/// Which namespace.
pub(super) const NAMESPACE: &[Parameter] = &[NAMESPACE_ID];
/// Which service.
pub(super) const SERVICE: &[Parameter] =
    &[required("serviceName", Text, "the service, without its group"), GROUP_OR_DEFAULT, NAMESPACE_ID];
/// Which instance.
pub(super) const ADDRESS: &[Parameter] =
    &[required("ip", Text, "the address, or a host name"), required("port", Whole, "the port, 0 to 65,535")];
/// Which cluster.
pub(super) const CLUSTER: &[Parameter] =
    &[or("clusterName", Text, "DEFAULT", "the cluster; in lists several with commas")];
/// What an instance is like.
pub(super) const INSTANCE: &[Parameter] = &[
    or("weight", Number, "1.0", "the share of calls, 0 to 10,000"),
    or("healthy", Flag, "true", "whether it is healthy when it registers"),
    or("enabled", Flag, "true", "whether it takes calls"),
    or("metadata", Text, "", "a JSON object of texts, or `k1=v1,k2=v2`; 1,024 characters by default"),
];
/// How it is kept alive.
pub(super) const KIND: &[Parameter] = &[or(
    "ephemeral",
    Flag,
    "true",
    "kept alive by beats or its connection; else stored, and checked by the server",
)];
/// What a service is like.
pub(super) const SERVICE_SPEC: &[Parameter] = &[
    or(
        "protectThreshold",
        Number,
        "0.0",
        "share of healthy instances at which all are shown as healthy, 0 to 1",
    ),
    or("metadata", Text, "", "a JSON object of texts, or `k1=v1,k2=v2`"),
    optional("selector", Text, r#"`{"type":"none"}` or `{"type":"label","expression":""}`; kept and shown"#),
];
/// Which page.
pub(super) const PAGE: &[Parameter] =
    &[or("pageNo", Whole, "1", "the page, from 1"), or("pageSize", Whole, "100", "items of a page")];
/// Which config.
pub(super) const CONFIG: &[Parameter] =
    &[required("dataId", Text, "the config"), required("groupName", Text, "its group"), NAMESPACE_ID];
/// What is published.
pub(super) const CONTENT: &[Parameter] = &[
    required("content", Text, "the content, 10 MiB by default"),
    or("type", Text, "text", "text, json, xml, yaml, html, properties or toml; absent sets it to text"),
    optional("appName", Text, "the application; absent keeps it"),
    optional("configTags", Text, "tags with commas; absent keeps them"),
    optional("desc", Text, "a description"),
    optional("srcUser", Text, "who publishes"),
    optional("tag", Text, "publish for clients with this tag alone"),
    optional("encryptedDataKey", Text, "the key of a content that its client has encrypted"),
    header("betaIps", "publish for these addresses alone, with commas"),
    header("casMd5", "publish only if the content's MD5 is this"),
];
/// Which configs; `*` stands for any text where `search` is blur.
pub(super) const SEARCH: &[Parameter] = &[
    optional("dataId", Text, "part of the data id"),
    optional("groupName", Text, "part of the group"),
    NAMESPACE_ID,
    optional("appName", Text, "the application"),
    optional("configTags", Text, "tags with commas"),
    optional("type", Text, "types with commas"),
    optional("configDetail", Text, "part of the content"),
    or("search", Text, "blur", "accurate or blur"),
];
/// Which configs of an export.
pub(super) const EXPORT: &[Parameter] = &[
    optional("dataId", Text, "part of the data id"),
    optional("groupName", Text, "the group"),
    NAMESPACE_ID,
    optional("appName", Text, "the application"),
    optional("ids", Text, "ids of configs with commas; they win over the others"),
];
/// What happens to configs that exist.
pub(super) const POLICY: &[Parameter] =
    &[or("policy", Text, "ABORT", "for configs that exist: ABORT, SKIP or OVERWRITE")];
/// The file of an import.
pub(super) const FILE: &[Parameter] = &[Parameter {
    place: Place::File,
    ..required("file", Text, "a zip of `GROUP/dataId`, with `.metadata.yml`")
}];
/// Which log, and how much of it.
pub(super) const LOG: &[Parameter] = &[
    required(
        "logName",
        Text,
        "a logger of the original (`naming-server`), `ROOT`, or a target of ours (`muster_nacos`)",
    ),
    required("logLevel", Text, "trace, debug, info, warn, error or off"),
];
/// Where clients should go.
pub(super) const REDIRECT: &[Parameter] =
    &[optional("redirectAddress", Text, "`host:port` of another server")];
/// Which client.
pub(super) const CLIENT: &[Parameter] = &[required("clientId", Text, "a connection, or `ip:port#true`")];
