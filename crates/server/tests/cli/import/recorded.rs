//! Moving in from what Nacos 2.5.1 and 3.0.3 really answered: the recordings under `conformance/` behind a small server
//! that answers the paths which are asked.
//!
//! Not recorded, and so built in the recorded shapes of their neighbours: which names a list has (recordings are of runs
//! with random names), the history of a tag (nacos-http.md 4.6 and 4.8), the login (6.2; access control was off), list
//! and instances of v1's catalog for persistent services, 3.0.3's history for administrators (recorded of its console),
//! beta version for administrators (4.13) and error pages.

use super::{call, import, json};
use crate::process::Node;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

/// The body that a step of a scenario answered, with names in place of the run's.
fn recorded(scenario: &str, step: &str, run: &str) -> Value {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../conformance/nacos-http/{scenario}.json"));
    let all: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let steps = all["steps"].as_array().unwrap();
    let found = steps.iter().find(|it| it["name"] == step).unwrap_or_else(|| panic!("{scenario}: {step}"));
    serde_json::from_str(&found["response"]["body"].to_string().replace("{{run}}", run)).unwrap()
}

/// A body with some of its fields set.
fn with(mut body: Value, fields: &[(&str, Value)]) -> Value {
    for (pointer, value) in fields {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value.clone());
    }
    body
}

/// An answer to a path whose query has all these parameters.
struct Rule {
    path: &'static str,
    query: Vec<(&'static str, String)>,
    status: u16,
    body: String,
}

#[derive(Default)]
struct Original {
    rules: Vec<Rule>,
}

impl Original {
    fn says(&mut self, path: &'static str, query: &[(&'static str, &str)], body: &Value) {
        // Texts go as they are.
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        let query = query.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        self.rules.push(Rule { path, query, status: 200, body });
    }

    /// Starts serving; the answer is its address, and what was asked that it does not know.
    fn serve(self) -> (String, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (noted, unknown) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                drop(self.talk(&stream.unwrap(), &noted));
            }
        });
        (address, unknown)
    }

    fn talk(&self, stream: &TcpStream, unknown: &Sender<String>) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let (mut head, mut length) = (String::new(), 0);
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
            loop {
                let mut line = String::new();
                reader.read_line(&mut line)?;
                let line = line.trim().to_ascii_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            reader.read_exact(&mut vec![0; length])?;
            let uri = head.split(' ').nth(1).unwrap();
            let (status, body) = self.answer(uri).unwrap_or_else(|| {
                unknown.send(uri.to_owned()).unwrap();
                (404, json!({ "status": 404, "error": "Not Found", "path": uri }).to_string())
            });
            let mut stream = stream;
            write!(stream, "HTTP/1.1 {status} S\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        }
    }

    fn answer(&self, uri: &str) -> Option<(u16, String)> {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let query: BTreeMap<&str, &str> = query.split('&').filter_map(|it| it.split_once('=')).collect();
        let fits = |rule: &&Rule| {
            rule.path == path && rule.query.iter().all(|(key, value)| query.get(key) == Some(&&**value))
        };
        self.rules.iter().find(fits).map(|rule| (rule.status, rule.body.clone()))
    }
}

const CONFIGS: &str = "/nacos/v1/cs/configs";
const HISTORY: &str = "/nacos/v1/cs/history";

/// A page with the only item of another page, its key set for each of some configs.
fn listed(page: &Value, group: &str, names: &[&str]) -> Value {
    let item = page["pageItems"][0].clone();
    let items: Vec<_> = names
        .iter()
        .map(|name| with(item.clone(), &[("/dataId", json!(name)), (group, json!("G"))]))
        .collect();
    with(page.clone(), &[("/totalCount", json!(items.len())), ("/pageItems", json!(items))])
}

