use super::*;

fn member(node: u64, is_voter: bool, is_answering: bool) -> MemberReport {
    MemberReport {
        node: NodeId(node),
        address: format!("10.0.0.{node}:7848"),
        client: format!("10.0.0.{node}:8848"),
        version: "1".into(),
        since: Timestamp(7),
        is_voter,
        is_leaving: false,
        is_answering,
        last_contact_ms: is_answering.then_some(3),
        matched: Some(10),
    }
}

/// Voters, of which those that answer are said, and the first leads.
fn report(answering: &[bool]) -> ClusterReport {
    let members = answering.iter().zip(1..).map(|(answers, node)| member(node, true, *answers)).collect();
    ClusterReport {
        cluster: Some(ClusterId(9)),
        by: NodeId(1),
        leader: Some(NodeId(1)),
        term: 2,
        committed: 10,
        members,
    }
}

#[test]
fn nobody_goes_whom_the_quorum_needs() {
    let refused = |answering: &[bool], node| report(answering).can_lose(NodeId(node)).unwrap_err();
    assert_eq!(refused(&[true], 1), EnsembleError::LastVoter(1));
    let lost = EnsembleError::WouldLoseQuorum { node: 3, voters: 2, answering: 1 };
    assert_eq!(refused(&[true, false, true], 3), lost);
    assert!(report(&[true, false, true]).can_lose(NodeId(2)).is_ok(), "the dead one may go");
    assert!(report(&[true, true]).can_lose(NodeId(2)).is_ok());
    assert!(report(&[true, true, true, false, false]).can_lose(NodeId(3)).is_err());
    assert_eq!(refused(&[true], 4), EnsembleError::UnknownNode(4));
    let mut learner = report(&[true, false]);
    learner.members.push(member(3, false, false));
    assert!(learner.can_lose(NodeId(3)).is_ok());
}

#[test]
fn what_may_fail_and_what_is_wrong_is_said() {
    assert_eq!((report(&[true]).survivable_losses(), report(&[true]).warnings()), (0, vec![]));
    assert_eq!(report(&[true, true]).warnings(), [ClusterWarning::TwoVoters]);
    let whole = report(&[true, true, true]);
    assert_eq!((whole.survivable_losses(), whole.warnings()), (1, vec![]));
    let one_gone = report(&[true, false, true]);
    assert_eq!(one_gone.survivable_losses(), 0);
    let expected = [ClusterWarning::NoLossSurvivable, ClusterWarning::Silent(NodeId(2))];
    assert_eq!(one_gone.warnings(), expected);
    assert_eq!(report(&[true; 4]).warnings(), [ClusterWarning::EvenVoters(4)]);
    let without = ClusterReport { leader: None, ..report(&[true, false, false]) };
    assert_eq!(without.warnings(), [ClusterWarning::NoLeader]);
}

#[test]
fn only_who_has_caught_up_is_promoted() {
    let mut report = report(&[true]);
    report.committed = 5_000;
    report.members[0].matched = Some(5_000);
    let behind = MemberReport { matched: Some(3_999), ..member(2, false, true) };
    let there = MemberReport { matched: Some(4_000), ..member(3, false, true) };
    let silent = MemberReport { matched: Some(5_000), ..member(4, false, false) };
    report.members.extend([behind, there, silent]);
    assert_eq!(report.caught_up().collect::<Vec<_>>(), [NodeId(3)]);
    assert!(report.can_promote(NodeId(3)).is_ok() && report.can_promote(NodeId(1)).is_ok());
    let why = |node| report.can_promote(NodeId(node)).unwrap_err().to_string();
    assert!(why(2).contains("lacks 1001 entries") && why(4).contains("does not answer"));
}

#[test]
fn a_report_crosses_to_another_node() {
    let mut report = report(&[true, false]);
    report.members[1].is_leaving = true;
    assert_eq!(decode(&encode(&report)), Some(report));
    assert_eq!(decode(&encode(&ClusterReport { by: NodeId(1), ..Default::default() })).unwrap().leader, None);
}
