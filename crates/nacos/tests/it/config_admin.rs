//! Search, quotas, descriptions, listeners and betas, beyond the recordings.

use crate::world::World;
use muster_nacos::HttpSettings;
use muster_node::{QuotaSettings, Settings, config::QuotaDefaults};
use serde_json::{Value, json};

const V1: &str = "/nacos/v1/cs/configs";
const V3: &str = "/nacos/v3/admin/cs";

async fn publish(world: &World, form: &str) {
    world.form("POST", V1, form).await.is(200, "true");
}

fn names(page: &Value) -> Vec<String> {
    let items = page["pageItems"].as_array().unwrap().iter();
    items.map(|item| item["dataId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_blur_search_is_sqls_like() {
    let world = World::new().await;
    for (data_id, content) in [("lib_c", "a%20b"), ("libxc", "A%20B"), ("app", "one%20word"), ("App", "word")]
    {
        publish(&world, &format!("dataId={data_id}&group=G&content={content}")).await;
    }
    let search = async |query: &str| {
        let path = format!("/nacos/v2/cs/config/searchDetail?{query}&group=&pageNo=1&pageSize=9");
        names(&world.ask("GET", &path).await.json())
    };
    assert_eq!(search("dataId=lib_c&config_detail=").await, ["lib_c", "libxc"], "_ is any character");
    assert_eq!(search("dataId=lib&config_detail=").await, [""; 0], "no stars are added");
    assert_eq!(search("dataId=*pp&config_detail=").await, ["app", "App"]);
    assert_eq!(search("dataId=app&config_detail=&search=accurate").await, ["app"]);
    assert_eq!(search("dataId=&config_detail=*word").await, ["app", "App"]);
    assert_eq!(search("dataId=a*&config_detail=*word*").await, ["app"]);
    assert_eq!(search("dataId=&config_detail=a_b").await, ["lib_c"], "to the letter");
}

#[tokio::test]
async fn pages_of_many_configs_are_in_order_and_whole() {
    let world = World::new().await;
    let all: Vec<String> = (0..40).map(|number| format!("d{}", (number * 7) % 40)).collect();
    for data_id in &all {
        publish(&world, &format!("dataId={data_id}&group=G&content=x&config_tags=t1,t2")).await;
    }
    let mut seen = Vec::new();
    for page in 1..=7 {
        let path = format!("{V3}/config/list?dataId=d*&pageNo={page}&pageSize=6");
        let data = world.ask("GET", &path).await.json()["data"].clone();
        assert_eq!((&data["totalCount"], &data["pagesAvailable"]), (&json!(40), &json!(7)));
        seen.extend(names(&data));
    }
    assert_eq!(seen, all, "in the order of their creation");
    let by_tags = world.ask("GET", &format!("{V3}/config/list?configTags=t1,t2&pageSize=100")).await.json();
    assert_eq!(by_tags["data"]["totalCount"], 80, "once a tag");
    let beyond = world.ask("GET", &format!("{V3}/config/list?pageNo=9&pageSize=6")).await.json();
    assert_eq!((names(&beyond["data"]), &beyond["data"]["pageNumber"]), (vec![], &json!(9)));
}

#[tokio::test]
async fn a_full_group_refuses_in_each_versions_words_and_takes_changes() {
    let defaults = QuotaDefaults { group_configs_max: 1, content_bytes_max: 8, ..QuotaDefaults::default() };
    let quota = QuotaSettings { enforced: true, defaults };
    let world = World::starting(HttpSettings::default(), Settings { quota, ..Settings::default() });
    world.finish_start().await;
    publish(&world, "dataId=a&group=G&content=1").await;
    let refused = world.form("POST", V1, "dataId=b&group=G&content=1").await;
    refused.is(429, "caused: Configuration limit exceeded: the group may have 1 configs;");
    let refused = world.form("POST", "/nacos/v2/cs/config", "dataId=b&group=G&content=1").await;
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!(5032)));
    let refused = world.form("POST", &format!("{V3}/config"), "dataId=a&groupName=G&content=123456789").await;
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!(5034)));
    publish(&world, "dataId=a&group=G&content=2").await;
    world.ask("GET", &format!("{V1}?dataId=b&group=G")).await.is(404, "config data not exist\n");
    let set = world.form("POST", &format!("{V3}/capacity"), "groupName=G&quota=2").await;
    assert_eq!(set.json()["data"], true);
    publish(&world, "dataId=b&group=G&content=1").await;
    let capacity = world.ask("GET", "/nacos/v1/cs/capacity?group=G").await.json()["data"].clone();
    assert_eq!(
        (&capacity["quota"], &capacity["usage"], &capacity["maxSize"]),
        (&json!(2), &json!(2), &json!(8))
    );
    world.ask("DELETE", &format!("{V1}?dataId=a&group=G")).await.is(200, "true");
    publish(&world, "dataId=c&group=G&content=1").await;
    for bad in ["-1", "x", "2147483648"] {
        assert_eq!(
            world.form("POST", "/nacos/v1/cs/capacity", &format!("group=G&quota={bad}")).await.status,
            400
        );
    }
    let state = world.ask("GET", "/nacos/v1/console/server/state").await.json();
    assert_eq!((&state["isCapacityLimitCheck"], &state["defaultGroupQuota"]), (&json!("true"), &json!("1")));
}

