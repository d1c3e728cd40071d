//! `muster import nacos`: from a running server, an archive, and a dump of a real database.

mod archives;
mod recorded;

use crate::process::{Node, run, stderr, stdout, wait_for};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

/// Sends a form, or a GET with a query, and gives the body of a 200.
fn call(node: &Node, method: &str, path: &str, headers: &str, form: &str) -> Vec<u8> {
    let mut stream = node.connect();
    let (uri, body) = if method == "GET" { (format!("{path}?{form}"), "") } else { (path.to_owned(), form) };
    write!(
        stream,
        "{method} {uri} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    assert!(
        head.starts_with("HTTP/1.1 200 "),
        "{method} {uri}: {head} {}",
        String::from_utf8_lossy(&answer[end..])
    );
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return unchunked(&answer[end..]);
    }
    answer.split_off(end)
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap().trim(), 16).unwrap();
        rest = &rest[line + 2..];
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

fn json(node: &Node, path: &str, query: &str) -> Value {
    serde_json::from_slice(&call(node, "GET", path, "", query)).unwrap()
}

/// Runs an import that must end with a code, and gives its report.
fn import(node: &Node, arguments: &[&str], code: i32) -> Value {
    let output = node.run(&[&["import", "nacos", "--json"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {} {}", stdout(&output), stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn fill(source: &Node) {
    let post = |path: &str, headers: &str, form: &str| drop(call(source, "POST", path, headers, form));
    post(
        "/nacos/v3/admin/core/namespace",
        "",
        "namespaceId=dev&namespaceName=Development&namespaceDesc=of+all",
    );
    let config = "/nacos/v1/cs/configs";
    let about = "type=yaml&appName=shop&desc=about+it&use=u&effect=e&schema=s&config_tags=t1,t2";
    for content in ["a: 1", "a: 2", "a: %E4%B8%AD"] {
        post(config, "", &format!("dataId=a.yaml&group=G&tenant=dev&content={content}&src_user=bob&{about}"));
    }
    post(config, "betaIps: 10.0.0.1\r\n", "dataId=a.yaml&group=G&tenant=dev&content=beta");
    post(config, "", "dataId=a.yaml&group=G&tenant=dev&content=tagged&tag=v2");
    post(config, "", "dataId=plain&group=G&content=x");
    post(config, "", "dataId=encrypted&group=G&content=cipher&encryptedDataKey=key");
    let services = "/nacos/v3/admin/ns";
    post(
        &format!("{services}/service"),
        "",
        "serviceName=db&groupName=G&namespaceId=dev&ephemeral=false&protectThreshold=0.5&metadata={\"a\":\"b\"}",
    );
    let db = "serviceName=db&groupName=G&namespaceId=dev&ephemeral=false";
    for port in [1, 2] {
        post(
            &format!("{services}/instance"),
            "",
            &format!(
                "{db}&ip=10.0.0.{port}&port=330{port}&weight=2.5&enabled={}&metadata={{\"k\":\"v\"}}",
                port == 1
            ),
        );
    }
    let checker = "{\"type\":\"NONE\"}";
    let cluster =
        format!("{db}&clusterName=DEFAULT&checkPort=81&useInstancePort4Check=false&healthChecker={checker}");
    drop(call(source, "PUT", &format!("{services}/cluster"), "", &cluster));
    post(&format!("{services}/instance"), "", "serviceName=web&ip=10.0.0.9&port=80");
}

#[test]
fn a_running_server_moves_in_and_again_changes_nothing() {
    let (source, target) = (Node::start(&[]), Node::start(&[]));
    fill(&source);
    let from = format!("--from=127.0.0.1:{}", source.port);
    let planned = import(&target, &[&from, "--dry-run"], 0);
    assert_eq!(json(&target, "/nacos/v1/console/namespaces", "")["data"].as_array().unwrap().len(), 1);
    let done = import(&target, &[&from], 0);
    assert_eq!(planned["summary"], done["summary"], "a dry run says what happens");
    let summary = &done["summary"];
    for (kind, count) in
        [("namespace", 1), ("config", 3), ("gray version", 2), ("service", 1), ("instance", 2)]
    {
        assert_eq!(summary[kind]["created"], count, "{kind}: {done}");
    }
    assert_eq!(summary["history entry"]["created"], 7, "{done}");

    for query in ["show=all&dataId=a.yaml&group=G&tenant=dev", "show=all&dataId=encrypted&group=G&tenant="] {
        let (mut there, mut here) =
            (json(&source, "/nacos/v1/cs/configs", query), json(&target, "/nacos/v1/cs/configs", query));
        for of in [&mut there, &mut here] {
            for key in ["id", "createTime", "modifyTime", "createIp"] {
                of.as_object_mut().unwrap().remove(key);
            }
        }
        assert_eq!(here, there);
    }
    let query = "dataId=a.yaml&group=G&tenant=dev&tag=v2";
    assert_eq!(call(&target, "GET", "/nacos/v1/cs/configs", "", query), b"tagged");
    let db = "serviceName=G@@db&namespaceId=dev";
    for path in ["/nacos/v1/ns/catalog/service", "/nacos/v1/ns/service"] {
        assert_eq!(json(&target, path, db), json(&source, path, db));
    }
    let hosts = format!("{db}&clusterName=DEFAULT&pageNo=1&pageSize=9");
    let hosts = json(&target, "/nacos/v1/ns/catalog/instances", &hosts);
    let weights = hosts["list"].as_array().unwrap().iter().map(|host| host["weight"].as_f64().unwrap());
    assert_eq!(weights.collect::<Vec<_>>(), [2.5, 2.5]);
    let query = "search=accurate&dataId=a.yaml&group=G&tenant=dev&pageNo=1&pageSize=20";
    let shown = |node: &Node| -> Vec<(String, String)> {
        let page = json(node, "/nacos/v1/cs/history", query);
        let items = page["pageItems"].as_array().unwrap().iter();
        items.map(|item| (item["opType"].to_string(), item["lastModifiedTime"].to_string())).collect()
    };
    // Behind what the import itself did is what was done there, when it was done there.
    assert_eq!(shown(&target)[3..], shown(&source)[..]);

    let again = import(&target, &[&from], 0);
    for (kind, outcomes) in again["summary"].as_object().unwrap() {
        assert_eq!(outcomes.as_object().unwrap().keys().collect::<Vec<_>>(), ["same"], "{kind}: {again}");
    }
    conflicts(&target, &from);
}

/// What differs stays, unless it is to be replaced.
fn conflicts(target: &Node, from: &str) {
    target.ok(&["publish", "plain", "mine", "-g", "G"]);
    let left = import(target, &[from], 1);
    assert_eq!(left["summary"]["config"]["differs"], 1);
    let line = left["items"].as_array().unwrap().iter().find(|item| item["result"] == "differs").unwrap();
    assert_eq!((line["name"].as_str(), line["detail"].as_str()), (Some("public/G/plain"), Some("content")));
    assert_eq!(target.ok(&["get", "plain", "-g", "G"]), "mine");
    let replaced = import(target, &[from, "--overwrite"], 0);
    assert_eq!(replaced["summary"]["config"]["replaced"], 1, "{replaced}");
    assert_eq!(target.ok(&["get", "plain", "-g", "G"]), "x");
}

#[test]
fn archives_of_both_formats_move_in() {
    let (source, target) = (Node::start(&[]), Node::start(&[]));
    fill(&source);
    for (format, kind) in [("exportV2", "yaml"), ("export", "yaml")] {
        let zip = call(&source, "GET", "/nacos/v1/cs/configs", "", &format!("{format}=true&tenant=dev&ids="));
        let file = target.dir.path().join(format!("{format}.zip"));
        fs::write(&file, zip).unwrap();
        let namespace = format!("--namespace={format}");
        let done = import(&target, &["--zip", file.to_str().unwrap(), &namespace], 0);
        assert_eq!(done["summary"]["config"]["created"], 1, "{done}");
        let query = format!("show=all&dataId=a.yaml&group=G&tenant={format}");
        let here = json(&target, "/nacos/v1/cs/configs", &query);
        assert_eq!((here["content"].as_str(), here["appName"].as_str()), (Some("a: 中"), Some("shop")));
        if format == "exportV2" {
            assert_eq!(here["type"], kind);
        }
        import(&target, &["--zip", file.to_str().unwrap(), &namespace], 0);
    }
    let broken = target.dir.path().join("broken.zip");
    fs::write(&broken, b"PK\x03\x04 and nothing more").unwrap();
    let output = target.run(&["import", "nacos", "--zip", broken.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("can't be imported"), "{}", stderr(&output));
}

#[test]
fn nobody_there_or_no_source_is_said() {
    let target = Node::start(&[]);
    let nobody = target.run(&["import", "nacos", "--from=127.0.0.1:1"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).contains("no server answers at 127.0.0.1:1"), "{}", stderr(&nobody));
    assert_eq!(run(target.dir.path(), &["import", "nacos"]).status.code(), Some(2));
    let other = target.run(&["import", "nacos", "--from=127.0.0.1:1", "--zip=a"]);
    assert_eq!(other.status.code(), Some(2));
}

/// A database server of its own, in a directory.
struct MariaDb {
    child: Child,
    socket: String,
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl MariaDb {
    /// `None`: it is not installed.
    #[expect(clippy::print_stderr, reason = "people shall see what was skipped")]
    fn start(dir: &Path) -> Option<Self> {
        let (server, install) = ("/usr/sbin/mariadbd", "mariadb-install-db");
        if !Path::new(server).exists() {
            eprintln!("SKIPPED: there is no MariaDB here (apt-get install mariadb-server)");
            return None;
        }
        let data = format!("--datadir={}", dir.join("db").display());
        let quiet =
            |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        let user = "--user=root";
        assert!(
            quiet(Command::new(install).args([&*data, user, "--auth-root-authentication-method=normal"]))
                .success()
        );
        let socket = dir.join("db.sock").display().to_string();
        let child = Command::new(server)
            .args(["--no-defaults", &data, user, "--skip-networking", &format!("--socket={socket}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { child, socket };
        wait_for("the database", || {
            started.client("mariadb").arg("-e").arg("select 1").output().ok()?.status.success().then_some(())
        });
        Some(started)
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.args(["--no-defaults", "-uroot", &format!("--socket={}", self.socket)]);
        command
    }

    fn execute(&self, sql: &str) {
        let mut child = self
            .client("mariadb")
            .arg("--default-character-set=utf8mb4")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_dump_of_a_real_database_moves_in() {
    let target = Node::start(&[]);
    let Some(database) = MariaDb::start(target.dir.path()) else { return };
    database.execute(include_str!("import/schema.sql"));
    database.execute(include_str!("import/rows.sql"));
    for (name, flags) in
        [("plain", vec![]), ("complete", vec!["--complete-insert", "--no-create-info", "--hex-blob"])]
    {
        let dump = database
            .client("mariadb-dump")
            .args(["--default-character-set=utf8mb4", "--single-transaction"])
            .args(flags)
            .arg("nacos_config")
            .output()
            .unwrap();
        assert!(dump.status.success(), "{}", stderr(&dump));
        let file = target.dir.path().join(format!("{name}.sql"));
        fs::write(&file, dump.stdout).unwrap();
        let done = import(&target, &["--mysql-dump", file.to_str().unwrap()], 1);
        let wanted = if name == "plain" { "created" } else { "same" };
        for (kind, count) in [
            ("namespace", 1),
            ("config", 2),
            ("gray version", 3),
            ("history entry", 4),
            ("role", 1),
            ("permission", 1),
            ("user", 1),
        ] {
            assert_eq!(done["summary"][kind][wanted], count, "{kind}: {done}");
        }
        assert_eq!(done["summary"]["user"]["refused"], 1, "a password that is not hashed: {done}");
    }
    let tricky = "it's \"quoted\" \\ and\r\n\ttabbed; -- 中文 😀 %_ `x` /* y */\n";
    assert_eq!(target.ok(&["get", "tricky", "-g", "G", "-n", "dev"]), tricky);
    let query = "show=all&dataId=tricky&group=G&tenant=dev";
    let here = json(&target, "/nacos/v1/cs/configs", query);
    assert_eq!((here["desc"].as_str(), here["configTags"].as_str()), (Some("about"), Some("t1,t2")));
    assert_eq!((here["type"].as_str(), here["createUser"].as_str()), (Some("yaml"), Some("alice")));
    let history = json(
        &target,
        "/nacos/v1/cs/history",
        "search=accurate&dataId=tricky&group=G&tenant=dev&pageNo=1&pageSize=9",
    );
    let newest = &history["pageItems"][3];
    assert_eq!(newest["lastModifiedTime"], "2024-03-01T10:00:00.000+00:00", "{history}");
    // What nobody can look at yet is in no answer.
    assert!(!target.get("/nacos/v1/auth/users?search=accurate&pageNo=1&pageSize=9").contains("$2a$10$"));
}
