//! What is found on which port.

use crate::node::{Node, Refusal, Started, free_port, http};

async fn status(port: u16, path: &str) -> u16 {
    http(port, "GET", path).await.unwrap().0
}

#[tokio::test]
async fn the_console_has_a_port_of_its_own_and_is_on_the_main_one_too() {
    let base = tempfile::tempdir().unwrap();
    let console = free_port();
    let node = Node::start(&base.path().join("data"), &[&format!("console_port={console}")]).await;
    for path in
        ["/v3/console/core/namespace/list", "/nacos/v3/console/server/state", "/actuator/health", "/ready"]
    {
        assert_eq!(status(console, path).await, 200, "{path}");
        assert_eq!(status(node.port, path).await, 200, "{path}");
    }
    // The page of browsers, at the root as in Nacos 3.
    assert_eq!(status(console, "/").await, 200);
    for path in ["/nacos/v3/admin/core/state", "/nacos/v3/client/ns/instance/list?serviceName=s", "/metrics"]
    {
        assert_eq!(status(console, path).await, 404, "{path}");
        assert_eq!(status(node.port, path).await, 200, "{path}");
    }
    assert_eq!(status(node.port + 1_000, "/metrics").await, 200);
}

#[tokio::test]
async fn the_main_ports_show_what_they_are_told_to() {
    let base = tempfile::tempdir().unwrap();
    let settings = ["listen_surfaces=nacos-client,metrics"];
    let node = Node::start(&base.path().join("data"), &settings).await;
    for port in [node.port, node.port + 1_000] {
        assert_eq!(status(port, "/nacos/v1/ns/operator/metrics").await, 200);
        assert_eq!(status(port, "/metrics").await, 200);
        for path in ["/", "/nacos/v3/admin/core/state", "/nacos/v1/console/namespaces", "/muster/v1/history"]
        {
            assert_eq!(status(port, path).await, 404, "{path}");
        }
    }
}

#[tokio::test]
async fn surfaces_nobody_knows_and_ports_that_are_taken_refuse_the_start() {
    let base = tempfile::tempdir().unwrap();
    for (setting, problem) in
        [("console_surfaces=konsole", "expected all, or some of"), ("console_port=http", "expected a port")]
    {
        let started = Node::try_start(&base.path().join("data"), &[setting]).await;
        let Started::Refused(Refusal { text, .. }) = started else { panic!("{setting} starts") };
        assert!(text.contains(problem), "{setting}: {text}");
    }
}

#[tokio::test]
async fn the_gate_is_a_setting() {
    let base = tempfile::tempdir().unwrap();
    let node = Node::start(&base.path().join("data"), &["gate_v1_v2=true"]).await;
    assert_eq!(status(node.port, "/nacos/v1/console/namespaces").await, 410);
    assert_eq!(status(node.port, "/nacos/v1/ns/operator/metrics").await, 200);
}

#[tokio::test]
async fn log_levels_change_while_it_runs() {
    let base = tempfile::tempdir().unwrap();
    let node = Node::start(&base.path().join("data"), &[]).await;
    let heard = |node: &Node| node.log().matches("connection opened").count();
    assert_eq!(status(node.port, "/ready").await, 200);
    assert_eq!(heard(&node), 0, "connections are told of at DEBUG");
    let path = "/nacos/v1/core/ops/log?logName=core&logLevel=DEBUG";
    assert_eq!(http(node.port, "PUT", path).await.unwrap().0, 200);
    assert_eq!(status(node.port, "/ready").await, 200);
    assert!(heard(&node) > 0);
}
