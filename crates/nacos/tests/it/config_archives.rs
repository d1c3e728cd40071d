//! Export, import and clone: policies, what is left out, and archives that are none.

use crate::world::{Answer, World};
use muster_nacos_wire::http::{ExportItem, ExportZip, ImportLimits, ImportZip, ZipFormat};
use serde_json::{Value, json};

const V1: &str = "/nacos/v1/cs/configs";
const V3: &str = "/nacos/v3/admin/cs/config";
const CONSOLE: &str = "/nacos/v3/console/cs/config";

fn archive(format: ZipFormat, configs: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ExportZip::new(format);
    for (data_id, content) in configs {
        zip.add(&ExportItem {
            group: "G",
            data_id,
            content: content.as_bytes(),
            app_name: "shop",
            kind: Some("yaml"),
            description: Some("first"),
            tags: &["t1".to_owned()],
        });
    }
    zip.finish().to_vec()
}

/// Names and contents of an archive.
fn unpacked(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut zip = ImportZip::open(answer.bytes.clone(), ImportLimits::default()).unwrap();
    let names: Vec<String> = zip.items().iter().map(|item| item.data_id.clone()).collect();
    let read = |(place, name)| (name, String::from_utf8(zip.content(place).unwrap()).unwrap());
    names.into_iter().enumerate().map(read).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect()
}

async fn publish(world: &World, data_id: &str, content: &str) {
    let form = format!("dataId={data_id}&group=G&content={content}");
    world.form("POST", V1, &form).await.is(200, "true");
}

async fn read(world: &World, data_id: &str) -> String {
    world.ask("GET", &format!("{V1}?dataId={data_id}&group=G")).await.body
}

/// Imports a, b, c, of which b exists, and gives what is told.
async fn conflict(world: &World, path: &str, policy: &str) -> Value {
    let zip = archive(ZipFormat::Second, &[("a", "new"), ("b", "new"), ("c", "new")]);
    let answer = world.upload(path, &[("policy", policy)], &zip).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["data"].clone()
}

#[tokio::test]
async fn abort_ends_where_a_config_exists_and_keeps_what_came_before() {
    for path in [&format!("{V1}?import=true"), &format!("{V3}/import")] {
        let world = World::new().await;
        publish(&world, "b", "old").await;
        let b = json!([{"dataId": "b", "group": "G"}]);
        let c = json!([{"dataId": "c", "group": "G"}]);
        let told = conflict(&world, path, "ABORT").await;
        assert_eq!(told, json!({"succCount": 1, "skipCount": 1, "failData": b, "skipData": c}), "{path}");
        assert_eq!((read(&world, "a").await, read(&world, "b").await), ("new".into(), "old".into()));
        assert_eq!(read(&world, "c").await, "config data not exist\n");
    }
}

#[tokio::test]
async fn skip_leaves_what_exists_and_overwrite_replaces_it() {
    let world = World::new().await;
    publish(&world, "b", "old").await;
    let told = conflict(&world, &format!("{V1}?import=true"), "SKIP").await;
    assert_eq!(told, json!({"succCount": 2, "skipCount": 1, "skipData": [{"dataId": "b", "group": "G"}]}));
    assert_eq!((read(&world, "b").await, read(&world, "c").await), ("old".into(), "new".into()));
    let told = conflict(&world, &format!("{CONSOLE}/import"), "OVERWRITE").await;
    assert_eq!(told, json!({"succCount": 3, "skipCount": 0}));
    assert_eq!(read(&world, "b").await, "new");
    let shown = world.ask("GET", &format!("{V1}?dataId=b&group=G&show=all")).await.json();
    assert_eq!(
        (&shown["appName"], &shown["desc"], &shown["type"]),
        (&json!("shop"), &json!("first"), &json!("yaml"))
    );
}

#[tokio::test]
async fn an_unknown_policy_imports_nothing() {
    let world = World::new().await;
    let zip = archive(ZipFormat::Second, &[("a", "new")]);
    for (path, status) in [(format!("{V1}?import=true"), 400), (format!("{V3}/import"), 500)] {
        assert_eq!(world.upload(&path, &[("policy", "MERGE")], &zip).await.status, status);
        assert_eq!(read(&world, "a").await, "config data not exist\n");
    }
}

