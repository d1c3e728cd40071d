//! Configs of a running server, one by one.

use super::{
    super::collected::{Collected, GrayItem, HistoryItem, VersionItem, describe, tags_of},
    Api, Live, PAGE, PAGE_TEXT, some, text,
};
use anyhow::Context;
use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Which config: group and data id.
type Name = (String, String);

impl Live {
    pub(super) async fn configs(
        &mut self,
        namespace: &str,
        history: bool,
        collected: &mut Collected,
    ) -> anyhow::Result<()> {
        for name in self.names(namespace).await? {
            // One that was removed meanwhile is none.
            if let Some(formal) = self.formal(namespace, &name).await? {
                collected.config(namespace, &name.0, &name.1).versions.push(formal);
            }
            if let Some(beta) = self.beta(namespace, &name).await? {
                collected.config(namespace, &name.0, &name.1).versions.push(beta);
            }
            if history {
                self.past(namespace, &name, collected)
                    .await
                    .with_context(|| format!("read the history of {}/{}", name.0, name.1))?;
            }
        }
        Ok(())
    }

    async fn names(&mut self, namespace: &str) -> anyhow::Result<Vec<Name>> {
        let (path, namespace) = self.list_path(namespace);
        let mut names = Vec::new();
        for page in 1.. {
            let number = page.to_string();
            let query: &[(&str, &str)] = match self.api {
                Api::V1 => &[("search", "accurate"), ("dataId", ""), ("group", ""), ("tenant", namespace)],
                Api::V3 => {
                    &[("search", "blur"), ("dataId", ""), ("groupName", ""), ("namespaceId", namespace)]
                }
            };
            let query = [query, &[("pageNo", &number), ("pageSize", PAGE_TEXT)]].concat();
            let answer = self.remote.get(path, &query).await?;
            let items = self.page(&answer)["pageItems"].as_array().cloned().unwrap_or_default();
            let group = if self.api == Api::V1 { "group" } else { "groupName" };
            names.extend(
                items.iter().map(|item| (text(item, group).to_owned(), text(item, "dataId").to_owned())),
            );
            if items.len() < PAGE {
                break;
            }
        }
        // A config that came meanwhile moves others to another page.
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn list_path<'a>(&self, namespace: &'a str) -> (&'static str, &'a str) {
        match self.api {
            Api::V1 => ("/v1/cs/configs", tenant(namespace)),
            Api::V3 => ("/v3/admin/cs/config/list", namespace),
        }
    }

