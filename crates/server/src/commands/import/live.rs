//! A running server, read over its HTTP API: v1 where it answers, since that tells the most, else v3's for
//! administrators.

mod configs;
mod services;

use super::{
    collected::{AccountItem, Collected, NamespaceItem, canonical},
    remote::Remote,
};
use anyhow::bail;
use hyper::StatusCode;
use serde_json::Value;

/// Items of a page: the most that the original gives.
const PAGE: usize = 500;
/// [`PAGE`] as a parameter.
const PAGE_TEXT: &str = "500";

/// Which paths are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    V1,
    V3,
}

pub(super) struct Live {
    pub(super) remote: Remote,
    api: Api,
}

impl Live {
    /// A server whose API is found out.
    pub(super) async fn find(mut remote: Remote) -> anyhow::Result<Self> {
        let one = [("search", "accurate"), ("dataId", ""), ("group", ""), ("pageNo", "1"), ("pageSize", "1")];
        let first = remote.ask("/v1/cs/configs", &one).await?;
        if first.status == StatusCode::OK && first.json().is_ok_and(|page| page["totalCount"].is_number()) {
            return Ok(Self { remote, api: Api::V1 });
        }
        let third = remote.ask("/v3/admin/core/namespace/list", &[]).await?;
        if third.status == StatusCode::OK && third.json().is_ok_and(|answer| answer["code"] == 0) {
            return Ok(Self { remote, api: Api::V3 });
        }
        if first.status == StatusCode::FORBIDDEN || third.status == StatusCode::FORBIDDEN {
            bail!("the server wants a login: give --username and --password-file of an administrator");
        }
        bail!(
            "the server answers neither Nacos's v1 API ({}) nor v3's for administrators ({})",
            first.status,
            third.status
        )
    }

    /// A server of which v3 is known to be there: a node of ours.
    pub(super) fn third(remote: Remote) -> Self {
        Self { remote, api: Api::V3 }
    }

    /// Everything the server tells.
    pub(super) async fn collect(&mut self, history: bool) -> anyhow::Result<Collected> {
        let mut collected = Collected::default();
        let namespaces = self.namespaces().await?;
        let ids = namespaces.iter().map(|namespace| namespace.id.clone());
        let mut ids: Vec<String> = ids.chain(["public".to_owned()]).collect();
        ids.sort();
        ids.dedup();
        collected.namespaces = namespaces;
        for id in &ids {
            self.configs(id, history, &mut collected).await?;
            self.services(id, &mut collected).await?;
        }
        self.accounts(&mut collected).await?;
        Ok(collected)
    }

    /// The namespaces that were created.
    pub(super) async fn namespaces(&mut self) -> anyhow::Result<Vec<NamespaceItem>> {
        let path = match self.api {
            Api::V1 => "/v1/console/namespaces",
            Api::V3 => "/v3/admin/core/namespace/list",
        };
        let answer = self.remote.get(path, &[]).await?;
        let namespaces = answer["data"].as_array().into_iter().flatten().map(|item| NamespaceItem {
            id: canonical(text(item, "namespace")),
            name: text(item, "namespaceShowName").to_owned(),
            description: text(item, "namespaceDesc").to_owned(),
        });
        Ok(namespaces.filter(|namespace| namespace.id != "public").collect())
    }

    /// Users, roles and permissions. Servers without access control, or that do not show them, are told of.
    async fn accounts(&mut self, collected: &mut Collected) -> anyhow::Result<()> {
        let paths = match self.api {
            Api::V1 => ["/v1/auth/users", "/v1/auth/roles", "/v1/auth/permissions"],
            Api::V3 => ["/v3/auth/user/list", "/v3/auth/role/list", "/v3/auth/permission/list"],
        };
        for (path, what) in paths.into_iter().zip(["users", "roles", "permissions"]) {
            let mut page = 1;
            loop {
                let number = page.to_string();
                let query = [("search", "accurate"), ("pageNo", &number), ("pageSize", PAGE_TEXT)];
                let answer = self.remote.ask(path, &query).await?;
                let body = answer.json().unwrap_or_default();
                let items = self.page(&body)["pageItems"].as_array().cloned();
                let Some(items) = items.filter(|_| answer.status == StatusCode::OK) else {
                    let said = super::remote::short(&answer.text());
                    collected
                        .notes
                        .push(format!("{what} are not shown by the server: {} {said}", answer.status));
                    break;
                };
                collected.accounts.extend(items.iter().map(|item| account(what, item)));
                if items.len() < PAGE {
                    break;
                }
                page += 1;
            }
        }
        Ok(())
    }

    /// A page, which v3 wraps.
    fn page<'a>(&self, answer: &'a Value) -> &'a Value {
        match self.api {
            Api::V1 => answer,
            Api::V3 => &answer["data"],
        }
    }
}

fn account(what: &str, item: &Value) -> AccountItem {
    let field = |key: &str| text(item, key).to_owned();
    match what {
        // The API tells of no user that is disabled.
        "users" => AccountItem::User { name: field("username"), hash: field("password"), enabled: true },
        "roles" => AccountItem::Role { user: field("username"), role: field("role") },
        _ => AccountItem::Permission {
            role: field("role"),
            resource: field("resource"),
            action: field("action"),
        },
    }
}

/// A text of an object, "" if it has none.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

/// A text that is neither absent nor empty.
fn some(object: &Value, key: &str) -> Option<String> {
    Some(text(object, key)).filter(|text| !text.is_empty()).map(str::to_owned)
}
