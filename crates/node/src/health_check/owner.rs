//! Which node of an ensemble checks an instance.

use super::schedule::Key;
use muster_model::NodeId;
use std::{collections::BTreeSet, sync::Arc};

/// The nodes among which checks are divided. Each instance is checked by the one that draws the highest number for it, so
/// that only those of a lost node change hands.
#[derive(Clone, Debug)]
pub(super) struct Owners {
    own: NodeId,
    nodes: Arc<BTreeSet<NodeId>>,
}

impl Owners {
    /// This node checks everything.
    pub(super) fn alone(own: NodeId) -> Self {
        Self { own, nodes: Arc::new(BTreeSet::from([own])) }
    }

    /// Others take part, or do no more.
    pub(super) fn set(&mut self, nodes: Arc<BTreeSet<NodeId>>) {
        self.nodes = nodes;
    }

    /// Whether an instance is this node's to check.
    pub(super) fn is_ours(&self, key: &Key) -> bool {
        if self.nodes.len() < 2 {
            return true;
        }
        let key = number(key);
        // Hashes of two nodes are equal by a rare accident; then the greater id decides.
        let owner = self.nodes.iter().max_by_key(|node| (mixed(key, node.0), node.0));
        owner.is_none_or(|owner| *owner == self.own)
    }
}

/// The same number on every node: FNV-1a over the names. There is nothing to gain from names that collide.
fn number((client, service): &Key) -> u64 {
    let client = client.to_string();
    let parts = [service.namespace().as_str(), service.group().as_str(), service.name().as_str(), &client];
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

fn mixed(key: u64, node: u64) -> u64 {
    let mut z = key ^ node.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{ClientId, GroupName, Host, Kind, Namespace, ServiceKey, ServiceName};

    fn key(port: u16) -> Key {
        let service =
            ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new("s").unwrap());
        (ClientId::Address(Host::new("10.0.0.1").unwrap(), port, Kind::Persistent), service)
    }

    fn owner(nodes: &[u64], key: &Key) -> u64 {
        let set: Arc<BTreeSet<NodeId>> = Arc::new(nodes.iter().map(|node| NodeId(*node)).collect());
        let is_owner = |node: &&u64| {
            let mut owners = Owners::alone(NodeId(**node));
            owners.set(set.clone());
            owners.is_ours(key)
        };
        let owners: Vec<u64> = nodes.iter().filter(is_owner).copied().collect();
        assert_eq!(owners.len(), 1, "exactly one node checks it");
        owners[0]
    }

    #[test]
    fn each_node_checks_its_share_and_a_lost_one_moves_no_other() {
        let mut counts = [0; 4];
        for port in 1..3_000 {
            let key = key(port);
            let before = owner(&[1, 2, 3], &key);
            counts[before as usize] += 1;
            let after = owner(&[1, 3], &key);
            assert!(before == 2 || before == after);
        }
        assert!(counts[1..].iter().all(|count| (900..=1_100).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_key_has_the_same_number_in_every_build() {
        assert_eq!(number(&key(80)), 16_733_070_928_363_035_078);
    }
}
