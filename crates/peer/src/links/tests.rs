use super::*;
use crate::{KeyHash, Plaintext};
use muster_runtime::net::{Network as _, RealNetwork};

struct Echo;

impl Acceptor for Echo {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            while let Ok(Some(frame)) = link.receive().await {
                let from = link.peer().0 as u8;
                link.send(&[&frame[..], &[from]].concat()).await.unwrap();
            }
        })
    }
}

fn links(tasks: &Tasks) -> Links {
    Links::new(LinksParts {
        network: Arc::new(RealNetwork),
        security: Arc::new(Plaintext),
        tasks: tasks.clone(),
    })
}

async fn serving(tasks: &Tasks, cluster: ClusterId, node: NodeId) -> (Links, String) {
    let links = links(tasks);
    links.identify(cluster, node);
    links.handle(Purpose::Report, Arc::new(Echo));
    let incoming = RealNetwork.listen("127.0.0.1:0").await.unwrap();
    let address = incoming.address();
    tasks.spawn("links", links.clone().serve(incoming));
    (links, address)
}

fn refusal(result: Result<Link, LinkError>) -> Refusal {
    match result {
        Err(LinkError::Refused { refusal, .. }) => refusal,
        Err(other) => panic!("not refused but {other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn members_of_one_cluster_talk() {
    let tasks = Tasks::new();
    let (_server, address) = serving(&tasks, ClusterId(7), NodeId(1)).await;
    let client = links(&tasks);
    client.identify(ClusterId(7), NodeId(2));
    let mut link = client.connect(Some(NodeId(1)), &address, Purpose::Report).await.unwrap();
    link.send(b"hello").await.unwrap();
    assert_eq!(link.receive().await.unwrap().unwrap(), &b"hello\x02"[..]);
    assert!(tasks.shutdown(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn strangers_and_wrong_addresses_are_refused() {
    let tasks = Tasks::new();
    let (server, address) = serving(&tasks, ClusterId(7), NodeId(1)).await;
    let client = links(&tasks);
    let connect = |to| client.connect(to, &address, Purpose::Report);
    assert_eq!(refusal(connect(None).await), Refusal::OtherCluster);
    client.identify(ClusterId(8), NodeId(2));
    assert_eq!(refusal(connect(Some(NodeId(1))).await), Refusal::OtherCluster);
    client.identify(ClusterId(7), NodeId(2));
    assert_eq!(refusal(connect(Some(NodeId(3))).await), Refusal::NotTheNode);
    let roster = Roster { next: NodeId(3), ..Roster::default() };
    server.set_roster(roster);
    assert_eq!(refusal(connect(Some(NodeId(1))).await), Refusal::Removed);
    server.set_roster(Roster::default());
    assert_eq!(refusal(client.connect(Some(NodeId(1)), &address, Purpose::Raft).await), Refusal::NotServed);
    assert!(connect(Some(NodeId(1))).await.is_ok());
    assert!(tasks.shutdown(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn links_of_a_removed_node_end_at_once() {
    let tasks = Tasks::new();
    let (server, address) = serving(&tasks, ClusterId(7), NodeId(1)).await;
    let client = links(&tasks);
    client.identify(ClusterId(7), NodeId(2));
    let mut link = client.connect(Some(NodeId(1)), &address, Purpose::Report).await.unwrap();
    link.send(b"hello").await.unwrap();
    assert!(link.receive().await.unwrap().is_some());
    server.set_roster(Roster { next: NodeId(3), ..Roster::default() });
    assert!(matches!(link.receive().await, Ok(None) | Err(_)));
    assert!(tasks.shutdown(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_link_made_before_the_key_was_known_does_not_outlive_it() {
    let tasks = Tasks::new();
    let (server, address) = serving(&tasks, ClusterId(7), NodeId(1)).await;
    let client = links(&tasks);
    client.identify(ClusterId(7), NodeId(2));
    let connect = || client.connect(Some(NodeId(1)), &address, Purpose::Report);
    let (mut first, mut second) = (connect().await.unwrap(), connect().await.unwrap());
    second.send(b"hello").await.unwrap();
    assert!(second.receive().await.unwrap().is_some());
    let knows = |node| Roster {
        keys: [(NodeId(node), Some(KeyHash::of(b"another")))].into(),
        next: NodeId(3),
        ..Roster::default()
    };
    server.set_roster(knows(2));
    assert!(matches!(second.receive().await, Ok(None) | Err(_)), "the one that accepted ends it");
    client.set_roster(Roster { keys: [(NodeId(2), None)].into(), ..knows(1) });
    let error = first.send(b"secret").await.expect_err("it was made to somebody else");
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    assert!(tasks.shutdown(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn who_has_no_id_can_do_nothing_but_join() {
    let tasks = Tasks::new();
    let (server, address) = serving(&tasks, ClusterId(7), NodeId(1)).await;
    server.handle(Purpose::Join, Arc::new(Echo));
    let client = links(&tasks);
    assert!(client.connect(None, &address, Purpose::Join).await.is_ok());
    client.identify(ClusterId(7), NodeId(0));
    let connected = client.connect(Some(NodeId(1)), &address, Purpose::Report).await;
    assert_eq!(refusal(connected), Refusal::NotProven);
    assert!(tasks.shutdown(Duration::from_secs(5)).await);
}
