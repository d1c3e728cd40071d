//! Configs over v1 and v3.

use crate::world::World;
use serde_json::json;

const CONFIG: &str = "/nacos/v1/cs/configs?dataId=d&group=G";

#[tokio::test]
async fn what_was_published_is_read_at_once_with_its_headers() {
    let world = World::new().await;
    world
        .form("POST", CONFIG, "content=%E4%B8%AD+a%2Bb%0A&type=yaml&encryptedDataKey=k")
        .await
        .is(200, "true");
    let read = world.ask("GET", CONFIG).await;
    read.is(200, "中 a+b\n");
    assert_eq!(read.header("Config-Type"), Some("yaml"));
    assert_eq!(read.header("Encrypted-Data-Key"), Some("k"));
    assert_eq!(read.header("Content-Type"), Some("text/plain;charset=UTF-8"));
    assert_eq!(read.header("isBeta"), None);
    let head = world.ask("HEAD", CONFIG).await;
    head.is(200, "");
    assert_eq!(head.header("Config-Type"), Some("yaml"));
    for spelling in ["public", "null", ""] {
        world.ask("GET", &format!("{CONFIG}&tenant={spelling}")).await.is(200, "中 a+b\n");
    }
    world.ask("DELETE", CONFIG).await.is(200, "true");
    world.ask("GET", CONFIG).await.is(404, "config data not exist\n");
}

#[tokio::test]
async fn a_condition_that_does_not_hold_changes_nothing() {
    let world = World::new().await;
    world.form("POST", CONFIG, "content=one").await.is(200, "true");
    let refused = world.send("POST", CONFIG, "content=two", &[("casMd5", "0")]).await;
    refused.is(500, "caused: Cas publish fail, server md5 may have changed.;");
    world.ask("GET", CONFIG).await.is(200, "one");
    let md5 = "f97c5d29941bfb1b2fdab0874906ab82";
    world.send("POST", CONFIG, "content=two", &[("casMd5", md5)]).await.is(200, "true");
    world.ask("GET", CONFIG).await.is(200, "two");
}

#[tokio::test]
async fn gray_versions_are_for_those_they_name() {
    let world = World::new().await;
    world.form("POST", CONFIG, "content=formal").await.is(200, "true");
    world.send("POST", CONFIG, "content=beta", &[("betaIps", "10.0.0.1,10.0.0.2")]).await.is(200, "true");
    world.form("POST", CONFIG, "content=tagged&tag=blue").await.is(200, "true");
    let read = async |name, value| world.send("GET", CONFIG, "", &[(name, value)]).await;
    let beta = read("X-Forwarded-For", "10.0.0.2, 10.9.9.9").await;
    beta.is(200, "beta");
    assert_eq!(beta.header("isBeta"), Some("true"));
    read("X-Real-IP", "10.0.0.1").await.is(200, "beta");
    read("X-Real-IP", "10.0.0.3").await.is(200, "formal");
    let tagged = read("Vipserver-Tag", "blue").await;
    tagged.is(200, "tagged");
    assert_eq!(tagged.header("tag"), Some("blue"));
    world.ask("GET", &format!("{CONFIG}&tag=red")).await.is(404, "config data not exist\n");
    world.ask("DELETE", &format!("{CONFIG}&tag=beta")).await.is(200, "true");
    read("X-Real-IP", "10.0.0.1").await.is(200, "beta");
    let stopped = world.ask("DELETE", &format!("{CONFIG}&beta=true")).await;
    stopped.is(200, r#"{"code":200,"message":"stop beta ok","data":true}"#);
    read("X-Real-IP", "10.0.0.1").await.is(200, "formal");
}

#[tokio::test]
async fn searches_give_pages_in_the_order_of_creation() {
    let world = World::new().await;
    for (data_id, more) in [("b", "&config_tags=t1,t2"), ("a", "&type=json"), ("c", "&appName=shop")] {
        let form = format!("dataId={data_id}&group=G&content={data_id}&tenant=dev{more}");
        world.form("POST", "/nacos/v1/cs/configs", &form).await.is(200, "true");
    }
    let search = async |query: &str| {
        let path = format!("/nacos/v1/cs/configs?tenant=dev&{query}");
        let page = world.ask("GET", &path).await.json();
        let items = page["pageItems"].as_array().unwrap().iter();
        (
            page["totalCount"].clone(),
            items.map(|item| item["content"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
        )
    };
    let all = "search=accurate&dataId=&group=&pageNo=1&pageSize=2147483647";
    assert_eq!(search(all).await, (json!(3), vec!["b".to_owned(), "a".to_owned(), "c".to_owned()]));
    let second = "search=accurate&dataId=&group=&pageNo=2&pageSize=2";
    assert_eq!(search(second).await, (json!(3), vec!["c".to_owned()]));
    let tagged = "search=accurate&dataId=&group=&config_tags=t2,t9&pageNo=1&pageSize=9";
    assert_eq!(search(tagged).await, (json!(1), vec!["b".to_owned()]));
    let of_type = "search=blur&dataId=*&group=&types=json&pageNo=1&pageSize=9";
    assert_eq!(search(of_type).await, (json!(1), vec!["a".to_owned()]));
    let of_app = "search=blur&dataId=&group=*G&appName=shop&pageNo=1&pageSize=9";
    assert_eq!(search(of_app).await, (json!(1), vec!["c".to_owned()]));
}

#[tokio::test]
async fn content_up_to_the_limit_is_taken_and_a_larger_body_is_not_read() {
    let world = World::new().await;
    let large = "x".repeat(10 << 20);
    world.form("POST", CONFIG, &format!("content={large}")).await.is(200, "true");
    world
        .form("POST", CONFIG, &format!("content={large}x"))
        .await
        .is(400, "caused: invalid content, over 10485760;");
    let huge = format!("content={}", "%41".repeat(11 << 20));
    assert_eq!(world.form("POST", CONFIG, &huge).await.status, 413);
    assert_eq!(world.ask("GET", CONFIG).await.body.len(), 10 << 20);
}

#[tokio::test]
async fn v3_wraps_what_it_reads_and_says_not_found_with_200() {
    let world = World::new().await;
    let config = "dataId=d&groupName=G&namespaceId=dev";
    let read = format!("/nacos/v3/client/cs/config?{config}");
    world.ask("GET", &read).await.is(200, r#"{"code":20004,"message":"resource not found","data":null}"#);
    let published = world.form("POST", "/nacos/v3/admin/cs/config", &format!("{config}&content=one")).await;
    published.is(200, r#"{"code":0,"message":"success","data":true}"#);
    let data = &world.ask("GET", &read).await.json()["data"];
    assert_eq!((&data["content"], &data["encryptedDataKey"]), (&json!("one"), &json!("")));
    world.ask("GET", "/nacos/v1/cs/configs?dataId=d&group=G&tenant=dev").await.is(200, "one");
}
