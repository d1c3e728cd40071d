//! Who belongs to the cluster, as far as links have to know.

use crate::{KeyHash, Refusal};
use muster_model::NodeId;
use std::collections::BTreeMap;

/// The members and their keys. The default knows nothing and refuses nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The members; a key that is known is the only one that is accepted.
    pub keys: BTreeMap<NodeId, Option<KeyHash>>,
    /// The first id that was never given, as far as this node knows: who has a greater one may have joined since.
    pub next: NodeId,
    /// Keys of nodes that were removed.
    pub barred: Vec<KeyHash>,
}

impl Roster {
    /// Whether the node was a member and is none any more. Ids are never given again.
    pub fn is_removed(&self, node: NodeId) -> bool {
        node.0 > 0 && node < self.next && !self.keys.contains_key(&node)
    }

    /// Whether a node that showed that key may be linked to.
    pub(crate) fn judge(&self, node: NodeId, key: Option<KeyHash>) -> Result<(), Refusal> {
        if self.is_removed(node) || key.is_some_and(|key| self.barred.contains(&key)) {
            return Err(Refusal::Removed);
        }
        match self.keys.get(&node) {
            Some(Some(known)) if key != Some(*known) => Err(Refusal::NotProven),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_members_with_their_own_keys_and_newer_nodes_pass() {
        let (one, two, other) = (KeyHash::of(b"1"), KeyHash::of(b"2"), KeyHash::of(b"other"));
        let keys = BTreeMap::from([(NodeId(1), Some(one)), (NodeId(3), None)]);
        let roster = Roster { keys, next: NodeId(4), barred: vec![two] };
        let judge = |node, key| roster.judge(NodeId(node), key);
        assert_eq!(judge(1, Some(one)), Ok(()));
        assert_eq!(judge(1, Some(other)), Err(Refusal::NotProven));
        assert_eq!(judge(1, None), Err(Refusal::NotProven));
        assert_eq!(judge(2, Some(two)), Err(Refusal::Removed));
        assert_eq!(judge(2, Some(other)), Err(Refusal::Removed), "its id is never given again");
        assert_eq!(judge(4, Some(two)), Err(Refusal::Removed), "its key under a new id");
        assert_eq!((judge(3, None), judge(4, Some(other))), (Ok(()), Ok(())));
        assert_eq!(Roster::default().judge(NodeId(7), None), Ok(()));
    }
}
