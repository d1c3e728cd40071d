use super::*;

fn status(json: serde_json::Value) -> Status {
    serde_json::from_value(json).unwrap()
}

#[test]
fn the_summary_says_how_many_losses_are_survivable() {
    let of = |voters: usize, losses: Option<usize>, leader: Option<u64>| {
        let mut json = serde_json::json!({
            "node": 2, "role": "follower", "term": 3, "committed": 7, "voters": voters, "changing": false,
            "members": [], "warnings": [],
        });
        match leader {
            Some(leader) => json["leader"] = leader.into(),
            None => json["without_leader_ms"] = 4_500.into(),
        }
        if let Some(losses) = losses {
            json["survivable_losses"] = losses.into();
        }
        summary(&status(json)).trim_end().to_owned()
    };
    assert_eq!(
        of(3, Some(1), Some(1)),
        "seen by node 2: leader is node 1 (term 3), 3 voters, survives the loss of 1"
    );
    assert_eq!(
        of(1, Some(0), Some(1)),
        "seen by node 2: leader is node 1 (term 3), 1 voter, survives no loss"
    );
    assert_eq!(
        of(3, None, None),
        "seen by node 2: no leader for 4 s (term 3), 3 voters, too few of them answer: nothing durable can be written"
    );
}

#[test]
fn an_open_token_ends_with_time() {
    let line = |state: &str, used_by| TokenLine {
        id: "a".into(),
        made: 1,
        expires: 10,
        state: state.into(),
        used_by,
    };
    assert_eq!((line("open", None).said(9), line("open", None).said(10)), ("open".into(), "expired".into()));
    assert_eq!(line("used", Some(3)).said(10), "used by node 3");
    assert_eq!(line("revoked", None).said(1), "revoked");
}
