//! Certificates that operators made.

use crate::group::Group;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Signs certificates, as operators do.
struct Office {
    params: CertificateParams,
    key: KeyPair,
    certificate: String,
}

impl Office {
    fn open() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { params, key, certificate }
    }

    /// Settings that name files with a certificate of a key, and what signs the others.
    fn sign(&self, group: &Group, name: &str, key: &KeyPair, trusted: &str) -> [String; 3] {
        let params = CertificateParams::new(vec![format!("{name}.example")]).unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(key, &issuer).unwrap().pem();
        [("ca", trusted), ("certificate", &certificate), ("key", &key.serialize_pem())].map(
            |(what, content)| {
                let file = group.file(&format!("{name}.{what}"), content);
                format!("cluster_{what}={}", file.display())
            },
        )
    }
}

fn with<'a>(list: &'a str, files: &'a [String; 3]) -> [&'a str; 8] {
    ["--set", list, "--set", &files[0], "--set", &files[1], "--set", &files[2]]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_know_each_other_by_certificates_of_operators() {
    let (office, other) = (Office::open(), Office::open());
    let mut group = Group::new(3);
    let list = group.list();
    let keys: Vec<_> = (0..3).map(|_| KeyPair::generate().unwrap()).collect();
    for (index, key) in keys.iter().enumerate().take(2) {
        let files = office.sign(&group, &format!("n{index}"), key, &office.certificate);
        group.start(index, &with(&list, &files));
    }
    // Somebody else signed the third one's.
    let files = other.sign(&group, "n2", &keys[2], &office.certificate);
    group.start(2, &with(&list, &files));
    group.nodes[2].wait_logged("this node waits to begin its cluster").await;
    group.nodes[0].wait_logged("this node waits to begin its cluster").await;
    assert!(!group.publish(0, "early", "1").await, "nothing has begun");
    group.nodes[2].kill();
    let files = office.sign(&group, "n2", &keys[2], &office.certificate);
    group.start(2, &with(&list, &files));
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(2, 3).await;
    group.publish_soon(1, "known", "1").await;

    // Renewed with the same key it is the same node; with another key, and with that of another node, it is not.
    group.nodes[2].kill();
    office.sign(&group, "n2", &keys[2], &office.certificate);
    group.start_again(2);
    group.nodes[2].wait_ready().await;
    assert_eq!(group.read(2, "known").await.as_deref(), Some("1"));
    for key in [&KeyPair::generate().unwrap(), &keys[1]] {
        group.nodes[2].kill();
        office.sign(&group, "n2", key, &office.certificate);
        group.start_again(2);
        group
            .wait_status(0, "that node 3 is away", |status| {
                status["members"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|one| one["node"] == 3 && one["state"] == "down")
            })
            .await;
        assert!(!group.publish(2, "unknown", "1").await, "a node that is not recognised");
    }
}