/// Nacos 2.5.1 with a namespace, configs of each kind, and services.
fn of_2_5() -> Original {
    let mut it = Original::default();
    let mut namespaces = recorded("v1-console-namespaces", "list", "dev");
    let created = recorded("v1-console-namespaces", "it is listed", "dev")["data"][0].clone();
    namespaces["data"].as_array_mut().unwrap().push(created);
    it.says("/nacos/v1/console/namespaces", &[], &namespaces);
    it.says(
        "/nacos/v1/auth/login",
        &[],
        &json!({ "accessToken": "t", "tokenTtl": 18000, "globalAdmin": true }),
    );

    let page = recorded("v1-cs-search-pages", "page 1 of size 3", "dev");
    let list = |names: &[&str]| listed(&page, "/group", names);
    it.says(CONFIGS, &[("search", "accurate"), ("tenant", "dev")], &list(&["past"]));
    it.says(CONFIGS, &[("search", "accurate")], &list(&["graded", "told", "tagged"]));
    for (data_id, scenario, step) in [
        ("graded", "v1-cs-beta", "show=all shows formal"),
        ("told", "v1-cs-metadata", "show=all"),
        ("tagged", "v1-cs-beta", "show=all shows formal"),
        ("past", "v1-cs-history", "id of the config"),
    ] {
        it.says(CONFIGS, &[("show", "all"), ("dataId", data_id)], &recorded(scenario, step, data_id));
    }
    it.says(
        CONFIGS,
        &[("beta", "true"), ("dataId", "graded")],
        &recorded("v1-cs-beta", "query beta", "graded"),
    );
    it.says(CONFIGS, &[("beta", "true")], &recorded("v1-cs-beta", "query beta before", ""));
    it.says(
        CONFIGS,
        &[("dataId", "tagged"), ("tag", "blue")],
        &recorded("v1-cs-tag", "by the parameter", ""),
    );

    let entries = recorded("v1-cs-history", "list", "past");
    let update = recorded("v1-cs-history", "the update", "past");
    it.says(HISTORY, &[("search", "accurate"), ("dataId", "past")], &entries);
    it.says(HISTORY, &[("nid", "718")], &update);
    it.says(
        HISTORY,
        &[("nid", "719")],
        &recorded("v1-cs-history", "previous, by the id of the config", "past"),
    );
    let inserted = with(entries["pageItems"][2].clone(), &[("/content", json!("one"))]);
    it.says(HISTORY, &[("nid", "717")], &inserted);
    let rule = json!({ "type": "tag", "version": "1.0.0", "expr": "blue", "priority": i32::MAX - 1 });
    let extra = json!({ "type": "text", "gray_name": "tag_blue", "gray_rule": rule.to_string() });
    let of_tag = [
        ("/id", json!("800")),
        ("/opType", json!("I         ")),
        ("/publishType", json!("gray")),
        ("/grayName", json!("tag_blue")),
        ("/extInfo", json!(extra.to_string())),
        ("/content", Value::Null),
    ];
    let entry = with(update, &of_tag);
    let one = [("/totalCount", json!(1)), ("/pageItems", json!([entry]))];
    it.says(HISTORY, &[("search", "accurate"), ("dataId", "tagged")], &with(entries, &one));
    it.says(HISTORY, &[("nid", "800")], &with(entry, &[("/content", json!("tagged"))]));
    it.says(HISTORY, &[("search", "accurate")], &recorded("v1-cs-history", "list of an unknown key", ""));

    let nothing = json!({ "count": 0, "serviceList": [] });
    it.says("/nacos/v1/ns/catalog/services", &[("namespaceId", "dev")], &nothing);
    let names = |name: &str| recorded("v3-admin-ns-service", "list", name)["data"]["pageItems"][1].clone();
    let both = json!({ "count": 2, "serviceList": [names("db"), names("web")] });
    it.says("/nacos/v1/ns/catalog/services", &[("namespaceId", "public")], &both);
    for (name, quoted, scenario, step) in [
        ("db", "DEFAULT_GROUP%40%40db", "v1-ns-cluster", "catalog shows it"),
        ("web", "DEFAULT_GROUP%40%40web", "v1-ns-catalog-service-instances", "service"),
    ] {
        let service = recorded(scenario, step, name);
        it.says("/nacos/v1/ns/catalog/service", &[("serviceName", quoted)], &service);
    }
    let hosts = recorded("v1-ns-instance-persistent", "list two", "db")["hosts"].clone();
    let path = "/nacos/v1/ns/catalog/instances";
    it.says(path, &[("serviceName", "DEFAULT_GROUP%40%40db")], &json!({ "list": hosts, "count": 2 }));
    let hosts = recorded("v1-ns-catalog-service-instances", "instances", "web");
    it.says(path, &[("serviceName", "DEFAULT_GROUP%40%40web")], &hosts);
    for path in ["/nacos/v1/auth/users", "/nacos/v1/auth/roles", "/nacos/v1/auth/permissions"] {
        it.says(path, &[], &recorded("v1-auth-disabled", "users", ""));
    }
    it
}

