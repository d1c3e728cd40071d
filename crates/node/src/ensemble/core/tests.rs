use super::*;
use crate::ensemble::codec::{OpMessage, decode_outcome, encode_outcome};
use muster_peer::JoinToken;

fn candidate(number: u8) -> Candidate {
    Candidate {
        address: format!("10.0.0.{number}:7848"),
        client: format!("10.0.0.{number}:8848"),
        version: "1".into(),
        key: Some(KeyHash([number; 32])),
    }
}

/// An ensemble, every operation of which went through its bytes, and the rows it left.
#[derive(Default)]
struct World {
    ensemble: Ensemble,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl World {
    fn founded() -> Self {
        let mut world = Self::default();
        let members = vec![(NodeId(1), candidate(1))];
        world.apply(0, EnsembleOp::Found { cluster: ClusterId(9), members }).unwrap();
        world
    }

    fn apply(&mut self, now: u64, op: EnsembleOp) -> Result<EnsembleOutcome, EnsembleError> {
        let op = OpMessage::from(&op).read().expect("an operation reads back");
        let mut rows = Vec::new();
        let outcome = self.ensemble.apply(&op, Timestamp(now), &mut rows);
        for row in rows {
            match row.value {
                Some(value) => drop(self.rows.insert(row.key.to_vec(), value.to_vec())),
                None => drop(self.rows.remove(&row.key[..])),
            }
        }
        let mut loaded = Ensemble::default();
        self.rows.iter().for_each(|(key, value)| loaded.load(key, value).unwrap());
        assert_eq!(format!("{loaded:?}"), format!("{:?}", self.ensemble), "what is stored is what is known");
        assert_eq!(decode_outcome(&encode_outcome(&outcome), &op), Some(outcome.clone()));
        outcome
    }

    fn token(&mut self, now: u64) -> JoinToken {
        let token = JoinToken::new(KeyHash([0; 32]));
        let op = EnsembleOp::CreateToken { id: token.id, hash: token.hash(), lifetime_ms: 1_000 };
        self.apply(now, op).unwrap();
        token
    }

    fn admit(&mut self, now: u64, token: &JoinToken, number: u8) -> Result<EnsembleOutcome, EnsembleError> {
        let token = Some((token.id, token.hash()));
        self.apply(now, EnsembleOp::Admit { token, candidate: candidate(number) })
    }
}

fn admitted(node: u64) -> Result<EnsembleOutcome, EnsembleError> {
    Ok(EnsembleOutcome::Admitted(NodeId(node)))
}

#[test]
fn a_token_is_for_one_node_until_it_expires() {
    let mut world = World::founded();
    let token = world.token(0);
    assert_eq!(world.admit(999, &token, 2), admitted(2));
    assert_eq!(world.admit(5_000, &token, 2), admitted(2), "the answer may have been lost");
    assert_eq!(world.admit(999, &token, 3), Err(EnsembleError::TokenUsed(2)));
    let token = world.token(0);
    assert_eq!(world.admit(1_000, &token, 3), Err(EnsembleError::TokenExpired));
    let token = world.token(0);
    world.apply(1, EnsembleOp::RevokeToken { id: token.id }).unwrap();
    assert_eq!(world.admit(2, &token, 3), Err(EnsembleError::TokenRevoked));
    let never_made = JoinToken::new(KeyHash([0; 32]));
    assert_eq!(world.admit(2, &never_made, 3), Err(EnsembleError::UnknownToken));
    let (token, other) = (world.token(2), world.token(2));
    let mixed = Some((token.id, other.hash()));
    let op = EnsembleOp::Admit { token: mixed, candidate: candidate(3) };
    assert_eq!(world.apply(2, op), Err(EnsembleError::UnknownToken));
    assert_eq!(world.admit(2, &token, 3), admitted(3), "a wrong secret does not use it up");
}

#[test]
fn ids_are_never_given_again_and_keys_and_addresses_are_of_one_node() {
    let mut world = World::founded();
    let token = world.token(0);
    let taken = EnsembleError::AddressTaken { address: "10.0.0.1:7848".into(), node: 1 };
    assert_eq!(world.admit(1, &token, 1), Err(taken));
    assert_eq!(world.admit(1, &token, 2), admitted(2));
    world.apply(2, EnsembleOp::Leave { node: NodeId(2) }).unwrap();
    assert!(world.ensemble.members[&NodeId(2)].is_leaving);
    world.apply(3, EnsembleOp::Remove { node: NodeId(2) }).unwrap();
    world.apply(3, EnsembleOp::Remove { node: NodeId(2) }).unwrap();
    let token = world.token(3);
    assert_eq!(world.admit(4, &token, 2), Err(EnsembleError::KeyTaken(2)));
    let anew = Candidate { key: Some(KeyHash([7; 32])), ..candidate(2) };
    let op = EnsembleOp::Admit { token: Some((token.id, token.hash())), candidate: anew };
    assert_eq!(world.apply(4, op), admitted(3));
    assert_eq!(world.ensemble.removed_keys(), [KeyHash([2; 32])]);
}

#[test]
fn a_member_may_move_and_keeps_its_key() {
    let mut world = World::founded();
    let moved = Candidate { address: "10.0.0.9:7848".into(), key: None, ..candidate(1) };
    world.apply(1, EnsembleOp::Announce { node: NodeId(1), candidate: moved }).unwrap();
    let member = &world.ensemble.members[&NodeId(1)];
    assert_eq!((member.is.address.as_str(), member.is.key), ("10.0.0.9:7848", candidate(1).key));
    let other = Candidate { key: Some(KeyHash([7; 32])), ..candidate(1) };
    world.apply(1, EnsembleOp::Announce { node: NodeId(1), candidate: other }).unwrap();
    assert_eq!(world.ensemble.members[&NodeId(1)].is, candidate(1), "another key is never taken");
    let stranger = EnsembleOp::Announce { node: NodeId(5), candidate: candidate(5) };
    assert_eq!(world.apply(1, stranger), Err(EnsembleError::UnknownNode(5)));
}

#[test]
fn a_cluster_is_founded_once_and_before_anything_else() {
    let mut world = World::default();
    let token = JoinToken::new(KeyHash([0; 32]));
    assert_eq!(world.admit(1, &token, 2), Err(EnsembleError::NotFounded));
    let found = |cluster| EnsembleOp::Found {
        cluster: ClusterId(cluster),
        members: (1..4).map(|number| (NodeId(u64::from(number)), candidate(number))).collect(),
    };
    world.apply(1, found(1)).unwrap();
    world.apply(2, found(2)).unwrap();
    assert_eq!(world.ensemble.cluster, Some(ClusterId(1)));
    assert_eq!((world.ensemble.members.len(), world.ensemble.next), (3, 4));
}

#[test]
fn who_recovers_alone_leaves_the_others_and_all_tokens_behind() {
    let mut world = World::founded();
    let (token, open) = (world.token(0), world.token(0));
    assert_eq!(world.admit(1, &token, 2), admitted(2));
    world
        .apply(2, EnsembleOp::Recover { cluster: ClusterId(10), node: NodeId(1), candidate: candidate(1) })
        .unwrap();
    let ensemble = &world.ensemble;
    assert_eq!(
        (ensemble.cluster, ensemble.members.len(), ensemble.tokens.len()),
        (Some(ClusterId(10)), 1, 0)
    );
    assert_eq!(ensemble.removed_keys(), [KeyHash([2; 32])]);
    assert_eq!(world.admit(3, &open, 3), Err(EnsembleError::UnknownToken));
    let token = world.token(3);
    assert_eq!(world.admit(4, &token, 3), admitted(3), "ids are not given again");
}

#[test]
fn tokens_and_removed_nodes_are_bounded() {
    let mut world = World::founded();
    for _ in 0..TOKENS_MAX {
        world.token(0);
    }
    let more = JoinToken::new(KeyHash([0; 32]));
    let op = EnsembleOp::CreateToken { id: more.id, hash: more.hash(), lifetime_ms: 1 };
    assert_eq!(world.apply(1, op), Err(EnsembleError::TooManyTokens));
    world.token(2_000);
    assert_eq!(world.ensemble.tokens.len(), TOKENS_MAX);
    for node in 2..REMOVED_MAX as u64 + 5 {
        let is = Candidate { address: node.to_string(), ..Candidate::default() };
        world.apply(3, EnsembleOp::Admit { token: None, candidate: is }).unwrap();
        world.apply(3, EnsembleOp::Remove { node: NodeId(node) }).unwrap();
    }
    assert_eq!(world.ensemble.removed.len(), REMOVED_MAX);
}
