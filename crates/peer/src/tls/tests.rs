use super::*;
use crate::{Acceptor, CERTIFICATE_LIFETIME, Link, LinkError, Links, LinksParts, Purpose, Refusal, Roster};
use muster_model::{Now, Timestamp};
use muster_runtime::{
    ManualClock, Tasks,
    net::{Network as _, RealNetwork},
};

const CLUSTER: ClusterId = ClusterId(7);

struct Echo;

impl Acceptor for Echo {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            while let Ok(Some(frame)) = link.receive().await {
                link.send(&frame).await.unwrap();
            }
        })
    }
}

/// Nodes of one process under a clock that is moved by hand.
struct World {
    tasks: Tasks,
    clock: Arc<ManualClock>,
    authority: Authority,
}

impl World {
    fn new() -> Self {
        let now = Now { wall: Timestamp(1_700_000_000_000), ..Now::default() };
        Self { tasks: Tasks::new(), clock: Arc::new(ManualClock::at(now)), authority: Authority::create() }
    }

    fn links(&self, tls: Tls) -> Links {
        Links::new(LinksParts {
            network: Arc::new(RealNetwork),
            security: Arc::new(tls),
            tasks: self.tasks.clone(),
        })
    }

    fn credentials(
        &self,
        authority: &Authority,
        key: &NodeKey,
        cluster: ClusterId,
        node: u64,
    ) -> Credentials {
        let certificate = authority.sign(key, cluster, NodeId(node), self.clock.now().wall);
        Credentials::ours(authority, key, certificate)
    }

    /// A node whose certificate names another node, of another cluster, or is another authority's, if so wished.
    fn node_as(&self, authority: &Authority, key: &NodeKey, named: (ClusterId, u64), node: u64) -> Links {
        let credentials = self.credentials(authority, key, named.0, named.1);
        let trusted = Trusted::Authority(authority.clone());
        let links = self.links(Tls::new(self.clock.clone(), CLUSTER, &trusted, Some(credentials)).unwrap());
        links.identify(CLUSTER, NodeId(node));
        links
    }

    fn node(&self, node: u64, key: &NodeKey) -> Links {
        self.node_as(&self.authority, key, (CLUSTER, node), node)
    }

    async fn serve(&self, links: &Links) -> String {
        links.handle(Purpose::Report, Arc::new(Echo));
        links.handle(Purpose::Join, Arc::new(Echo));
        let incoming = RealNetwork.listen("127.0.0.1:0").await.unwrap();
        let address = incoming.address();
        self.tasks.spawn("links", links.clone().serve(incoming));
        address
    }
}

/// Why a link is not usable: not made at all, or refused.
async fn trouble(links: &Links, to: u64, address: &str) -> Option<LinkError> {
    links.connect(Some(NodeId(to)), address, Purpose::Report).await.err()
}

fn is_refused(error: Option<LinkError>, expected: &Refusal) -> bool {
    matches!(error, Some(LinkError::Refused { refusal, .. }) if refusal == *expected)
}

#[tokio::test]
async fn nodes_of_one_cluster_talk_and_others_do_not() {
    let world = World::new();
    let server = world.node(1, &NodeKey::create());
    let address = world.serve(&server).await;
    let key = NodeKey::create();
    let mut link = world.node(2, &key).connect(Some(NodeId(1)), &address, Purpose::Report).await.unwrap();
    link.send(b"hello").await.unwrap();
    assert_eq!(link.receive().await.unwrap().unwrap(), &b"hello"[..]);
    let until = Timestamp(world.clock.now().wall.0 + CERTIFICATE_LIFETIME.as_millis() as u64);
    let known = [1, 2].map(|node| server.certificate_until(NodeId(node)));
    assert_eq!(known, [Some(until); 2]);
    let foreign = world.node_as(&Authority::create(), &key, (CLUSTER, 2), 2);
    assert!(matches!(trouble(&foreign, 1, &address).await, Some(LinkError::Broken { .. })));
    let other_name = world.node_as(&world.authority, &key, (CLUSTER, 3), 2);
    assert!(is_refused(trouble(&other_name, 1, &address).await, &Refusal::NotProven));
    let other_cluster = world.node_as(&world.authority, &key, (ClusterId(8), 2), 2);
    assert!(is_refused(trouble(&other_cluster, 1, &address).await, &Refusal::NotProven));
    assert!(matches!(trouble(&world.node(2, &key), 3, &address).await, Some(LinkError::Broken { .. })));
}