fn created(report: &Value, wanted: &[(&str, u64)]) {
    for (kind, count) in wanted {
        assert_eq!(report["summary"][kind], json!({ "created": count }), "{kind}: {report}");
    }
}

fn config(node: &Node, data_id: &str, tenant: &str) -> Value {
    json(node, CONFIGS, &format!("show=all&dataId={data_id}&group=G&tenant={tenant}"))
}

#[test]
fn what_nacos_2_5_answers_moves_in() {
    let target = Node::start(&[]);
    let (address, unknown) = of_2_5().serve();
    let password = target.dir.path().join("password");
    fs::write(&password, "nacos\n").unwrap();
    let password = format!("--password-file={}", password.display());
    let from = format!("--from={address}");
    let arguments = [&*from, "--username=nacos", &password];
    let done = import(&target, &arguments, 0);
    created(&done, &[("namespace", 1), ("config", 4), ("gray version", 2), ("history entry", 4)]);
    created(&done, &[("service", 1), ("instance", 2)]);
    // v3's login is asked first.
    assert_eq!(unknown.try_iter().collect::<Vec<_>>(), ["/nacos/v3/auth/user/login"]);

    let namespaces = json(&target, "/nacos/v1/console/namespaces", "");
    let dev = &namespaces["data"][1];
    assert_eq!((&dev["namespace"], &dev["namespaceShowName"]), (&json!("dev"), &json!("Dev dev")));
    let (here, mut there) = (config(&target, "told", ""), recorded("v1-cs-metadata", "show=all", "told"));
    for key in ["id", "createTime", "modifyTime"] {
        there[key] = here[key].clone();
    }
    assert_eq!(here, there);
    let read = |headers: &str, query: &str| {
        String::from_utf8(call(&target, "GET", CONFIGS, headers, &format!("group=G&{query}"))).unwrap()
    };
    assert_eq!(read("", "dataId=graded"), "formal");
    assert_eq!(read("X-Forwarded-For: 10.0.0.2\r\n", "dataId=graded"), "beta");
    assert_eq!(read("", "dataId=tagged&tag=blue"), "tagged");
    let query = "search=accurate&dataId=past&group=G&tenant=dev&pageNo=1&pageSize=9";
    let history = json(&target, HISTORY, query);
    let there = recorded("v1-cs-history", "list", "past");
    let shown = |item: &Value| {
        ["opType", "srcIp", "srcUser", "lastModifiedTime"].map(|key| item[key].to_string().replace(' ', ""))
    };
    let there: Vec<_> = there["pageItems"].as_array().unwrap().iter().map(shown).collect();
    let here: Vec<_> = history["pageItems"].as_array().unwrap().iter().map(shown).collect();
    // The import itself is the newest.
    assert_eq!(here[1..], there[..], "{history}");

    let service = "serviceName=DEFAULT_GROUP@@db&namespaceId=public";
    let here = json(&target, "/nacos/v1/ns/catalog/service", service);
    assert_eq!(here, recorded("v1-ns-cluster", "catalog shows it", "db"));
    let hosts = json(&target, "/nacos/v1/ns/instance/list", service)["hosts"].clone();
    let mut weights: Vec<_> =
        hosts.as_array().unwrap().iter().map(|it| (it["ip"].to_string(), it["weight"].as_f64())).collect();
    weights.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(weights, [("\"10.0.0.1\"".into(), Some(1.0)), ("\"10.0.0.3\"".into(), Some(3.0))]);

    let again = import(&target, &arguments, 0);
    for (kind, outcomes) in again["summary"].as_object().unwrap() {
        assert_eq!(outcomes.as_object().unwrap().keys().collect::<Vec<_>>(), ["same"], "{kind}: {again}");
    }
}

