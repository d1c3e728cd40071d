//! What is to be had on which address.

use crate::{
    group::Group,
    http::{Ask, Caller},
};
use hyper::Method;
use muster_model::{ClusterId, NodeId};
use muster_peer::{
    Answer, Authority, Credentials, Links, LinksParts, NodeKey, Probe, Question, Tls, Trusted, ask,
};
use muster_runtime::{Clock as _, SystemClock, Tasks, net::RealNetwork};
use std::{sync::Arc, time::Duration};

/// Links of somebody who has the secret of the cluster, and no id.
fn insider(secret: &[u8]) -> Links {
    let authority = Authority::from_secret(secret).unwrap();
    let (clock, key) = (Arc::new(SystemClock::new()), NodeKey::create());
    let certificate = authority.sign(&key, ClusterId(0), NodeId(0), clock.now().wall);
    let credentials = Credentials::ours(&authority, &key, certificate);
    let tls = Tls::new(clock, ClusterId(0), &Trusted::Authority(authority), Some(credentials)).unwrap();
    Links::new(LinksParts { network: Arc::new(RealNetwork), security: Arc::new(tls), tasks: Tasks::new() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_talk_on_the_address_for_nodes_alone() {
    let group = Group::listed(2).await;
    let secret = std::fs::read(group.path("secret")).unwrap();
    let links = insider(secret.trim_ascii());
    let question = Question::Probe(Probe::default());
    let node = &group.nodes[0];
    let answer = ask(&links, None, &node.cluster.to_string(), &question).await;
    assert!(matches!(&answer, Ok(Answer::Probe(answer)) if answer.cluster.is_some()), "{answer:?}");

    // Whoever has the secret itself gets no link where clients are served.
    for port in [node.http.port(), node.http.port() + 1_000] {
        let address = format!("{}:{port}", node.http.ip());
        let answer = ask(&links, None, &address, &question).await;
        assert!(answer.is_err(), "{address}: {answer:?}");
    }
    // Nor is there HTTP where nodes are.
    let mut caller = Caller::new(node.cluster, Duration::from_secs(5));
    let answer = caller.call(&Ask::plain(Method::GET, "/muster/v1/cluster")).await;
    assert!(answer.is_err(), "{answer:?}");
    assert!(group.publish(0, "on", "1").await, "it goes on");
}