    /// The parameters that name a config.
    fn query<'a>(&self, namespace: &'a str, (group, data_id): &'a Name) -> [(&'static str, &'a str); 3] {
        match self.api {
            Api::V1 => [("dataId", data_id), ("group", group), ("tenant", tenant(namespace))],
            Api::V3 => [("dataId", data_id), ("groupName", group), ("namespaceId", namespace)],
        }
    }

    async fn formal(&mut self, namespace: &str, name: &Name) -> anyhow::Result<Option<VersionItem>> {
        let names = self.query(namespace, name);
        let answer = match self.api {
            Api::V1 => {
                let query = [&names[..], &[("show", "all")]].concat();
                self.remote.ask("/v1/cs/configs", &query).await?
            }
            Api::V3 => self.remote.ask("/v3/admin/cs/config", &names).await?,
        };
        if answer.status == StatusCode::NOT_FOUND || answer.body.is_empty() {
            return Ok(None);
        }
        let body = answer.json()?;
        let item = self.page(&body);
        Ok(item["content"].is_string().then(|| version_of(item)))
    }

    async fn beta(&mut self, namespace: &str, name: &Name) -> anyhow::Result<Option<VersionItem>> {
        let names = self.query(namespace, name);
        let answer = match self.api {
            Api::V1 => {
                let query = [&names[..], &[("beta", "true")]].concat();
                self.remote.ask("/v1/cs/configs", &query).await?
            }
            Api::V3 => self.remote.ask("/v3/admin/cs/config/beta", &names).await?,
        };
        let body = answer.json().unwrap_or_default();
        let item = &body["data"];
        if answer.status != StatusCode::OK || !item["content"].is_string() {
            return Ok(None);
        }
        let gray = match item["betaIps"].as_str() {
            Some(addresses) => Some(GrayItem::beta(addresses)),
            None => GrayItem::of_rule("beta", text(item, "grayRule")),
        };
        Ok(gray.map(|gray| VersionItem { gray: Some(gray), ..version_of(item) }))
    }

    /// The history, and the gray versions that only it tells of.
    async fn past(&mut self, namespace: &str, name: &Name, collected: &mut Collected) -> anyhow::Result<()> {
        let mut grays: BTreeMap<String, (GrayItem, bool)> = BTreeMap::new();
        let mut entries = self.entries(namespace, name).await?;
        // Oldest first.
        entries.reverse();
        let title = format!("{namespace}/{}/{}", name.0, name.1);
        for number in entries {
            let Some(item) = self.entry(namespace, name, &number).await? else { continue };
            let mut version = version_of(&item);
            describe(&mut version, text(&item, "extInfo"));
            let op = text(&item, "opType").trim().to_owned();
            if text(&item, "publishType").trim() == "gray" {
                let Some(gray) = &version.gray else {
                    collected.notes.push(format!("{title}: entry {number} does not say its gray rule"));
                    continue;
                };
                grays.insert(gray.name.clone(), (gray.clone(), op != "D"));
            }
            let entry = HistoryItem {
                op,
                time: time_of(&item)?,
                by_user: some(&item, "srcUser"),
                by_address: text(&item, "srcIp").to_owned(),
                version,
            };
            collected.config(namespace, &name.0, &name.1).history.push(entry);
        }
        for (gray, is_there) in grays.into_values() {
            let known = &collected.config(namespace, &name.0, &name.1).versions;
            let is_known = known.iter().any(|it| it.gray.as_ref().is_some_and(|it| it.name == gray.name));
            if !is_there || is_known {
                continue;
            }
            let title = format!("{title}: gray version {}", gray.name);
            match self.tagged(namespace, name, &gray).await? {
                Some(version) => collected.config(namespace, &name.0, &name.1).versions.push(version),
                None => collected.notes.push(format!("{title} can't be read over HTTP, only from a dump")),
            }
        }
        Ok(())
    }

    /// The content of a tag's version, as a client reads it.
    async fn tagged(
        &mut self,
        namespace: &str,
        name: &Name,
        gray: &GrayItem,
    ) -> anyhow::Result<Option<VersionItem>> {
        let Some(tag) = gray.name.strip_prefix("tag_") else { return Ok(None) };
        let query =
            [("dataId", name.1.as_str()), ("group", &name.0), ("tenant", tenant(namespace)), ("tag", tag)];
        let answer = self.remote.ask("/v1/cs/configs", &query).await?;
        if answer.status != StatusCode::OK {
            return Ok(None);
        }
        let content = String::from_utf8(answer.body.to_vec()).context("a content is not UTF-8")?;
        Ok(Some(VersionItem { content, gray: Some(gray.clone()), ..VersionItem::default() }))
    }

    /// Numbers of the entries, newest first.
    async fn entries(&mut self, namespace: &str, name: &Name) -> anyhow::Result<Vec<String>> {
        let mut numbers = Vec::new();
        for page in 1.. {
            let number = page.to_string();
            let paging = [("search", "accurate"), ("pageNo", number.as_str()), ("pageSize", PAGE_TEXT)];
            let query = [&self.query(namespace, name)[..], &paging].concat();
            let path = if self.api == Api::V1 { "/v1/cs/history" } else { "/v3/admin/cs/history/list" };
            let answer = self.remote.get(path, &query).await?;
            let items = self.page(&answer)["pageItems"].as_array().cloned().unwrap_or_default();
            numbers.extend(items.iter().map(|item| match &item["id"] {
                Value::String(id) => id.clone(),
                other => other.to_string(),
            }));
            if items.len() < PAGE {
                break;
            }
        }
        Ok(numbers)
    }

    async fn entry(&mut self, namespace: &str, name: &Name, number: &str) -> anyhow::Result<Option<Value>> {
        let query = [&self.query(namespace, name)[..], &[("nid", number)]].concat();
        let path = if self.api == Api::V1 { "/v1/cs/history" } else { "/v3/admin/cs/history" };
        let answer = self.remote.ask(path, &query).await?;
        // It expired meanwhile.
        if answer.status != StatusCode::OK || answer.body.is_empty() {
            return Ok(None);
        }
        let body = answer.json()?;
        let item = self.page(&body);
        Ok(item["content"].is_string().then(|| item.clone()))
    }
}

/// The public namespace of v1 has no name.
fn tenant(namespace: &str) -> &str {
    if namespace == "public" { "" } else { namespace }
}

/// Content and what is said of it, in the words of v1 or v3.
fn version_of(item: &Value) -> VersionItem {
    VersionItem {
        content: text(item, "content").to_owned(),
        r#type: some(item, "type"),
        app_name: some(item, "appName"),
        tags: Some(tags_of(text(item, "configTags"))),
        description: some(item, "desc"),
        purpose: some(item, "use"),
        effect: some(item, "effect"),
        schema: some(item, "schema"),
        encrypted_data_key: text(item, "encryptedDataKey").to_owned(),
        user: some(item, "createUser").or_else(|| some(item, "srcUser")),
        address: some(item, "createIp").unwrap_or_else(|| text(item, "srcIp").to_owned()),
        gray: None,
    }
}

/// When it was done: milliseconds in v3 and 1.x, a text with an offset in between.
fn time_of(item: &Value) -> anyhow::Result<u64> {
    let value = match &item["modifyTime"] {
        Value::Null => &item["lastModifiedTime"],
        value => value,
    };
    if let Some(number) = value.as_u64() {
        return Ok(number);
    }
    let text = value.as_str().unwrap_or_default();
    let moment: Timestamp = text.parse().with_context(|| format!("no date: {value}"))?;
    u64::try_from(moment.as_millisecond()).context("a date before 1970")
}
