//! Who publishes and who subscribes, over gRPC, HTTP and UDP, as administrators see it.

use super::{
    naming::{register, subscribe},
    server::Server,
};
use crate::world::World;
use serde_json::{Value, json};

const JAVA: (&str, &str) = ("User-Agent", "Nacos-Java-Client:v1.4.2");

async fn data(world: &World, path: &str) -> Value {
    let answer = world.ask("GET", path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()["data"].clone()
}

#[tokio::test]
async fn subscribers_of_every_protocol_are_listed() {
    let server = Server::start().await;
    let world = &server.world;
    let peer = server.naming().await;
    subscribe(&peer, "s", "c1,c2").await;
    world.send("GET", "/nacos/v1/ns/instance/list?serviceName=s&udpPort=50001&app=shop", "", &[JAVA]).await;
    world.send("GET", "/nacos/v1/ns/instance/list?serviceName=s-other&udpPort=50001", "", &[JAVA]).await;
    let list = "/nacos/v1/ns/service/subscribers?serviceName=s";
    let v1 = world.ask("GET", list).await.json();
    // As in the original a name is looked for in names.
    assert_eq!(v1["count"], 3, "{v1}");
    let of = |agent: &str| {
        let all = v1["subscribers"].as_array().unwrap().iter();
        all.filter(|one| one["agent"] == agent && one["serviceName"] == "DEFAULT_GROUP@@s")
            .collect::<Vec<_>>()
    };
    let [grpc] = of("Nacos-Java-Client:v3.0.3")[..] else { panic!("{v1}") };
    assert_eq!(
        (&grpc["addrStr"], &grpc["cluster"], &grpc["app"]),
        (&json!("127.0.0.1:0"), &json!("c1,c2"), &json!("unknown"))
    );
    let [udp] = of("Nacos-Java-Client:v1.4.2")[..] else { panic!("{v1}") };
    assert_eq!((&udp["addrStr"], &udp["app"]), (&json!("127.0.0.1:50001"), &json!("shop")));
    let page = world.ask("GET", &format!("{list}&pageNo=2&pageSize=2")).await.json();
    assert_eq!((&page["count"], page["subscribers"].as_array().unwrap().len()), (&json!(3), 1));
    let v3 = data(world, "/nacos/v3/admin/ns/service/subscribers?serviceName=s-other").await;
    assert_eq!(v3["totalCount"], 1);
    assert_eq!(
        v3["pageItems"][0],
        json!({"namespaceId": "public", "groupName": "DEFAULT_GROUP", "serviceName": "s-other", "ip": "127.0.0.1",
            "port": 50001, "agent": "Nacos-Java-Client:v1.4.2", "appName": "shop"})
    );
    drop(peer);
    server.stop().await;
}

#[tokio::test]
async fn clients_are_known_by_their_ids_with_what_they_publish_and_watch() {
    let server = Server::start().await;
    let world = &server.world;
    let peer = server.naming().await;
    register(&peer, "s", "10.0.0.1").await;
    subscribe(&peer, "t", "").await;
    world
        .ask("POST", "/nacos/v1/ns/instance?serviceName=s&ip=10.0.0.2&port=90&cluster=c1")
        .await
        .is(200, "ok");
    let ids = data(world, "/nacos/v2/ns/client/list").await;
    assert_eq!(data(world, "/nacos/v3/admin/ns/client/list").await, ids);
    assert_eq!(data(world, "/nacos/v1/ns/client/list").await, ids);
    let ids: Vec<&str> = ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let [http, grpc] = ids[..] else { panic!("{ids:?}") };
    assert_eq!(http, "10.0.0.2:90#true");

    let detail = data(world, &format!("/nacos/v2/ns/client?clientId={grpc}")).await;
    assert_eq!(
        (&detail["clientType"], &detail["connectType"], &detail["version"]),
        (&json!("connection"), &json!("GRPC"), &json!("Nacos-Java-Client:v3.0.3"))
    );
    assert_eq!(detail["clientPort"], grpc.rsplit('_').next().unwrap());
    let detail = data(world, "/nacos/v3/admin/ns/client?clientId=10.0.0.2:90%23true").await;
    assert_eq!((&detail["clientType"], &detail["clientIp"]), (&json!("ipPort"), &json!("10.0.0.2")));
    assert!(detail["lastUpdatedTime"].as_u64().unwrap() > 0);

    let published = data(world, &format!("/nacos/v2/ns/client/publish/list?clientId={grpc}")).await;
    assert_eq!(
        published[0]["registeredInstance"],
        json!({"ip": "10.0.0.1", "port": 80, "cluster": "DEFAULT"})
    );
    let published = data(world, "/nacos/v3/admin/ns/client/publish/list?clientId=10.0.0.2:90%23true").await;
    assert_eq!(
        published[0]["publisherInfo"],
        json!({"clientId": http, "ip": "10.0.0.2", "port": 90, "clusterName": "c1"})
    );
    let watched = data(world, &format!("/nacos/v3/admin/ns/client/subscribe/list?clientId={grpc}")).await;
    assert_eq!(
        (&watched[0]["serviceName"], &watched[0]["subscriberInfo"]["clientId"]),
        (&json!("t"), &json!(grpc))
    );

    let publishers = "/nacos/v2/ns/client/service/publisher/list?serviceName=s";
    assert_eq!(data(world, publishers).await.as_array().unwrap().len(), 2);
    let one = data(world, &format!("{publishers}&ip=10.0.0.2&port=90")).await;
    assert_eq!(one, json!([{"clientId": http, "ip": "10.0.0.2", "port": 90, "cluster": "c1"}]));
    assert_eq!(data(world, &format!("{publishers}&ephemeral=false")).await, json!([]));
    let subscribers = data(world, "/nacos/v3/admin/ns/client/service/subscriber/list?serviceName=t").await;
    assert_eq!(subscribers[0]["clientId"], grpc);

    let unknown = world.ask("GET", "/nacos/v2/ns/client?clientId=nobody").await;
    unknown
        .is(404, r#"{"code":20004,"message":"resource not found","data":"clientId [ nobody ] not exist"}"#);
    assert_eq!(world.ask("GET", "/nacos/v2/ns/client").await.status, 400);
    drop(peer);
    server.stop().await;
}
