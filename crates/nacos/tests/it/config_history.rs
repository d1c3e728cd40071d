//! History over HTTP, beyond the recordings.

use crate::world::World;
use serde_json::{Value, json};

const CONFIG: &str = "dataId=d&group=G";

async fn publish(world: &World, content: &str) {
    let form = format!("{CONFIG}&content={content}");
    world.form("POST", "/nacos/v1/cs/configs", &form).await.is(200, "true");
}

async fn data(world: &World, path: &str) -> Value {
    world.ask("GET", &format!("/nacos/{path}")).await.json()["data"].clone()
}

#[tokio::test]
async fn the_previous_entry_of_a_first_publication_is_that_publication() {
    let world = World::new().await;
    publish(&world, "one").await;
    let id = data(&world, "v3/admin/cs/config?dataId=d&groupName=G").await["id"].clone();
    let id = id.as_str().unwrap();
    let previous = data(&world, &format!("v2/cs/history/previous?{CONFIG}&id={id}")).await;
    assert_eq!((&previous["opType"], &previous["content"]), (&json!("I         "), &json!("one")));
    world
        .send("POST", "/nacos/v1/cs/configs", &format!("{CONFIG}&content=g"), &[("betaIps", "1.1.1.1")])
        .await;
    let again = data(&world, &format!("v2/cs/history/previous?{CONFIG}&id={id}")).await;
    assert_eq!(again, previous, "what is done to gray versions is not its own");
    let other = world.ask("GET", &format!("/nacos/v1/cs/history/previous?dataId=e&group=G&id={id}")).await;
    other.is(403, "Please check dataId, group or namespaceId.");
}

#[tokio::test]
async fn a_detail_shows_the_content_before_and_after() {
    let world = World::new().await;
    for content in ["one", "two", "three"] {
        publish(&world, content).await;
    }
    let of = "dataId=d&groupName=G";
    world.ask("DELETE", &format!("/nacos/v3/admin/cs/config?{of}")).await;
    let list = data(&world, &format!("v3/console/cs/history/list?{of}")).await;
    let numbers: Vec<&str> =
        list["pageItems"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    let expected = [
        (json!("three"), json!(null)),
        (json!("two"), json!("three")),
        (json!("one"), json!("two")),
        (json!(null), json!("one")),
    ];
    for (number, (before, after)) in numbers.iter().zip(expected) {
        let detail = data(&world, &format!("v2/cs/history/detail?{CONFIG}&nid={number}")).await;
        assert_eq!((&detail["originalContent"], &detail["updatedContent"]), (&before, &after), "{detail}");
    }
    assert_eq!(data(&world, &format!("v2/cs/history/detail?{CONFIG}&nid=7777")).await, json!(null));
}

#[tokio::test]
async fn pages_have_at_most_500_entries_and_gray_versions_say_so() {
    let world = World::new().await;
    publish(&world, "one").await;
    let beta = [("betaIps", "10.0.0.1")];
    let form = format!("{CONFIG}&content=gray&src_user=bob");
    world.send("POST", "/nacos/v1/cs/configs", &form, &beta).await.is(200, "true");
    let page =
        world.ask("GET", &format!("/nacos/v1/cs/history?search=accurate&{CONFIG}&pageSize=2147483647")).await;
    let page = page.json();
    assert_eq!((&page["totalCount"], &page["pagesAvailable"]), (&json!(2), &json!(1)));
    let newest = &page["pageItems"][0];
    assert_eq!((&newest["publishType"], &newest["grayName"]), (&json!("gray"), &json!("beta")));
    let told: Value = serde_json::from_str(newest["extInfo"].as_str().unwrap()).unwrap();
    assert_eq!((&told["gray_name"], &told["src_user"]), (&json!("beta"), &json!("bob")));
    assert!(told["gray_rule"].as_str().unwrap().contains("10.0.0.1"));
}
