//! The lists that everybody fetches.

use crate::world::{GZIP, JSON, World, XML};
use muster_eureka::EurekaSettings;
use tokio::task::JoinSet;

async fn fill(world: &World, apps: usize, instances: usize) {
    for app in 0..apps {
        for number in 0..instances {
            let labels = format!(r#""metadata":{{"zone":"z{}","n":"{number}"}}"#, number % 3);
            world.register(&format!("APP-{app}"), &format!("h{number}:app-{app}:80"), &labels).await;
        }
    }
}

#[tokio::test]
async fn every_form_holds_the_same() {
    let world = World::new().await;
    world
        .get("/eureka/apps", &[JSON])
        .await
        .is(200, r#"{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}"#);
    world.get("/eureka/apps/", &[XML]).await.is(
        200,
        "<applications><versions__delta>1</versions__delta><apps__hashcode></apps__hashcode></applications>",
    );
    let empty = world.get("/eureka/apps", &[JSON, GZIP]).await.unpacked();
    assert_eq!(empty, world.get("/eureka/apps", &[JSON]).await.body);
    fill(&world, 7, 9).await;
    for headers in
        [&[JSON][..], &[XML], &[JSON, ("x-eureka-accept", "compact")], &[XML, ("x-eureka-accept", "compact")]]
    {
        let plain = world.get("/eureka/apps/?regions=us-west-1", headers).await;
        assert_eq!(plain.header("content-encoding"), None);
        let packed = world.get("/eureka/apps/", &[headers, &[GZIP]].concat()).await;
        assert_eq!(packed.unpacked(), plain.body);
        assert_eq!(plain.header("content-type"), packed.header("content-type"));
        let count = plain.text().matches("h3:app-").count();
        assert!(count >= 7, "{count}");
    }
    let list = world.get("/eureka/apps", &[JSON]).await.json();
    assert_eq!(list["applications"]["apps__hashcode"], "UP_63_");
    let apps = list["applications"]["application"].as_array().unwrap();
    assert_eq!(apps.len(), 7);
    assert!(apps.iter().all(|app| app["instance"].as_array().unwrap().len() == 9));
}

#[tokio::test]
async fn a_change_shows_at_once_and_a_renewal_changes_nothing() {
    let world = World::new().await;
    fill(&world, 3, 4).await;
    let before = world.get("/eureka/apps", &[JSON, GZIP]).await.body;
    world.put("/eureka/apps/APP-1/h1:app-1:80?status=UP").await.is(200, "");
    assert_eq!(world.get("/eureka/apps", &[JSON, GZIP]).await.body, before, "a renewal renders nothing anew");
    world.put("/eureka/apps/APP-1/h1:app-1:80/metadata?zone=z9").await.is(200, "");
    world.delete("/eureka/apps/APP-0/h0:app-0:80").await.is(200, "");
    world.delete("/eureka/apps/APP-2/h3:app-2:80").await.is(200, "");
    world.register("APP-00", "first", "").await;
    let packed = world.get("/eureka/apps", &[JSON, GZIP]).await.unpacked();
    let plain = world.get("/eureka/apps", &[JSON]).await;
    assert_eq!(packed, plain.body);
    let list = plain.json();
    assert_eq!(list["applications"]["apps__hashcode"], "UP_11_");
    let ids: Vec<String> = list["applications"]["application"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|app| app["instance"].as_array().unwrap())
        .map(|instance| instance["instanceId"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.contains(&"first".to_owned()) && !ids.contains(&"h0:app-0:80".to_owned()), "{ids:?}");
    assert!(plain.text().contains("z9"));
    for app in ["APP-00", "APP-0", "APP-1", "APP-2"] {
        for instance in
            list["applications"]["application"].as_array().unwrap().iter().filter(|a| a["name"] == app)
        {
            for shown in instance["instance"].as_array().unwrap() {
                world
                    .delete(&format!("/eureka/apps/{app}/{}", shown["instanceId"].as_str().unwrap()))
                    .await
                    .is(200, "");
            }
        }
    }
    assert_eq!(
        world.get("/eureka/apps", &[JSON]).await.json()["applications"]["application"],
        serde_json::json!([])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_fetches_after_a_change_share_one_rendering() {
    let world = std::sync::Arc::new(World::new().await);
    fill(&world, 40, 25).await;
    for round in 0..5 {
        world.put(&format!("/eureka/apps/APP-7/h7:app-7:80/metadata?round={round}")).await.is(200, "");
        let mut fetches = JoinSet::new();
        for _ in 0..40 {
            let world = world.clone();
            fetches.spawn(async move { world.get("/eureka/apps", &[JSON, GZIP]).await });
        }
        let bodies = fetches.join_all().await;
        let text = String::from_utf8(bodies[0].unpacked()).unwrap();
        assert!(text.contains(&format!(r#""round":"{round}""#)));
        assert!(bodies.iter().all(|answer| answer.body == bodies[0].body));
    }
}

#[tokio::test]
async fn lists_are_served_however_little_may_be_kept() {
    for rendered_bytes_max in [0, 20_000, 60_000] {
        let world = World::with(EurekaSettings { rendered_bytes_max, ..EurekaSettings::default() }).await;
        fill(&world, 3, 5).await;
        for _ in 0..3 {
            for headers in
                [&[JSON][..], &[XML], &[JSON, GZIP], &[XML, GZIP], &[JSON, ("x-eureka-accept", "compact")]]
            {
                let answer = world.get("/eureka/apps", headers).await;
                let body = answer.plain();
                assert!(String::from_utf8(body).unwrap().contains("h4:app-2:80"));
            }
            world.put("/eureka/apps/APP-1/h1:app-1:80/metadata?a=b").await.is(200, "");
        }
    }
}

#[tokio::test]
async fn names_of_the_call_are_found() {
    let world = World::new().await;
    world.register("A", "i", r#""vipAddress":"One,two","secureVipAddress":"sec","status":"DOWN""#).await;
    world.register("B", "j", r#""vipAddress":"two""#).await;
    let list = |path: &'static str| {
        let world = &world;
        async move { world.get(path, &[JSON]).await.json()["applications"].clone() }
    };
    let two = list("/eureka/vips/two").await;
    assert_eq!((&two["versions__delta"], &two["apps__hashcode"]), (&"-1".into(), &"DOWN_1_UP_1_".into()));
    assert_eq!(list("/eureka/vips/One/").await["application"][0]["instance"][0]["instanceId"], "i");
    assert_eq!(list("/eureka/svips/sec").await["apps__hashcode"], "DOWN_1_");
    for path in ["/eureka/vips/one", "/eureka/vips/sec", "/eureka/svips/two"] {
        assert_eq!(list(path).await["application"], serde_json::json!([]), "{path}");
    }
}
