//! Configs as administrators see them in v1.

use serde::Serialize;

/// A config in a page of a search. Ids are texts, because JavaScript can't hold them as numbers.
/// `{"id":"7","dataId":"a.yaml","group":"G","content":"a: 1","md5":null,"encryptedDataKey":null,"tenant":"","appName":"","type":"yaml"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigInfo<'a> {
    /// Its number.
    pub id: String,
    /// Data id.
    pub data_id: &'a str,
    /// Group.
    pub group: &'a str,
    /// Content.
    pub content: &'a str,
    /// Md5 of the content; null in searches.
    pub md5: Option<String>,
    /// The encrypted data key; null in an accurate search.
    pub encrypted_data_key: Option<&'a str>,
    /// The namespace, "" for `public`.
    pub tenant: &'a str,
    /// The application.
    pub app_name: &'a str,
    /// The type's name; null for a gray version.
    pub r#type: Option<&'a str>,
}

/// A config in the list of a namespace, `history/configs`: what describes it, and nothing of its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceConfig<'a> {
    /// `0`.
    pub id: &'a str,
    /// Data id.
    pub data_id: &'a str,
    /// Group.
    pub group: &'a str,
    /// Null.
    pub content: Option<&'a str>,
    /// Null.
    pub md5: Option<&'a str>,
    /// Null.
    pub encrypted_data_key: Option<&'a str>,
    /// The namespace, "" for `public`.
    pub tenant: &'a str,
    /// The application.
    pub app_name: &'a str,
    /// The declared type.
    pub r#type: Option<&'a str>,
    /// When it was last changed, milliseconds.
    pub last_modified: u64,
}

/// The beta version of a config, `GET configs?beta=true`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BetaConfig<'a> {
    /// The config, with the beta's content.
    #[serde(flatten)]
    pub config: ConfigInfo<'a>,
    /// Who sees it, comma-separated.
    pub beta_ips: &'a str,
}

/// All about a config, `GET configs?show=all`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigDetail<'a> {
    /// The config.
    #[serde(flatten)]
    pub config: ConfigInfo<'a>,
    /// When it was created, milliseconds.
    pub create_time: u64,
    /// When it was last changed, milliseconds.
    pub modify_time: u64,
    /// Who created it.
    pub create_user: Option<&'a str>,
    /// From which address.
    pub create_ip: &'a str,
    /// Description.
    pub desc: Option<&'a str>,
    /// Use.
    pub r#use: Option<&'a str>,
    /// Effect.
    pub effect: Option<&'a str>,
    /// Schema.
    pub schema: Option<&'a str>,
    /// Tags, comma-separated; null if there are none.
    pub config_tags: Option<String>,
}
