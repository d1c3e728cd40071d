//! Connecting, asking, pushes and their acknowledgements.

use crate::server::{END, Handle, Script, with_server};
use muster_client::{ClientError, InstanceBody, Options, Publish, Push, connect};
use muster_nacos_wire::{
    Text,
    grpc::{Failure, Payload, RequestType, answer, push},
};
use std::time::Duration;

fn options() -> Options {
    Options { port_offset: 0, client_ip: "10.0.0.7".to_owned(), ..Options::default() }
}

fn body(payload: &Payload) -> serde_json::Value {
    serde_json::from_slice(payload.json()).unwrap()
}

#[tokio::test]
async fn connects_to_a_server_that_negotiates() {
    with_server(Script::default(), |server| async move {
        let (client, _driver, _pushes) = connect(&server.address.to_string(), options()).await.unwrap();
        assert_eq!(client.connection_id(), "c1");
        client.health_check().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn connects_to_an_old_server_once_it_is_registered() {
    let script = Script { negotiates: false, acks_setup: false, unregistered: 3, ..Script::default() };
    with_server(script, |server| async move {
        connect(&server.address.to_string(), options()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn gives_up_when_the_setup_is_not_acknowledged() {
    with_server(Script { acks_setup: false, ..Script::default() }, |server| async move {
        let options = Options { setup_timeout: Duration::from_millis(50), ..options() };
        let error = connect(&server.address.to_string(), options).await.unwrap_err();
        assert!(matches!(error, ClientError::Timeout("SetupAckRequest")), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn says_where_nobody_listens() {
    let error = connect("127.0.0.1:1", options()).await.unwrap_err();
    assert!(matches!(&error, ClientError::Connect { address, .. } if address == "127.0.0.1:1"), "{error:?}");
    let error = connect("nowhere", options()).await.unwrap_err();
    assert!(matches!(error, ClientError::Address(_)), "{error:?}");
}

#[tokio::test]
async fn requests_are_as_clients_of_nacos_send_them() {
    with_server(Script::default(), |mut server: Handle| async move {
        let options = Options { access_token: Some("t".to_owned()), ..options() };
        let (client, _driver, _pushes) = connect(&server.address.to_string(), options).await.unwrap();
        let instance = InstanceBody { ip: Text::from("10.0.0.1"), port: 80, ..InstanceBody::default() };
        client.register("G", "s", instance).await.unwrap();
        let request = server.requests.recv().await.unwrap();
        assert_eq!((request.kind(), request.client_ip()), ("InstanceRequest", "10.0.0.7"));
        assert_eq!(request.header("ACCESStoken").as_deref(), Some("t"));
        assert_eq!(
            body(&request),
            serde_json::json!({"namespace": "public", "serviceName": "s", "groupName": "G", "type": "registerInstance",
                "instance": {"ip": "10.0.0.1", "port": 80, "clusterName": null, "metadata": {}}})
        );
        let publish = Publish { group: "G", data_id: "d", content: "c", ..Publish::default() };
        client.publish(publish).await.unwrap();
        assert_eq!(
            body(&server.requests.recv().await.unwrap()),
            serde_json::json!({"dataId": "d", "group": "G", "tenant": "", "content": "c", "casMd5": null, "additionMap": {}})
        );
        client.listen(&[("G", "d", "m")]).await.unwrap();
        assert_eq!(
            body(&server.requests.recv().await.unwrap()),
            serde_json::json!({"listen": true, "configListenContexts": [{"dataId": "d", "group": "G", "tenant": "", "md5": "m"}]})
        );
    })
    .await;
}

#[tokio::test]
async fn an_absent_config_is_none_and_other_refusals_are_errors() {
    fn refuse(kind: RequestType) -> Payload {
        if kind == RequestType::ConfigQuery {
            answer::config_not_found(None)
        } else if kind == RequestType::ServiceQuery {
            answer::success(RequestType::HealthCheck)
        } else {
            Failure::typed(403, "authorization failed!").answer(kind)
        }
    }
    with_server(Script { answer: refuse, ..Script::default() }, |server| async move {
        let (client, _driver, _pushes) = connect(&server.address.to_string(), options()).await.unwrap();
        assert_eq!(client.get("G", "d").await.unwrap(), None);
        let error = client.remove("G", "d").await.unwrap_err();
        assert_eq!(error.to_string(), "the server refused: authorization failed! (code 403)");
        let error = client.query_service("G", "s", "", false).await.unwrap_err();
        assert!(
            matches!(&error, ClientError::Unexpected { kind, .. } if kind == "HealthCheckResponse"),
            "{error:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn pushes_arrive_and_are_acknowledged() {
    with_server(Script::default(), |mut server| async move {
        let (_client, driver, mut pushes) = connect(&server.address.to_string(), options()).await.unwrap();
        let talk = async {
            let info = br#"{"name":"s","groupName":"G","clusters":"","hosts":[{"ip":"10.0.0.1","port":80,"weight":1.0,
                "healthy":true,"enabled":true,"ephemeral":true,"metadata":{}}],"lastRefTime":7}"#;
            server.push.send(push::notify_subscriber(41, info)).await.unwrap();
            server.push.send(push::client_detection(42)).await.unwrap();
            server.push.send(push::config_change(43, "d", "G", &Text::null())).await.unwrap();
            for (kind, id) in [
                ("NotifySubscriberResponse", "41"),
                ("ClientDetectionResponse", "42"),
                ("ConfigChangeNotifyResponse", "43"),
            ] {
                let ack = server.stream.recv().await.unwrap();
                assert_eq!(ack.kind(), kind);
                let expected = serde_json::json!({"resultCode": 200, "errorCode": 0, "success": true, "requestId": id});
                assert_eq!(body(&ack), expected);
            }
            let Some(Push::Service(info)) = pushes.recv().await else { panic!("no service") };
            assert_eq!((info.name.as_str(), info.hosts[0].ip.as_str(), info.last_ref_time), ("s", "10.0.0.1", 7));
            let Some(Push::Config(config)) = pushes.recv().await else { panic!("no config") };
            assert_eq!((config.data_id.as_str(), config.tenant.as_str()), ("d", ""));
        };
        tokio::select! { ended = driver.run() => panic!("{ended:?}"), () = talk => {} }
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_leaves_pushes_unacknowledged_and_detections_answered() {
    with_server(Script::default(), |mut server| async move {
        let options = Options { push_queue: 1, ..options() };
        let (_client, driver, mut pushes) = connect(&server.address.to_string(), options).await.unwrap();
        let talk = async {
            for id in [1, 2] {
                server.push.send(push::config_change(id, "d", "G", &Text::null())).await.unwrap();
            }
            server.push.send(push::client_detection(3)).await.unwrap();
            let ids = [server.stream.recv().await.unwrap(), server.stream.recv().await.unwrap()];
            assert_eq!(ids.map(|ack| body(&ack)["requestId"].clone()), ["1", "3"]);
            pushes.recv().await.unwrap();
            server.push.send(push::config_change(2, "d", "G", &Text::null())).await.unwrap();
            assert_eq!(body(&server.stream.recv().await.unwrap())["requestId"], "2");
        };
        tokio::select! { ended = driver.run() => panic!("{ended:?}"), () = talk => {} }
    })
    .await;
}

#[tokio::test]
async fn the_driver_ends_with_the_stream() {
    with_server(Script::default(), |server| async move {
        let (_client, driver, _pushes) = connect(&server.address.to_string(), options()).await.unwrap();
        server.push.send(Payload::new(END, "")).await.unwrap();
        let ended = driver.run().await;
        assert!(matches!(ended, Err(ClientError::Closed)), "{ended:?}");
    })
    .await;
}

#[tokio::test]
async fn the_driver_ends_when_health_checks_fail_in_a_row() {
    with_server(Script::default(), |server| async move {
        let options = Options { health_interval: Duration::from_millis(1), ..options() };
        let (_client, driver, _pushes) = connect(&server.address.to_string(), options).await.unwrap();
        *server.unregistered.lock().await = 3;
        let ended = driver.run().await.unwrap_err();
        assert_eq!(ended.code(), Some(301), "{ended:?}");
        assert_eq!(*server.unregistered.lock().await, 0);
    })
    .await;
}
