//! History entries, as v1 and v2 show them, and as v3 does.

use serde::Serialize;

/// What an entry tells besides, JSON in a text: `{"type":"text","src_user":"bob"}`; of gray versions name and rule.
#[derive(Clone, Debug, Default)]
pub struct ExtraInfo<'a> {
    /// The declared type.
    pub kind: Option<&'a str>,
    /// Tags, comma-separated.
    pub tags: String,
    /// Who had published that content.
    pub user: Option<&'a str>,
    /// Description.
    pub description: Option<&'a str>,
    /// Use.
    pub purpose: Option<&'a str>,
    /// Effect.
    pub effect: Option<&'a str>,
    /// Schema.
    pub schema: Option<&'a str>,
    /// The gray version, if it is one's.
    pub gray: Option<GrayInfo<'a>>,
}

/// A gray version's name and rule.
#[derive(Clone, Copy, Debug)]
pub struct GrayInfo<'a> {
    /// Name.
    pub name: &'a str,
    /// `beta`, `tag` or `label`.
    pub kind: &'a str,
    /// Version of the rule language.
    pub version: &'a str,
    /// Who sees it.
    pub expression: &'a str,
    /// The highest goes first.
    pub priority: i32,
}

impl GrayInfo<'_> {
    /// The rule as JSON: `{"type":"beta","version":"1.0.0","expr":"10.0.0.1","priority":2147483647}`.
    pub fn rule(&self) -> String {
        serde_json::json!({
            "type": self.kind, "version": self.version, "expr": self.expression, "priority": self.priority,
        })
        .to_string()
    }
}

impl ExtraInfo<'_> {
    /// The text; blank values are left out. A first publication names its user first, as the original does.
    pub fn text(&self, is_first: bool) -> String {
        let user = [("src_user", self.user)];
        let about = [("type", self.kind), ("config_tags", Some(self.tags.as_str())), ("effect", self.effect)];
        let more = [("c_desc", self.description), ("c_use", self.purpose), ("c_schema", self.schema)];
        let rule = self.gray.map(|gray| gray.rule());
        let fields: Vec<_> = match &self.gray {
            Some(gray) => {
                let name = [("gray_name", Some(gray.name))];
                name.into_iter().chain(user).chain([("gray_rule", rule.as_deref())]).collect()
            }
            None if is_first => user.into_iter().chain(about).chain(more).collect(),
            None => about.into_iter().chain(user).chain(more).collect(),
        };
        let mut out = Vec::with_capacity(64);
        let mut object = crate::json::Object::open(&mut out);
        for (key, value) in fields {
            if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
                object.string(key, value);
            }
        }
        object.close();
        String::from_utf8(out).expect("JSON is UTF-8")
    }
}

/// An entry in v1 and v2. Lists show no content, md5 and cipher key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryInfo<'a> {
    /// Its number.
    pub id: String,
    /// -1.
    pub last_id: i32,
    /// Data id.
    pub data_id: &'a str,
    /// Group.
    pub group: &'a str,
    /// Namespace, "" for `public`.
    pub tenant: &'a str,
    /// Application.
    pub app_name: &'a str,
    /// Md5 of the content.
    pub md5: Option<String>,
    /// Content: the new one of a first publication, else the one before.
    pub content: Option<&'a str>,
    /// From which address it was done.
    pub src_ip: &'a str,
    /// Who did it.
    pub src_user: Option<&'a str>,
    /// `I`, `U` or `D`, with blanks to ten characters, as the original's column has it.
    pub op_type: String,
    /// `formal` or `gray`.
    pub publish_type: &'static str,
    /// The gray version's name, "" of the formal one.
    pub gray_name: &'a str,
    /// See [`ExtraInfo`].
    pub ext_info: String,
    /// When it was done, ISO 8601.
    pub created_time: String,
    /// The same.
    pub last_modified_time: String,
    /// The cipher key of the content.
    pub encrypted_data_key: Option<&'a str>,
}

/// What an entry changed, v2 `history/detail`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryDetail<'a> {
    /// The entry.
    #[serde(flatten)]
    pub entry: HistoryInfo<'a>,
    /// The content before; null of a first publication.
    pub original_content: Option<&'a str>,
    /// Its md5.
    pub original_md5: Option<String>,
    /// See [`ExtraInfo`].
    pub original_ext_info: Option<String>,
    /// The content after; null of a removal.
    pub updated_content: Option<&'a str>,
    /// Its md5.
    pub updated_md5: Option<String>,
    /// See [`ExtraInfo`]; only of a first publication.
    pub updated_ext_info: Option<String>,
}

/// An entry in lists of v3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct V3History<'a> {
    /// Its number.
    pub id: String,
    /// Namespace.
    pub namespace_id: &'a str,
    /// Group.
    pub group_name: &'a str,
    /// Data id.
    pub data_id: &'a str,
    /// Md5 of the content; null in lists.
    pub md5: Option<String>,
    /// Null, as recorded; it is in the extra information.
    pub r#type: Option<&'a str>,
    /// Application.
    pub app_name: &'a str,
    /// When it was done, milliseconds.
    pub create_time: u64,
    /// The same.
    pub modify_time: u64,
    /// From which address.
    pub src_ip: &'a str,
    /// Who did it.
    pub src_user: Option<&'a str>,
    /// `I`, `U` or `D`, with blanks to ten characters.
    pub op_type: String,
    /// `formal` or `gray`.
    pub publish_type: &'static str,
}

/// One entry in v3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct V3HistoryDetail<'a> {
    /// What lists show.
    #[serde(flatten)]
    pub entry: V3History<'a>,
    /// Content.
    pub content: &'a str,
    /// Its cipher key.
    pub encrypted_data_key: &'a str,
    /// The gray version's name, "" of the formal one.
    pub gray_name: &'a str,
    /// See [`ExtraInfo`].
    pub ext_info: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_information_is_in_the_originals_order() {
        let extra = ExtraInfo {
            kind: Some("json"),
            tags: "t1,t2".into(),
            user: Some("bob"),
            description: Some("a \"b\""),
            effect: Some(" "),
            ..ExtraInfo::default()
        };
        let rest = r#""type":"json","config_tags":"t1,t2""#;
        assert_eq!(extra.text(false), format!(r#"{{{rest},"src_user":"bob","c_desc":"a \"b\""}}"#));
        assert_eq!(extra.text(true), format!(r#"{{"src_user":"bob",{rest},"c_desc":"a \"b\""}}"#));
        let gray =
            GrayInfo { name: "beta", kind: "beta", version: "1.0.0", expression: "1.1.1.1", priority: 7 };
        let told: serde_json::Value =
            serde_json::from_str(&ExtraInfo { gray: Some(gray), ..extra }.text(false)).unwrap();
        assert_eq!(told["gray_name"], "beta");
        let rule: serde_json::Value = serde_json::from_str(told["gray_rule"].as_str().unwrap()).unwrap();
        assert_eq!(
            rule,
            serde_json::json!({"type": "beta", "version": "1.0.0", "expr": "1.1.1.1", "priority": 7})
        );
    }
}
