//! The changes of the last three minutes.

use crate::world::{GZIP, JSON, World, XML, instance};
use muster_eureka::wire::{Body, Format};
use muster_model::{Actor, EurekaInstance, EurekaStatus};
use muster_node::{EurekaRegistration, registry::EurekaBase};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What a client of the Java kind knows: it fetches everything once, then changes.
#[derive(Default)]
struct Client {
    known: BTreeMap<(String, String), Value>,
}

impl Client {
    fn instances(list: &Value) -> impl Iterator<Item = &Value> {
        list["applications"]["application"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|app| app["instance"].as_array().unwrap())
    }

    fn key(instance: &Value) -> (String, String) {
        let text = |name: &str| instance[name].as_str().unwrap().to_owned();
        (text("app"), text("instanceId"))
    }

    fn take(&mut self, list: &Value) {
        self.known = Self::instances(list).map(|one| (Self::key(one), one.clone())).collect();
    }

    fn apply(&mut self, delta: &Value) {
        for instance in Self::instances(delta) {
            if instance["actionType"] == "DELETED" {
                self.known.remove(&Self::key(instance));
            } else {
                self.known.insert(Self::key(instance), instance.clone());
            }
        }
    }

    fn hash(&self) -> String {
        let mut counts = BTreeMap::new();
        for instance in self.known.values() {
            *counts.entry(instance["status"].as_str().unwrap()).or_insert(0) += 1;
        }
        counts.into_iter().map(|(status, count)| format!("{status}_{count}_")).collect()
    }
}

async fn delta(world: &World) -> Value {
    let plain = world.get("/eureka/apps/delta", &[JSON]).await;
    let packed = world.get("/eureka/apps/delta", &[JSON, GZIP]).await;
    assert_eq!(packed.unpacked(), plain.body);
    plain.json()
}

fn version(list: &Value) -> i64 {
    list["applications"]["versions__delta"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_client_that_polls_never_differs_from_the_whole() {
    let world = World::new().await;
    let (mut client, mut seen) = (Client::default(), Vec::new());
    client.take(&world.get("/eureka/apps", &[JSON]).await.json());
    let mut state = 7u64;
    for step in 0..120 {
        for _ in 0..=step % 3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (app, id) = (format!("APP-{}", (state >> 33) % 4), format!("i{}", (state >> 40) % 6));
            let path = format!("/eureka/apps/{app}/{id}");
            match (state >> 50) % 4 {
                0 => drop(world.delete(&path).await),
                1 => drop(world.put(&format!("{path}/metadata?step={step}")).await),
                2 => drop(world.put(&path).await),
                _ => {
                    let status = ["UP", "DOWN", "STARTING"][(state >> 45) as usize % 3];
                    let members = format!(r#""status":"{status}","lastDirtyTimestamp":{step}"#);
                    world.register(&app, &id, &members).await;
                }
            }
        }
        let changes = delta(&world).await;
        client.apply(&changes);
        assert_eq!(client.hash(), changes["applications"]["apps__hashcode"].as_str().unwrap(), "step {step}");
        let whole = world.get("/eureka/apps", &[JSON]).await.json();
        let mut other = Client::default();
        other.take(&whole);
        assert_eq!(client.known, other.known, "step {step}");
        assert_eq!(version(&whole), 1);
        seen.push((version(&changes), changes["applications"]["application"].clone()));
    }
    for pair in seen.windows(2) {
        assert_eq!(pair[0].0 == pair[1].0, pair[0].1 == pair[1].1, "the number is of the content");
        assert!((1..=32_001).contains(&pair[1].0));
    }
}

#[tokio::test]
async fn what_is_old_leaves_and_nothing_has_the_number_one() {
    let world = World::new().await;
    assert_eq!(version(&delta(&world).await), 1);
    world.register("A", "i", "").await;
    let xml = world.get("/eureka/apps/delta", &[XML]).await;
    let first = delta(&world).await;
    assert!(version(&first) > 1);
    assert!(xml.text().contains(&format!("<versions__delta>{}</versions__delta>", version(&first))));
    world.put("/eureka/apps/A/i").await.is(200, "");
    assert_eq!(delta(&world).await, first, "a renewal is no change");
    world.delete("/eureka/apps/A/i").await.is(200, "");
    let gone = delta(&world).await;
    assert_eq!(gone["applications"]["apps__hashcode"], "");
    assert_eq!(gone["applications"]["application"][0]["instance"][0]["actionType"], "DELETED");
    world.clock.skip(Duration::from_secs(179));
    assert_eq!(delta(&world).await, gone, "kept for 180 s");
    world.clock.skip(Duration::from_secs(2));
    let empty = delta(&world).await;
    assert_eq!((version(&empty), &empty["applications"]["application"]), (1, &serde_json::json!([])));
}

#[tokio::test]
async fn a_delta_that_would_lack_something_sends_clients_to_the_whole() {
    let world = World::new().await;
    world.register("A", "before", "").await;
    assert!(version(&delta(&world).await) > 1);
    let form = Body::read(Format::Json, instance("A", "i", "").as_bytes()).unwrap();
    let declared = form.declare("A", 1).unwrap().instance;
    // More than are kept, and nobody asks meanwhile.
    for number in 0..66_000 {
        let (app, id) = (format!("APP-{}", number % 500), format!("i{number}"));
        let instance = EurekaInstance { app: app.into(), instance_id: Some(id.into()), ..declared.clone() };
        let registration = EurekaRegistration {
            instance: Arc::new(instance),
            overridden: EurekaStatus::Unknown,
            replicated: false,
        };
        world.node.eureka_register(&EurekaBase::default(), registration, Actor::default()).unwrap();
    }
    world.get("/eureka/apps/delta", &[JSON]).await.is(404, "");
    assert!(world.get("/eureka/apps", &[JSON]).await.text().contains("UP_66001_"));
    world.clock.skip(Duration::from_secs(90));
    world.register("A", "later", "").await;
    world.get("/eureka/apps/delta", &[JSON, GZIP]).await.is(404, "");
    world.clock.skip(Duration::from_secs(91));
    let changes = delta(&world).await;
    assert_eq!(changes["applications"]["application"][0]["instance"][0]["instanceId"], "later");
    assert_eq!(changes["applications"]["apps__hashcode"], "UP_66002_");
}