/// Nacos 3.0.3 as it is out of the box, without v1 for administrators.
fn of_3_0() -> Original {
    let mut it = Original::default();
    let gone = recorded("v3-compat-gated", "v1 history", "");
    it.rules.push(Rule { path: CONFIGS, query: vec![], status: 410, body: gone.to_string() });
    let mut namespaces = recorded("v3-admin-core-namespace", "list", "dev");
    let created = recorded("v3-admin-core-namespace", "listed", "dev")["data"][0].clone();
    namespaces["data"].as_array_mut().unwrap().push(created);
    it.says("/nacos/v3/admin/core/namespace/list", &[], &namespaces);

    let list = "/nacos/v3/admin/cs/config/list";
    let page = recorded("v3-admin-cs-config", "list accurate", "dev");
    let of = |names: &[&str]| with(page.clone(), &[("/data", listed(&page["data"], "/groupName", names))]);
    it.says(list, &[("namespaceId", "dev")], &of(&["a.yaml", "past"]));
    it.says(list, &[("namespaceId", "public")], &of(&[]));
    let one = "/nacos/v3/admin/cs/config";
    it.says(one, &[("dataId", "a.yaml")], &recorded("v3-admin-cs-import-export-clone", "imported", "dev"));
    it.says(one, &[("dataId", "past")], &recorded("v3-console-cs-history", "id of the config", "past"));
    let beta = "/nacos/v3/admin/cs/config/beta";
    let rule =
        json!({ "type": "beta", "version": "1.0.0", "expr": "10.0.0.1,10.0.0.2", "priority": i32::MAX });
    let graded = [
        ("/data/content", json!("beta")),
        ("/data/grayName", json!("beta")),
        ("/data/grayRule", json!(rule.to_string())),
        ("/data/type", Value::Null),
        ("/data/encryptedDataKey", Value::Null),
    ];
    let graded = with(recorded("v3-console-cs-history", "id of the config", "a.yaml"), &graded);
    it.says(beta, &[("dataId", "a.yaml")], &graded);
    let none = json!({ "code": 20004, "message": "resource not found", "data": "Config is not in beta." });
    it.rules.push(Rule { path: beta, query: vec![], status: 404, body: none.to_string() });

    let (entries, entry) = ("/nacos/v3/admin/cs/history/list", "/nacos/v3/admin/cs/history");
    let mut page = recorded("v3-console-cs-history", "list", "past");
    it.says(entries, &[("dataId", "past")], &page);
    it.says(entry, &[("nid", "949")], &recorded("v3-console-cs-history", "previous", "past"));
    let update = recorded("v3-console-cs-history", "one entry", "past");
    it.says(entry, &[("nid", "948")], &update);
    let first = page["data"]["pageItems"][2].clone();
    let insert =
        [("/content", json!("one")), ("/grayName", json!("")), ("/extInfo", json!("{\"type\":\"text\"}"))];
    it.says(entry, &[("nid", "947")], &with(update, &[("/data", with(first, &insert))]));
    page["data"] = recorded("v1-cs-history", "list of an unknown key", "");
    it.says(entries, &[], &page);

    let services = "/nacos/v3/admin/ns/service/list";
    let listed = recorded("v3-admin-ns-service", "list", "db");
    it.says(services, &[("namespaceId", "dev")], &listed);
    it.says(services, &[], &recorded("v3-admin-ns-service", "list by group", ""));
    let service = "/nacos/v3/admin/ns/service";
    let health = recorded("v3-admin-ns-cluster-health", "service shows it", "db");
    it.says(service, &[("serviceName", "db")], &health);
    it.says(service, &[("serviceName", "dbb")], &recorded("v3-admin-ns-service", "read the second", "db"));
    let hosts = "/nacos/v3/admin/ns/instance/list";
    let ephemeral = recorded("v3-admin-ns-instance", "list", "db");
    it.says(hosts, &[("serviceName", "db")], &with(ephemeral.clone(), &[("/data", persistent(&ephemeral))]));
    it.says(hosts, &[("serviceName", "dbb")], &ephemeral);
    it
}

