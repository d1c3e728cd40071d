//! Configs as administrators see them in v3, and what v1 and v3 say of groups and namespaces.

use serde::{Deserialize, Serialize};

/// A config in a list of v3; ids are texts, because JavaScript can't hold them as numbers.
/// `{"id":"7","namespaceId":"public","groupName":"G","dataId":"a","md5":"…","type":"yaml","appName":"","createTime":0,"modifyTime":0}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigBasic<'a> {
    /// Its number; `0` in the list of a namespace.
    pub id: String,
    /// Namespace.
    pub namespace_id: &'a str,
    /// Group.
    pub group_name: &'a str,
    /// Data id.
    pub data_id: &'a str,
    /// Md5 of the content; null where a search was by tags.
    pub md5: Option<String>,
    /// The declared type.
    pub r#type: Option<&'a str>,
    /// The application.
    pub app_name: &'a str,
    /// When it was created, milliseconds; 0 in lists, as 3.0 gives it.
    pub create_time: u64,
    /// When it was last changed, milliseconds; 0 in searches.
    pub modify_time: u64,
}

/// All about a config, in v3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct V3ConfigDetail<'a> {
    /// What lists show.
    #[serde(flatten)]
    pub basic: ConfigBasic<'a>,
    /// Content.
    pub content: &'a str,
    /// Description.
    pub desc: Option<&'a str>,
    /// The encrypted data key, "" if there is none.
    pub encrypted_data_key: Option<&'a str>,
    /// Who published it.
    pub create_user: Option<&'a str>,
    /// From which address.
    pub create_ip: Option<&'a str>,
    /// Tags, comma-separated; null if there are none.
    pub config_tags: Option<String>,
}

/// A gray version of a config, in v3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigGray<'a> {
    /// The config, with the gray version's content.
    #[serde(flatten)]
    pub detail: V3ConfigDetail<'a>,
    /// Its name.
    pub gray_name: &'a str,
    /// Its rule, JSON in a text.
    pub gray_rule: String,
}

/// What `configs/catalog` tells of a config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigCatalog<'a> {
    /// When it was created, milliseconds.
    pub create_time: u64,
    /// When it was last changed, milliseconds.
    pub modify_time: u64,
    /// Who published it.
    pub create_user: Option<&'a str>,
    /// From which address.
    pub create_ip: &'a str,
    /// Description.
    pub desc: Option<&'a str>,
    /// Use.
    pub r#use: Option<&'a str>,
    /// Effect.
    pub effect: Option<&'a str>,
    /// The declared type.
    pub r#type: Option<&'a str>,
    /// Schema.
    pub schema: Option<&'a str>,
    /// Tags, comma-separated; null if there are none.
    pub config_tags: Option<String>,
}

/// A config by its name, in what an import tells: `{"dataId":"a","group":"G"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigOf<'a> {
    /// Data id.
    pub data_id: &'a str,
    /// Group.
    pub group: &'a str,
}

/// A config to clone, by its number: `[{"cfgId":"7","dataId":"b","group":"G"}]`, in v3's administration
/// `[{"configId":7,"targetDataId":"b","targetGroupName":"G"}]`. Blank names keep those of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigNumbered {
    /// Its number, as a number or a text.
    #[serde(alias = "configId", deserialize_with = "number")]
    pub cfg_id: u64,
    /// The copy's data id.
    #[serde(alias = "targetDataId")]
    pub data_id: Option<String>,
    /// The copy's group.
    #[serde(alias = "targetGroupName")]
    pub group: Option<String>,
}

fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(u64),
        Text(String),
    }
    match Number::deserialize(deserializer)? {
        Number::Number(number) => Ok(number),
        Number::Text(text) => text.trim().parse().map_err(serde::de::Error::custom),
    }
}

/// What a group or namespace may hold:
/// `{"id":"7","quota":200,"usage":0,"maxSize":102400,"maxAggrCount":10000,"maxAggrSize":1024,"gmtCreate":null,"gmtModified":null,"group":"G"}`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityBody<'a> {
    /// Its number.
    pub id: String,
    /// Configs it may have.
    pub quota: u32,
    /// Configs it has.
    pub usage: usize,
    /// Bytes that one content may have.
    pub max_size: u32,
    /// Parts of an aggregated config.
    pub max_aggr_count: u32,
    /// Bytes of such a part.
    pub max_aggr_size: u32,
    /// Null, as recorded.
    pub gmt_create: Option<u64>,
    /// Null, as recorded.
    pub gmt_modified: Option<u64>,
    /// The group, in v1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<&'a str>,
    /// The namespace, in v1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<&'a str>,
    /// The group, in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_name: Option<&'a str>,
    /// The namespace, in v3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_id: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configs_to_clone_are_named_in_two_ways() {
        let read: Vec<ConfigNumbered> = serde_json::from_str(
            r#"[{"cfgId":"7","dataId":"a","group":null},{"configId":8,"targetGroupName":"G"},{"cfgId":9,"more":1}]"#,
        )
        .unwrap();
        let new = |cfg_id, data_id: Option<&str>, group: Option<&str>| ConfigNumbered {
            cfg_id,
            data_id: data_id.map(str::to_owned),
            group: group.map(str::to_owned),
        };
        assert_eq!(read, [new(7, Some("a"), None), new(8, None, Some("G")), new(9, None, None)]);
        for text in ["[{\"cfgId\":\"x\"}]", "{}", "[7]", "[{\"cfgId\":-1}]"] {
            assert!(serde_json::from_str::<Vec<ConfigNumbered>>(text).is_err(), "{text}");
        }
    }
}