#[tokio::test]
async fn keys_are_those_that_were_recorded_and_removed_nodes_are_told() {
    let world = World::new();
    let (one, two) = (NodeKey::create(), NodeKey::create());
    let server = world.node(1, &one);
    let address = world.serve(&server).await;
    let recorded = |keys: &[(u64, &NodeKey)], barred: Vec<KeyHash>| Roster {
        keys: keys.iter().map(|(node, key)| (NodeId(*node), Some(key.hash()))).collect(),
        next: NodeId(3),
        barred,
    };
    server.set_roster(recorded(&[(1, &one), (2, &two)], Vec::new()));
    let client = world.node(2, &two);
    assert!(trouble(&client, 1, &address).await.is_none());
    let stolen_name = world.node(2, &NodeKey::create());
    assert!(is_refused(trouble(&stolen_name, 1, &address).await, &Refusal::NotProven));
    client.set_roster(recorded(&[(1, &two), (2, &two)], Vec::new()));
    assert!(
        is_refused(trouble(&client, 1, &address).await, &Refusal::NotProven),
        "the accepting end is held to it, too"
    );
    server.set_roster(recorded(&[(1, &one)], vec![two.hash()]));
    let client = world.node(2, &two);
    assert!(is_refused(trouble(&client, 1, &address).await, &Refusal::Removed));
    let renamed = world.node(9, &two);
    assert!(
        is_refused(trouble(&renamed, 1, &address).await, &Refusal::Removed),
        "its key, under an id to come"
    );
}

#[tokio::test]
async fn a_certificate_ends_and_is_renewed_with_its_key() {
    let world = World::new();
    let (one, two) = (NodeKey::create(), NodeKey::create());
    let address = world.serve(&world.node(1, &one)).await;
    let old = world.credentials(&world.authority, &two, CLUSTER, 2);
    let trusted = Trusted::Authority(world.authority.clone());
    let tls = Arc::new(Tls::new(world.clock.clone(), CLUSTER, &trusted, Some(old)).unwrap());
    let security: Arc<dyn Security> = tls.clone();
    let network = Arc::new(RealNetwork);
    let client = Links::new(LinksParts { network, security, tasks: world.tasks.clone() });
    client.identify(CLUSTER, NodeId(2));
    assert!(trouble(&client, 1, &address).await.is_none());
    world.clock.advance(CERTIFICATE_LIFETIME.as_millis() as u64 + 1_000);
    assert!(trouble(&client, 1, &address).await.is_some(), "both have expired");
    tls.renew(world.credentials(&world.authority, &two, CLUSTER, 2)).unwrap();
    let address = world.serve(&world.node(1, &one)).await;
    assert!(trouble(&client, 1, &address).await.is_none());
}

#[tokio::test]
async fn whoever_joins_knows_whom_it_talks_to_and_can_do_nothing_else() {
    let world = World::new();
    let address = world.serve(&world.node(1, &NodeKey::create())).await;
    let joiner = |pin| {
        let tls = Tls::new(world.clock.clone(), ClusterId(0), &Trusted::Pinned(pin), None).unwrap();
        world.links(tls)
    };
    let right = joiner(world.authority.hash());
    let link = right.connect(None, &address, Purpose::Join).await.unwrap();
    assert!(!link.is_member() && link.is_proven());
    right.identify(CLUSTER, NodeId(2));
    assert!(is_refused(right.connect(None, &address, Purpose::Report).await.err(), &Refusal::NotTheNode));
    assert!(is_refused(trouble(&right, 1, &address).await, &Refusal::NotProven));
    let wrong =
        joiner(Authority::create().hash()).connect(None, &address, Purpose::Join).await.err().unwrap();
    assert!(format!("{wrong}").contains("another cluster"), "{wrong}");
}

#[tokio::test]
async fn operators_certificates_need_no_names() {
    let world = World::new();
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&authority).unwrap();
    let issuer = rcgen::Issuer::new(params, authority);
    let node = |number: u64| {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![format!("host{number}")]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let (pem, key) = (certificate.pem(), key.serialize_pem());
        let credentials = Credentials::operators(pem.as_bytes(), key.as_bytes()).unwrap();
        let trusted = Trusted::Operators(ca.pem().into_bytes());
        let links = world.links(Tls::new(world.clock.clone(), CLUSTER, &trusted, Some(credentials)).unwrap());
        links.identify(CLUSTER, NodeId(number));
        links
    };
    let address = world.serve(&node(1)).await;
    assert!(trouble(&node(2), 1, &address).await.is_none());
    let foreign = world.node(2, &NodeKey::create());
    assert!(matches!(trouble(&foreign, 1, &address).await, Some(LinkError::Broken { .. })));
    let error = Credentials::operators(b"nothing", b"").err().unwrap();
    assert!(error.to_string().contains("cluster_certificate"), "{error}");
}

#[tokio::test]
async fn plain_bytes_and_strangers_get_nothing() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new();
    let address = world.serve(&world.node(1, &NodeKey::create())).await;
    let mut stream = RealNetwork.connect(&address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // A TLS alert at most.
    stream.read_to_end(&mut answer).await.ok();
    assert!(answer.len() < 16, "{answer:?}");
}