fn persistent(page: &Value) -> Value {
    json!([with(page["data"][0].clone(), &[("/ephemeral", json!(false))])])
}

#[test]
fn what_nacos_3_0_answers_moves_in() {
    let target = Node::start(&[]);
    let (address, unknown) = of_3_0().serve();
    let from = format!("--from={address}");
    let done = import(&target, &[&from], 0);
    created(&done, &[("namespace", 1), ("config", 2), ("gray version", 1), ("history entry", 3)]);
    created(&done, &[("service", 1), ("instance", 1)]);
    // A server without access control has none of these, which is told.
    let lists = ["user", "role", "permission"].map(|what| format!("/nacos/v3/auth/{what}/list"));
    let asked: Vec<_> = unknown.try_iter().map(|it| it.split('?').next().unwrap().to_owned()).collect();
    assert_eq!(asked, lists);

    let here = config(&target, "a.yaml", "dev");
    let told =
        ["content", "type", "appName", "desc", "createUser", "configTags"].map(|key| here[key].clone());
    let wanted = [json!("a: 1\n"), json!("yaml"), json!("shop"), json!("first"), json!("bob"), Value::Null];
    assert_eq!(told, wanted);
    let query = "dataId=a.yaml&group=G&tenant=dev";
    let graded = call(&target, "GET", CONFIGS, "X-Forwarded-For: 10.0.0.2\r\n", query);
    assert_eq!(String::from_utf8(graded).unwrap(), "beta");
    let history = json(
        &target,
        "/nacos/v3/admin/cs/history/list",
        "dataId=past&groupName=G&namespaceId=dev&pageNo=1&pageSize=9",
    );
    let there = recorded("v3-console-cs-history", "list", "past");
    let shown = |page: &Value| -> Vec<[Value; 3]> {
        let items = page["data"]["pageItems"].as_array().unwrap().iter();
        items.map(|item| ["opType", "modifyTime", "srcUser"].map(|key| item[key].clone())).collect()
    };
    assert_eq!(shown(&history)[1..], shown(&there)[..], "{history}");
    let service = "serviceName=db&namespaceId=dev";
    let here = json(&target, "/nacos/v3/admin/ns/service", service);
    let there = recorded("v3-admin-ns-cluster-health", "service shows it", "db");
    assert_eq!(here["data"]["clusterMap"], there["data"]["clusterMap"]);
    let host = json(&target, "/nacos/v3/admin/ns/instance/list", service)["data"][0].clone();
    let told = ["ip", "port", "weight", "ephemeral", "metadata"].map(|key| host[key].clone());
    assert_eq!(told, [json!("10.0.0.1"), json!(8080), json!(2.0), json!(false), json!({ "a": "1" })]);
    let again = import(&target, &[&from], 0);
    assert_eq!(again["summary"]["config"], json!({ "same": 2 }), "{again}");
}
