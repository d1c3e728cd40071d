//! What a source has, in the shape in which `/muster/v1/import` takes it.

use serde::Serialize;
use std::collections::BTreeMap;

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) namespaces: Vec<NamespaceItem>,
    /// By namespace, group and data id.
    pub(super) configs: BTreeMap<(String, String, String), ConfigItem>,
    pub(super) services: Vec<ServiceItem>,
    pub(super) accounts: Vec<AccountItem>,
    /// What was found and can't be taken over, for people.
    pub(super) notes: Vec<String>,
}

impl Collected {
    /// The config of a key, made if it is not there yet. Namespaces are canonical: "" is `public`.
    pub(super) fn config(&mut self, namespace: &str, group: &str, data_id: &str) -> &mut ConfigItem {
        let namespace = canonical(namespace);
        let key = (namespace.clone(), group.to_owned(), data_id.to_owned());
        self.configs.entry(key).or_insert_with(|| ConfigItem {
            namespace,
            group: group.to_owned(),
            data_id: data_id.to_owned(),
            ..ConfigItem::default()
        })
    }
}

/// The one id of a namespace that has several spellings.
pub(super) fn canonical(namespace: &str) -> String {
    let namespace = namespace.trim();
    if namespace.is_empty() || namespace == "null" { "public".to_owned() } else { namespace.to_owned() }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NamespaceItem {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ConfigItem {
    pub(super) namespace: String,
    pub(super) group: String,
    pub(super) data_id: String,
    /// The formal one first.
    pub(super) versions: Vec<VersionItem>,
    pub(super) history: Vec<HistoryItem>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct VersionItem {
    pub(super) content: String,
    pub(super) r#type: Option<String>,
    pub(super) app_name: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) description: Option<String>,
    #[serde(rename = "use")]
    pub(super) purpose: Option<String>,
    pub(super) effect: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) encrypted_data_key: String,
    pub(super) user: Option<String>,
    pub(super) address: String,
    pub(super) gray: Option<GrayItem>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct GrayItem {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) expression: String,
    pub(super) priority: i32,
}

impl GrayItem {
    pub(super) fn beta(addresses: &str) -> Self {
        Self {
            name: "beta".into(),
            version: "1.0.0".into(),
            expression: addresses.into(),
            priority: i32::MAX,
        }
    }

    pub(super) fn tag(tag: &str) -> Self {
        Self {
            name: format!("tag_{tag}"),
            version: "1.0.0".into(),
            expression: tag.into(),
            priority: i32::MAX - 1,
        }
    }

    /// A gray version by its name and its rule, JSON: `{"type":"beta","version":"1.0.0","expr":"10.0.0.1","priority":1}`.
    pub(super) fn of_rule(name: &str, rule: &str) -> Option<Self> {
        let rule: serde_json::Value = serde_json::from_str(rule).ok()?;
        Some(Self {
            name: name.to_owned(),
            version: rule["version"].as_str().unwrap_or("1.0.0").to_owned(),
            expression: rule["expr"].as_str()?.to_owned(),
            priority: rule["priority"].as_i64().and_then(|it| i32::try_from(it).ok()).unwrap_or_default(),
        })
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct HistoryItem {
    pub(super) op: String,
    /// Milliseconds since 1970.
    pub(super) time: u64,
    pub(super) by_user: Option<String>,
    pub(super) by_address: String,
    #[serde(flatten)]
    pub(super) version: VersionItem,
}

/// What an entry tells besides, JSON: `{"type":"text","src_user":"bob","config_tags":"a,b","c_desc":"…"}`; of gray
/// versions `gray_name` and `gray_rule`.
pub(super) fn describe(version: &mut VersionItem, extra: &str) {
    let Ok(extra) = serde_json::from_str::<serde_json::Value>(extra) else { return };
    let text = |key: &str| extra[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    version.r#type = text("type").or(version.r#type.take());
    version.user = text("src_user").or(version.user.take());
    version.tags = text("config_tags").map(|tags| tags_of(&tags)).or(version.tags.take());
    version.description = text("c_desc");
    version.purpose = text("c_use");
    version.effect = text("effect");
    version.schema = text("c_schema");
    if let (Some(name), Some(rule)) = (text("gray_name"), text("gray_rule")) {
        version.gray = GrayItem::of_rule(&name, &rule);
    }
}

/// Comma-separated tags.
pub(super) fn tags_of(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum AccountItem {
    User { name: String, hash: String, enabled: bool },
    Role { user: String, role: String },
    Permission { role: String, resource: String, action: String },
}

impl AccountItem {
    /// What it is and its name, for reports.
    pub(super) fn named(&self) -> (&'static str, String) {
        match self {
            Self::User { name, .. } => ("user", name.clone()),
            Self::Role { user, role } => ("role", format!("{user} {role}")),
            Self::Permission { role, resource, action } => {
                ("permission", format!("{role} {resource} {action}"))
            }
        }
    }
}

/// A service with what administrators set, and its persistent instances.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ServiceItem {
    pub(super) namespace: String,
    pub(super) group: String,
    pub(super) name: String,
    pub(super) ephemeral: bool,
    pub(super) protection: f64,
    pub(super) metadata: BTreeMap<String, String>,
    /// JSON, without what only shows: type and expression.
    pub(super) selector: String,
    pub(super) clusters: BTreeMap<String, ClusterItem>,
    pub(super) instances: Vec<InstanceItem>,
}

impl ServiceItem {
    /// Whether an administrator set anything of it.
    pub(super) fn says_something(&self) -> bool {
        self.protection != 0.0
            || !self.metadata.is_empty()
            || self.selector != NO_SELECTOR
            || self.clusters.values().any(|cluster| *cluster != ClusterItem::default())
    }
}

/// The selector of a service that has none.
pub(super) const NO_SELECTOR: &str = r#"{"type":"none"}"#;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClusterItem {
    /// JSON.
    pub(super) checker: String,
    pub(super) check_port: u64,
    pub(super) use_instance_port: bool,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Default for ClusterItem {
    fn default() -> Self {
        Self {
            checker: r#"{"type":"TCP"}"#.into(),
            check_port: 80,
            use_instance_port: true,
            metadata: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct InstanceItem {
    pub(super) ip: String,
    pub(super) port: u64,
    pub(super) cluster: String,
    pub(super) weight: f64,
    pub(super) enabled: bool,
    pub(super) healthy: bool,
    pub(super) metadata: BTreeMap<String, String>,
}
