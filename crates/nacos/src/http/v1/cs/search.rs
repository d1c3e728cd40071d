//! Searching configs.

use crate::http::{
    Http,
    call::Call,
    configs::{config_info, tenant_of},
    refuse,
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Answer, ConfigInfo, Refusal, page};
use muster_node::config::{Config, Publish, VariantName};

/// What configs are looked for by; an empty text is no filter.
struct Wanted<'a> {
    data_id: &'a str,
    group: &'a str,
    app_name: &'a str,
    tags: Vec<String>,
    types: Vec<&'a str>,
    /// Whether `*` in data id and group stands for any text.
    blur: bool,
}

impl<'a> Wanted<'a> {
    fn of(call: &'a Call, blur: bool) -> Result<Self, Refusal> {
        let text = |name| call.parameters.get(name).map(str::trim);
        let required = |name| text(name).ok_or(Refusal::Missing { name, of_type: "String" });
        let types = text("types").unwrap_or_default().split(',').filter(|kind| blur && !kind.is_empty());
        Ok(Self {
            data_id: required("dataId")?,
            group: required("group")?,
            app_name: text("appName").unwrap_or_default(),
            tags: Publish::tags_of(text("config_tags").unwrap_or_default()),
            types: types.collect(),
            blur,
        })
    }

    fn is(&self, config: &Config) -> bool {
        let names = |wanted: &str, name: &str| {
            wanted.is_empty() || if self.blur { matches(wanted, name) } else { wanted == name }
        };
        config
            .formal()
            .is_some_and(|formal| self.types.is_empty() || self.types.contains(&formal.kind.as_str()))
            && names(self.data_id, config.key().data_id().as_str())
            && names(self.group, config.key().group().as_str())
            && (self.app_name.is_empty() || self.app_name == config.app_name())
            && (self.tags.is_empty() || config.tags().iter().any(|tag| self.tags.contains(tag)))
    }
}

/// Whether a name is of a pattern, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl Http {
    /// A page of the configs of a namespace, with their contents.
    pub(super) fn search_configs(&self, call: &Call, blur: bool) -> Result<Reply, Trouble> {
        let wanted = Wanted::of(call, blur)?;
        let (number, size) = (page_number(call, "pageNo")?, page_number(call, "pageSize")?);
        let namespace = tenant_of(&call.parameters)?;
        let found = self.node.find_configs(&namespace, |config| wanted.is(config));
        let total = found.len();
        let mut shown = Vec::new();
        for config in found.into_iter().skip((number - 1).saturating_mul(size)).take(size) {
            // What was removed meanwhile is left out.
            if let Some(variant) = self.node.config_variant(config.key(), &VariantName::Formal)? {
                shown.push((config, variant));
            }
        }
        let items: Vec<ConfigInfo<'_>> = shown
            .iter()
            .map(|(config, variant)| ConfigInfo {
                md5: None,
                encrypted_data_key: blur.then_some(variant.selection.encrypted_data_key.as_str()),
                ..config_info(config, variant)
            })
            .collect();
        let mut body = Vec::with_capacity(256);
        page(&mut body, total, number, size, &items);
        Ok(Answer::json(body).into())
    }
}

/// A page's number or size, at least 1.
fn page_number(call: &Call, name: &'static str) -> Result<usize, Trouble> {
    let text = call.parameters.first(&[name]).ok_or(Refusal::Missing { name, of_type: "int" })?;
    let bad = || Refusal::BadValue { name, value: text.to_owned() };
    let number: i64 = text.parse().map_err(|_| bad())?;
    usize::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| {
        let text =
            "serialize page error, dataId=, group=;caused: pageNo and pageSize must be greater than zero";
        refuse(ErrorCode::InvalidParameter, text)
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name) in
            [("a", "a"), ("*", "a"), ("a*", "abc"), ("*c", "abc"), ("*b*", "abc"), ("a*b*c", "aXbYc")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "ab"), ("b*", "abc"), ("*b", "abc"), ("a*a", "a"), ("a*b*c", "acb")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