#[tokio::test]
async fn of_a_damaged_archive_nothing_is_imported() {
    let world = World::new().await;
    let long = "line\n".repeat(400);
    let whole = archive(ZipFormat::Second, &[("a", "new"), ("b", &long)]);
    let code = async |path: &str, file: &[u8]| world.upload(path, &[], file).await.json()["code"].clone();
    let (v1, v3) = (format!("{V1}?import=true"), format!("{V3}/import"));
    let mut flipped = whole.clone();
    // Inside the packed content of b.
    let at = whole.windows(3).position(|window| window == b"G/b").unwrap() + 8;
    flipped[at] ^= 0x55;
    for file in [&whole[..whole.len() - 30], &flipped] {
        assert_eq!((code(&v1, file).await, code(&v3, file).await), (json!(100_004), json!(100_004)));
    }
    assert_eq!((code(&v1, b"").await, code(&v3, b"oops").await), (json!(100_005), json!(100_005)));
    let blank = archive(ZipFormat::Second, &[("a", "new"), ("b", " ")]);
    world.upload(&v1, &[], &blank).await.is(400, "caused: G/b: content is blank;");
    let named = archive(ZipFormat::Second, &[("a", "new"), ("b c", "new")]);
    assert_eq!(world.upload(&v1, &[], &named).await.status, 400);
    assert_eq!(read(&world, "a").await, "config data not exist\n");
}

#[tokio::test]
async fn an_export_is_selected_by_numbers_or_by_names() {
    let world = World::new().await;
    for data_id in ["lib_c", "libxc", "other"] {
        publish(&world, data_id, data_id).await;
    }
    world
        .form("POST", V1, "dataId=app&group=H&content=app&appName=shop&config_tags=t1,t2")
        .await
        .is(200, "true");
    world.send("POST", V1, "dataId=gray&group=G&content=x", &[("betaIps", "1.1.1.1")]).await.is(200, "true");
    let search = format!("{V1}?search=accurate&dataId=other&group=&pageNo=1&pageSize=9");
    let id = world.ask("GET", &search).await.json()["pageItems"][0]["id"].as_str().unwrap().to_owned();
    let export = async |query: &str| unpacked(&world.ask("GET", &format!("{V3}/export?{query}")).await);
    let all = [("lib_c", "lib_c"), ("libxc", "libxc"), ("other", "other"), ("app", "app")];
    assert_eq!(export("").await, pairs(&all), "gray versions stay here");
    assert_eq!(export("dataId=lib_c").await, pairs(&all[..1]), "an underscore is one");
    assert_eq!(export("groupName=H").await, pairs(&all[3..]));
    assert_eq!(export("appName=shop").await, pairs(&all[3..]));
    assert_eq!(export(&format!("ids={id},77&groupName=H")).await, pairs(&all[2..3]), "numbers go first");
    let named = world.ask("GET", &format!("{CONSOLE}/export2")).await;
    let name = named.header("Content-Disposition").unwrap();
    assert!(
        name.starts_with("attachment;filename=nacos_config_export_20") && name.ends_with(".zip"),
        "{name}"
    );
    assert_eq!(world.ask("GET", &format!("{V3}/export?ids=x")).await.status, 500);

    let exported = world.ask("GET", &format!("{V3}/export?groupName=H")).await.bytes;
    world.form("DELETE", V1, "dataId=app&group=H").await.is(200, "true");
    world.upload(&format!("{V3}/import"), &[], &exported).await;
    let again = world.ask("GET", &format!("{V3}?dataId=app&groupName=H")).await.json();
    assert_eq!(again["data"]["configTags"], "t1,t2", "tags come back with it");
}

#[tokio::test]
async fn a_clone_takes_new_names_and_respects_what_exists() {
    let world = World::new().await;
    publish(&world, "a", "one").await;
    let id = world.ask("GET", &format!("{V3}?dataId=a&groupName=G")).await.json()["data"]["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    let json = [("Content-Type", "application/json")];
    let clone = async |query: &str, body: &str| world.body("POST", query, body, &json).await.json();
    let console = format!("{CONSOLE}/clone?targetNamespaceId=public&policy=SKIP");
    let told = clone(&console, &format!(r#"[{{"cfgId":{id},"dataId":"b"}},{{"cfgId":{id}}}]"#)).await;
    let skipped = json!([{"dataId": "a", "group": "G"}]);
    assert_eq!(told["data"], json!({"succCount": 1, "skipCount": 1, "skipData": skipped}));
    assert_eq!(read(&world, "b").await, "one");
    let missing = world.body("POST", &format!("{CONSOLE}/clone"), "[]", &json).await;
    assert_eq!((missing.status, missing.json()["code"].clone()), (400, json!(10_000)));
    let broken = world.body("POST", &console, "{", &json).await;
    assert_eq!((broken.status, broken.json()["code"].clone()), (400, json!(20_002)));
    let told = clone(&console, r#"[{"cfgId":999999}]"#).await;
    assert_eq!((&told["code"], &told["data"]), (&json!(100_005), &json!({"succCount": 0})));
}
