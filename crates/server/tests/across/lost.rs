//! A mirror that lacks one instance of three nodes: the doctor names it.

use crate::{
    doctor::{self, Finding},
    forger::Forger,
    group::Group,
    listener::{GROUP, Listener},
    office::{Office, with},
};
use rcgen::KeyPair;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::time::{Instant, sleep};

/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who mirrors a node what it registers, and lacks something.
const VICTIM: usize = 2;

/// Waits until a node lists this for a service.
async fn listed(node: SocketAddr, service: &str, wanted: &[&str]) {
    let asker = Listener::at(node).await;
    let begun = Instant::now();
    loop {
        let info = asker.client.query_service(GROUP, service, "", false).await.unwrap();
        let hosts: Vec<&str> = info.hosts.iter().map(|host| host.ip.as_str()).collect();
        if hosts == wanted {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{node} lists {hosts:?} for {service}, not {wanted:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Three nodes, the first of which is reached by way of somebody who can change what it says.
async fn start() -> (Group, Forger) {
    let office = Office::open();
    let mut group = Group::new(3);
    let at = group.nodes[0].cluster;
    let before = SocketAddr::from(([127, 0, 0, 9], at.port()));
    let list = group.list().replace(&at.to_string(), &before.to_string());
    let mut files = Vec::new();
    for index in 0..3 {
        let key = KeyPair::generate().unwrap();
        files.push(office.sign(&group, &format!("n{index}"), &key, &office.certificate, None));
    }
    let path = |setting: &String| PathBuf::from(setting.split_once('=').unwrap().1);
    let paths: Vec<_> = files.iter().map(|files| files.each_ref().map(path)).collect();
    let forger = Forger::stand(before, (0, at), VICTIM, &paths).await;
    for (index, files) in files.iter().enumerate() {
        let address = format!("cluster_address={before}");
        let address = if index == 0 { vec!["--set", &address] } else { Vec::new() };
        group.start(index, &[&with(&list, files)[..], &address].concat());
    }
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(0, 3).await;
    (group, forger)
}

/// A change that is lost between two nodes, and that neither of them learns of, is found by comparing what both have. Once
/// the stream between them can tell, it mends that by itself, and the doctor tells of it for some time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_instance_is_named() {
    let (group, forger) = start().await;
    let nodes: Vec<_> = group.nodes.iter().map(|node| node.http).collect();
    let victim = group.id(VICTIM).await;
    let publisher = Listener::at(nodes[0]).await;
    publisher.register("early", "10.0.0.1").await;
    for node in &nodes {
        listed(*node, "early", &["10.0.0.1"]).await;
    }
    doctor::finds_nothing(&group, 0).await;

    forger.lose("10.0.0.7");
    publisher.register("kept", "10.0.0.2").await;
    for node in &nodes {
        listed(*node, "kept", &["10.0.0.2"]).await;
    }
    publisher.register("lost", "10.0.0.7").await;
    publisher.register("late", "10.0.0.3").await;
    for node in &nodes {
        listed(*node, "late", &["10.0.0.3"]).await;
    }
    assert_eq!(forger.lost(), 1, "only the victim is not told");
    listed(nodes[1], "lost", &["10.0.0.7"]).await;
    listed(nodes[VICTIM], "lost", &[]).await;
    for at in 0..3 {
        let found = doctor::ask(&group, at).await;
        let [Finding { check, node, what, .. }] = &found[..] else { panic!("{found:#?}") };
        assert_eq!((check.as_str(), *node), ("mirrors", Some(victim)), "{found:#?}");
        assert!(
            what.contains(&format!("instance 10.0.0.7:8080 of public/{GROUP}/lost is missing")),
            "{what}"
        );
        assert!(!what.contains(';'), "nothing else is: {what}");
    }

    forger.repent();
    listed(nodes[VICTIM], "lost", &["10.0.0.7"]).await;
    let begun = Instant::now();
    loop {
        let found = doctor::ask(&group, 1).await;
        if let [Finding { check, node, what, .. }] = &found[..]
            && what.contains("and was mended from there")
        {
            assert_eq!((check.as_str(), *node), ("mirrors", Some(victim)), "{found:#?}");
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:#?}");
        sleep(Duration::from_millis(200)).await;
    }
}
