//! Certificates that operators made.

use crate::{
    group::Group,
    office::{Office, with},
};
use rcgen::KeyPair;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_know_each_other_by_certificates_of_operators() {
    let (office, other) = (Office::open(), Office::open());
    let mut group = Group::new(3);
    let list = group.list();
    let keys: Vec<_> = (0..3).map(|_| KeyPair::generate().unwrap()).collect();
    for (index, key) in keys.iter().enumerate().take(2) {
        let files = office.sign(&group, &format!("n{index}"), key, &office.certificate, None);
        group.start(index, &with(&list, &files));
    }
    // Somebody else signed the third one's.
    let files = other.sign(&group, "n2", &keys[2], &office.certificate, None);
    group.start(2, &with(&list, &files));
    group.nodes[2].wait_logged("this node waits to begin its cluster").await;
    group.nodes[0].wait_logged("this node waits to begin its cluster").await;
    assert!(!group.publish(0, "early", "1").await, "nothing has begun");
    group.nodes[2].kill();
    let files = office.sign(&group, "n2", &keys[2], &office.certificate, None);
    group.start(2, &with(&list, &files));
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(2, 3).await;
    group.publish_soon(1, "known", "1").await;

    // Renewed with the same key it is the same node; with another key, and with that of another node, it is not.
    group.nodes[2].kill();
    office.sign(&group, "n2", &keys[2], &office.certificate, None);
    group.start_again(2);
    group.nodes[2].wait_ready().await;
    assert_eq!(group.read(2, "known").await.as_deref(), Some("1"));
    for key in [&KeyPair::generate().unwrap(), &keys[1]] {
        group.nodes[2].kill();
        office.sign(&group, "n2", key, &office.certificate, None);
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
