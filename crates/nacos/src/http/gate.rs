//! The gate of 3.x: most of v1 and all of v2 answered 410, with what to call instead.
//!
//! `core:controller/compatibility`: clients' calls stay open, those of administration and the console don't.

use super::call::Call;

/// Which of the original's switches would open a call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Admin,
    Console,
}

/// What clients call, which stays open: method and path.
const OPEN: [(&str, &str); 13] = [
    ("GET", "/v1/ns/instance/list"),
    ("PUT", "/v1/ns/instance/beat"),
    ("POST", "/v1/ns/instance"),
    ("DELETE", "/v1/ns/instance"),
    ("GET", "/v1/ns/service/list"),
    ("GET", "/v1/ns/operator/metrics"),
    ("GET", "/v1/ns/ops/metrics"),
    ("GET", "/v1/cs/configs"),
    ("POST", "/v1/cs/configs"),
    ("DELETE", "/v1/cs/configs"),
    ("POST", "/v1/cs/configs/listener"),
    ("POST", "/v1/auth/login"),
    ("POST", "/v1/auth/users/login"),
];

/// What stands for what: a path's beginning, which is replaced; the first that fits counts.
const INSTEAD: [(&str, Kind, &str); 28] = [
    ("/v1/ns/catalog/services", Kind::Console, "/v3/console/ns/service/list"),
    ("/v1/ns/catalog/service", Kind::Console, "/v3/console/ns/service"),
    ("/v1/ns/catalog/instances", Kind::Console, "/v3/console/ns/instance/list"),
    ("/v1/ns/service/subscribers", Kind::Console, "/v3/console/ns/service/subscribers"),
    ("/v1/ns/service/names", Kind::Admin, "/v3/admin/ns/service/list"),
    ("/v1/ns/instance/statuses", Kind::Admin, "/v3/admin/ns/instance/list"),
    ("/v1/ns/operator", Kind::Admin, "/v3/admin/ns/ops"),
    ("/v1/ns", Kind::Admin, "/v3/admin/ns"),
    ("/v1/cs/configs/listener", Kind::Console, "/v3/console/cs/config/listener"),
    ("/v1/cs/listener", Kind::Console, "/v3/console/cs/config/listener/ip"),
    ("/v1/cs/configs", Kind::Console, "/v3/console/cs/config"),
    ("/v1/cs/history", Kind::Console, "/v3/console/cs/history"),
    ("/v1/cs", Kind::Admin, "/v3/admin/cs"),
    ("/v1/console/namespaces", Kind::Console, "/v3/console/core/namespace"),
    ("/v1/console", Kind::Console, "/v3/console"),
    ("/v1/core/cluster/nodes", Kind::Console, "/v3/admin/core/cluster/node/list"),
    ("/v1/core/cluster", Kind::Admin, "/v3/admin/core/cluster/node"),
    ("/v1/core/ops/idInfo", Kind::Admin, "/v3/admin/core/ops/ids"),
    ("/v1/core", Kind::Admin, "/v3/admin/core"),
    ("/v1/auth/users", Kind::Console, "/v3/auth/user"),
    ("/v1/auth/roles", Kind::Console, "/v3/auth/role"),
    ("/v1/auth/permissions", Kind::Console, "/v3/auth/permission"),
    ("/v2/ns/catalog/instances", Kind::Admin, "/v3/admin/ns/instance/list"),
    ("/v2/ns/instance/statuses", Kind::Admin, "/v3/admin/ns/instance/list"),
    ("/v2/ns/operator", Kind::Admin, "/v3/admin/ns/ops"),
    ("/v2/console/health", Kind::Console, "/v3/console/health"),
    ("/v2/console", Kind::Console, "/v3/console/core"),
    ("/v2", Kind::Admin, "/v3/admin"),
];

/// What is said to a gated call, a JSON text inside of the error page; `None` if it is open.
pub(crate) fn hint(call: &Call) -> Option<String> {
    let method = call.method();
    let (kind, path) = instead(method, call)?;
    // So the original has it.
    let dollar = if call.path.starts_with("/v2/core/cluster") { "" } else { "$" };
    let switch = match kind {
        Kind::Admin => "admin",
        Kind::Console => "console",
    };
    let method = match (method, call.path.as_str()) {
        ("PATCH", _) => "PUT",
        (_, "/v2/core/loader/reloadCurrent" | "/v2/core/loader/smartReloadCluster")
        | (_, "/v2/core/loader/reloadClient") => "POST",
        (method, _) => method,
    };
    Some(format!(
        r#"{{"code":40000,"message":"Current API will be deprecated, please use API(s) `{method} {dollar}{{contextPath:nacos}}{path}` instead, or set `nacos.core.api.compatibility.{switch}.enabled=true` in application.properties."}}"#
    ))
}

fn instead(method: &str, call: &Call) -> Option<(Kind, String)> {
    let path = call.path.as_str();
    let further = match path {
        "/v1/cs/configs" => of_configs(call)?,
        "/v1/cs/history" if call.parameters.get("search").is_some() => "/list",
        "/v1/console/namespaces" if method == "GET" => of_namespaces(call),
        "/v1/auth/users" | "/v1/auth/roles" | "/v1/auth/permissions" if method == "GET" => "/list",
        _ if OPEN.contains(&(method, path)) => return None,
        _ if method == "PATCH" => "/partial",
        _ => "",
    };
    let (from, kind, to) = INSTEAD.iter().find(|(from, ..)| {
        path.strip_prefix(from).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })?;
    Some((*kind, format!("{to}{}{further}", &path[from.len()..])))
}

/// What of `/v1/cs/configs` is the console's; `None` for what clients do.
fn of_configs(call: &Call) -> Option<&'static str> {
    let is = |name, value: &str| call.parameters.get(name) == Some(value);
    let console = [
        ("search", "accurate", "/list"),
        ("search", "blur", "/list"),
        ("show", "all", ""),
        ("beta", "true", "/beta"),
        ("export", "true", "/export2"),
        ("exportV2", "true", "/export2"),
        ("import", "true", "/import"),
        ("clone", "true", "/clone"),
        ("delType", "ids", "/batchDelete"),
    ];
    console.iter().find(|(name, value, _)| is(name, value)).map(|(.., further)| *further)
}

fn of_namespaces(call: &Call) -> &'static str {
    match (call.parameters.get("show"), call.parameters.get("checkNamespaceIdExist")) {
        (Some(_), _) => "",
        (None, Some(_)) => "/exist",
        (None, None) => "/list",
    }
}
