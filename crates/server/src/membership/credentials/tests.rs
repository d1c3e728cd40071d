use super::*;
use crate::settings::Settings;
use muster_model::Now;
use muster_peer::{Acceptor, Link, Links, Purpose};
use muster_runtime::{
    ManualClock,
    disk::RealDisk,
    net::{BoxFuture, Network as _, RealNetwork},
};
use tempfile::TempDir;

const CLUSTER: ClusterId = ClusterId(7);
const DAY_MS: u64 = 86_400_000;

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

/// Data directories and tasks of nodes in one process, under a clock that is moved by hand.
struct World {
    folder: TempDir,
    clock: Arc<ManualClock>,
    tasks: Tasks,
    settings: Settings,
}

impl World {
    fn new() -> Self {
        let now = Now { wall: Timestamp(1_700_000_000_000), ..Now::default() };
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(now)));
        Self { folder, clock, tasks: Tasks::new(), settings: Settings::default() }
    }

    fn ground(&self, node: u64) -> Ground<'_> {
        let path = self.folder.path().join(node.to_string());
        let dir = DataDir::open(Arc::new(RealDisk), &path).unwrap();
        Ground {
            settings: &self.settings,
            dir: Box::leak(Box::new(dir)),
            has_data: false,
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
        }
    }

    fn days(&self, days: u64) {
        self.clock.advance(days * DAY_MS);
    }

    fn look(&self, ground: &Ground<'_>, prover: &Prover) -> anyhow::Result<()> {
        prover.look(&self.settings.cluster, ground.dir, self.clock.now().wall)
    }
}

/// What a link brings back.
async fn echo(link: &mut Link) -> bool {
    link.send(b"there?").await.is_ok() && matches!(link.receive().await, Ok(Some(_)))
}

async fn serve(ground: &Ground<'_>, links: &Links) -> String {
    links.handle(Purpose::Report, Arc::new(Echo));
    let incoming = RealNetwork.listen("127.0.0.1:0").await.unwrap();
    let address = incoming.address();
    ground.tasks.spawn("links", links.clone().serve(incoming));
    address
}

#[tokio::test]
async fn a_certificate_is_renewed_when_a_third_is_left_and_links_stay() {
    let world = World::new();
    let first = world.ground(1);
    let founder = Arc::new(Prover::of_founder(&first, CLUSTER, NodeId(1)).unwrap());
    let authority = founder.authority().unwrap().export();
    let member = |node: u64| {
        let ground = world.ground(node);
        ground.dir.set_cluster_file(AUTHORITY_KEY, &authority).unwrap();
        let prover = Arc::new(Prover::of_member(&ground, CLUSTER, NodeId(node)).unwrap());
        let links = ground.links(&prover);
        links.identify(CLUSTER, NodeId(node));
        (ground, prover, links)
    };
    let links = first.links(&founder);
    links.identify(CLUSTER, NodeId(1));
    let address = serve(&first, &links).await;
    let ((second, renewed, its_links), (_, _, late)) = (member(2), member(3));
    let mut open = its_links.connect(Some(NodeId(1)), &address, Purpose::Report).await.unwrap();
    assert!(echo(&mut open).await);

    let begun = world.clock.now().wall.0;
    world.days(59);
    for (ground, prover) in [(&first, &founder), (&second, &renewed)] {
        world.look(ground, prover).unwrap();
        assert_eq!(prover.certificate_until(), Some(Timestamp(begun + 90 * DAY_MS)), "it is not due");
    }
    world.days(2);
    let keys = (founder.key(), renewed.key());
    for (ground, prover) in [(&first, &founder), (&second, &renewed)] {
        world.look(ground, prover).unwrap();
        assert_eq!(prover.certificate_until(), Some(Timestamp(begun + 151 * DAY_MS)));
        assert_eq!(ground.dir.cluster_file(NODE_CERTIFICATE).unwrap().unwrap(), *prover.certificate.lock());
    }
    assert_eq!((founder.key(), renewed.key()), keys, "others know it by its key");
    assert_eq!(links.certificate_until(NodeId(1)), founder.certificate_until());

    // The first certificates have ended; whoever forgot to renew its own is refused.
    world.days(35);
    assert!(echo(&mut open).await, "the link is the old one");
    let mut new = its_links.connect(Some(NodeId(1)), &address, Purpose::Report).await.unwrap();
    assert!(echo(&mut new).await);
    assert!(late.connect(Some(NodeId(1)), &address, Purpose::Report).await.is_err());
}

#[tokio::test]
async fn a_node_renews_by_itself() {
    let world = World::new();
    let ground = world.ground(1);
    let prover = Arc::new(Prover::of_founder(&ground, CLUSTER, NodeId(1)).unwrap());
    let old = prover.certificate_until().unwrap();
    world.days(70);
    let run = prover.clone().run(
        world.settings.cluster.clone(),
        ground.dir,
        world.clock.clone(),
        world.tasks.clone(),
    );
    world.tasks.spawn("certificate", run);
    while prover.certificate_until() == Some(old) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(prover.certificate_until(), Some(Timestamp(old.0 + 70 * DAY_MS)));
}

#[tokio::test]
async fn certificates_of_operators_are_read_again_and_keep_their_key() {
    let mut world = World::new();
    let office = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&office).unwrap().pem();
    let issuer = rcgen::Issuer::new(params, office);
    let folder = world.folder.path().to_owned();
    let put = |name: &str, content: &str| {
        std::fs::write(folder.join(name), content).unwrap();
        folder.join(name)
    };
    let sign = |key: &rcgen::KeyPair| {
        let params = rcgen::CertificateParams::new(vec!["host".to_owned()]).unwrap();
        put("certificate", &params.signed_by(key, &issuer).unwrap().pem())
    };
    let key = rcgen::KeyPair::generate().unwrap();
    world.settings.cluster.ca = put("ca", &ca);
    world.settings.cluster.certificate = sign(&key);
    world.settings.cluster.key = put("key", &key.serialize_pem());
    let ground = world.ground(1);
    let prover = Prover::of_founder(&ground, CLUSTER, NodeId(1)).unwrap();
    let (old, known) = (prover.certificate.lock().clone(), prover.key());
    world.look(&ground, &prover).unwrap();
    assert_eq!(*prover.certificate.lock(), old, "nothing is new");
    sign(&key);
    world.look(&ground, &prover).unwrap();
    assert_ne!(*prover.certificate.lock(), old);
    assert_eq!(prover.key(), known);

    let other = rcgen::KeyPair::generate().unwrap();
    sign(&other);
    put("key", &other.serialize_pem());
    let error = world.look(&ground, &prover).unwrap_err();
    assert!(error.to_string().contains("cluster_certificate has another key"), "{error}");
}