#[tokio::test]
async fn without_the_setting_a_quota_is_kept_and_not_enforced() {
    let world = World::new().await;
    world.form("POST", &format!("{V3}/capacity"), "namespaceId=dev&quota=1").await;
    publish(&world, "dataId=a&group=G&content=1&tenant=dev").await;
    publish(&world, "dataId=b&group=G&content=1&tenant=dev").await;
    let capacity = world.ask("GET", &format!("{V3}/capacity?namespaceId=dev")).await.json()["data"].clone();
    assert_eq!((&capacity["quota"], &capacity["usage"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn a_description_is_written_without_publishing() {
    let world = World::new().await;
    let of = "dataId=d&groupName=G";
    let metadata = format!("{V3}/config/metadata");
    assert_eq!(world.form("PUT", &metadata, &format!("{of}&desc=x")).await.status, 404);
    publish(&world, "dataId=d&group=G&content=1&config_tags=t1").await;
    let describe = world.form("PUT", &metadata, &format!("{of}&desc=about&configTags=a,b")).await;
    describe.is(200, r#"{"code":0,"message":"success","data":true}"#);
    let shown = world.ask("GET", &format!("{V3}/config?{of}")).await.json()["data"].clone();
    assert_eq!(
        (&shown["desc"], &shown["configTags"], &shown["content"]),
        (&json!("about"), &json!("a,b"), &json!("1"))
    );
    let long = "x".repeat(129);
    assert_eq!(world.form("PUT", &metadata, &format!("{of}&desc={long}")).await.status, 400);
}

#[tokio::test]
async fn who_listens_is_told_by_config_and_by_address() {
    let world = World::new().await;
    publish(&world, "dataId=d&group=G&content=hello&tenant=dev").await;
    let md5 = "5d41402abc4b2a76b9719d911017c592";
    let form = format!("Listening-Configs=d%02G%02{md5}%02dev%01e%02G%02%01");
    let headers = [("Long-Pulling-Timeout", "30000"), ("X-Forwarded-For", "10.0.0.9")];
    let listener = format!("{V1}/listener");
    let poll = world.send("POST", &listener, &form, &headers);
    let ask = async |path: &str| world.ask("GET", path).await.json();
    let questions = async {
        let of = "dataId=d&groupName=G&namespaceId=dev";
        while ask(&format!("{V3}/config/listener?{of}")).await["data"]["listenersStatus"] == json!({}) {
            tokio::task::yield_now().await;
        }
        let by_config = ask(&format!("{V3}/config/listener?{of}")).await;
        assert_eq!(by_config["data"], json!({"queryType": "config", "listenersStatus": {"10.0.0.9": md5}}));
        let one = ask(&format!("{V3}/listener?ip=10.0.0.9&namespaceId=dev")).await;
        assert_eq!(one["data"], json!({"queryType": "ip", "listenersStatus": {"d+G+dev": md5}}));
        let all = ask("/nacos/v1/cs/listener?ip=10.0.0.9&all=true").await;
        assert_eq!(all["lisentersGroupkeyStatus"], json!({"d+G+dev": md5, "e+G": ""}));
        let public = ask("/nacos/v3/console/cs/config/listener/ip?ip=10.0.0.9").await;
        assert_eq!(public["data"]["listenersStatus"], json!({"e+G+public": ""}));
        publish(&world, "dataId=e&group=G&content=1").await;
    };
    let (answer, ()) = tokio::join!(poll, questions);
    answer.is(200, "e%02G%01\n");
    assert_eq!(ask("/nacos/v1/cs/listener?ip=10.0.0.9&all=true").await["lisentersGroupkeyStatus"], json!({}));
}

#[tokio::test]
async fn a_beta_is_shown_with_its_rule_and_ends() {
    let world = World::new().await;
    let beta = format!("{V3}/config/beta?dataId=d&groupName=G");
    assert_eq!(world.ask("GET", &beta).await.status, 404);
    publish(&world, "dataId=d&group=G&content=1").await;
    let form = "dataId=d&groupName=G&content=2&srcUser=bob";
    world.send("POST", &format!("{V3}/config"), form, &[("betaIps", "10.0.0.1")]).await;
    let shown = world.ask("GET", &beta).await.json()["data"].clone();
    assert_eq!(
        (&shown["content"], &shown["grayName"], &shown["createUser"]),
        (&json!("2"), &json!("beta"), &json!("bob"))
    );
    let rule: Value = serde_json::from_str(shown["grayRule"].as_str().unwrap()).unwrap();
    assert_eq!((&rule["type"], &rule["expr"]), (&json!("beta"), &json!("10.0.0.1")));
    world.ask("DELETE", &beta).await.is(200, r#"{"code":0,"message":"success","data":true}"#);
    assert_eq!(world.ask("GET", &beta).await.status, 404);
}

#[tokio::test]
async fn v2_publishes_gray_versions_by_rule() {
    let world = World::new().await;
    publish(&world, "dataId=d&group=G&content=1").await;
    let gray =
        "dataId=d&group=G&content=2&grayName=tag_blue&grayRuleExp=blue&grayVersion=1.0.0&grayPriority=9";
    assert_eq!(world.form("POST", "/nacos/v2/cs/config", gray).await.json()["data"], true);
    world.ask("GET", &format!("{V1}?dataId=d&group=G&tag=blue")).await.is(200, "2");
    world.ask("GET", &format!("{V1}?dataId=d&group=G")).await.is(200, "1");
    let bad = "dataId=d&group=G&content=2&grayName=zone&grayRuleExp=nothing";
    assert_eq!(world.form("POST", "/nacos/v2/cs/config", bad).await.status, 400);
}

#[tokio::test]
async fn the_cache_is_dropped_and_everything_is_still_read() {
    let world = World::new().await;
    publish(&world, "dataId=d&group=G&content=1").await;
    world.ask("GET", &format!("{V1}?dataId=d&group=G")).await.is(200, "1");
    assert!(world.node.content_bytes() > 0);
    world.ask("POST", "/nacos/v1/cs/ops/localCache").await.is(200, "200");
    assert_eq!(world.node.content_bytes(), 0);
    world.ask("GET", &format!("{V1}?dataId=d&group=G")).await.is(200, "1");
}
