use super::*;
use Answer::{Found, Published, Refused, Removed, Unknown};
use Asked::{Create, Publish, Read, Remove, Swap};
use muster_runtime::Rng;

/// Calls as (asked, began, ended, answer).
fn calls(list: &[(Asked, u64, u64, Answer)]) -> Vec<Call> {
    let call = |(client, &(asked, began, ended, answer))| Call { client, asked, began, ended, answer };
    (0..).zip(list).map(call).collect()
}

fn passes(list: &[(Asked, u64, u64, Answer)]) -> bool {
    check(&calls(list)).is_ok()
}

#[test]
fn calls_after_each_other() {
    assert!(passes(&[]));
    assert!(passes(&[(Read, 1, 2, Found(0)), (Publish(1), 3, 4, Published), (Read, 5, 6, Found(1))]));
    assert!(passes(&[(Publish(1), 1, 2, Published), (Remove, 3, 4, Removed(true)), (Read, 5, 6, Found(0))]));
}

#[test]
fn an_acknowledged_write_that_is_gone_is_found() {
    assert!(!passes(&[(Publish(1), 1, 2, Published), (Read, 3, 4, Found(0))]));
    assert!(!passes(&[(Publish(1), 1, 2, Published), (Publish(2), 3, 4, Published), (Read, 5, 6, Found(1))]));
    assert!(!passes(&[(Publish(1), 1, 2, Published), (Remove, 3, 4, Removed(false))]));
}

#[test]
fn a_stale_read_is_found() {
    let stale = [
        (Publish(1), 1, 2, Published),
        (Publish(2), 3, 10, Published),
        (Read, 4, 5, Found(2)),
        // The new content was seen: nobody who asks later may see the old one.
        (Read, 6, 7, Found(1)),
    ];
    assert!(!passes(&stale));
    assert!(passes(&stale[..3]));
}

#[test]
fn of_two_swaps_of_the_same_content_one_wins() {
    let both = [
        (Publish(1), 1, 2, Published),
        (Swap { expected: 1, new: 2 }, 3, 6, Published),
        (Swap { expected: 1, new: 3 }, 4, 5, Published),
    ];
    assert!(!passes(&both));
    assert!(passes(&[both[0], both[1], (Swap { expected: 1, new: 3 }, 4, 5, Refused)]));
    assert!(!passes(&[both[0], (Swap { expected: 1, new: 3 }, 4, 5, Refused)]), "nothing refuses it");
    assert!(!passes(&[(Create(1), 1, 2, Published), (Create(2), 3, 4, Published)]));
}

#[test]
fn a_content_nobody_published_is_found() {
    assert!(!passes(&[(Publish(1), 1, 2, Published), (Read, 3, 4, Found(9))]));
    assert!(
        !passes(&[(Publish(1), 5, 6, Published), (Read, 1, 2, Found(1))]),
        "read before it was published"
    );
}

#[test]
fn an_unanswered_write_may_be_done_at_any_time_or_never() {
    let lost = (Publish(7), 1, 2, Unknown);
    let other = (Publish(1), 3, 4, Published);
    assert!(passes(&[lost, other, (Read, 5, 6, Found(1))]));
    assert!(passes(&[lost, other, (Read, 5, 6, Found(7))]));
    assert!(passes(&[lost, other, (Read, 5, 6, Found(1)), (Read, 7, 8, Found(7))]));
    assert!(!passes(&[lost, other, (Read, 5, 6, Found(7)), (Read, 7, 8, Found(1))]), "it was done before");
    assert!(!passes(&[other, (Read, 5, 6, Found(1)), (Publish(7), 9, 10, Unknown), (Read, 7, 8, Found(7))]));
    assert!(passes(&[lost, other, (Create(2), 5, 6, Refused), (Remove, 7, 8, Removed(true))]));
    // The only thing there was to remove is one that nobody read.
    assert!(passes(&[lost, (Remove, 3, 4, Removed(true))]));
    assert!(passes(&[lost, (Create(2), 3, 4, Refused)]));
}

/// Every order, one after another.
fn explains(calls: &[Call], value: Value) -> bool {
    if calls.iter().all(Call::is_open) {
        return true;
    }
    let first_end = calls.iter().filter(|call| !call.is_open()).map(|call| call.ended).min();
    (0..calls.len()).any(|place| {
        let call = calls[place];
        if first_end.is_some_and(|ended| ended < call.began) {
            return false;
        }
        let mut rest = calls.to_vec();
        rest.remove(place);
        call.step(value).is_some_and(|next| explains(&rest, next))
    })
}

/// A history of clients that ask at the same time; `lies` answers are not what a register gave.
fn history(rng: &mut Rng, count: usize, clients: u64, lies: u64, losses: u64) -> Vec<Call> {
    let (mut moment, mut value) = (0, NOTHING);
    let mut busy: Vec<Option<(usize, bool)>> = vec![None; clients as usize];
    let mut calls: Vec<Call> = Vec::new();
    let mut contents = 0;
    while calls.len() < count || busy.iter().any(Option::is_some) {
        moment += 1;
        let client = rng.below(clients) as usize;
        match busy[client] {
            None if calls.len() < count => {
                contents += 1;
                let old =
                    |rng: &mut Rng| if rng.below(2) == 0 { value } else { rng.below(contents) as Value };
                let asked = match rng.below(8) {
                    0 | 1 => Publish(contents as Value),
                    2 => Swap { expected: old(rng).max(1), new: contents as Value },
                    3 => Create(contents as Value),
                    4 => Remove,
                    _ => Read,
                };
                let call =
                    Call { client: client as u32, asked, began: moment, ended: u64::MAX, answer: Unknown };
                busy[client] = Some((calls.len(), false));
                calls.push(call);
            }
            None => {}
            Some((number, false)) => {
                let call = &mut calls[number];
                let candidates = [
                    Published,
                    Refused,
                    Removed(true),
                    Removed(false),
                    Found(value),
                    Found(contents as Value / 2),
                ];
                let honest = candidates
                    .into_iter()
                    .find(|answer| Call { answer: *answer, ..*call }.step(value).is_some());
                let honest = honest.expect("every call has an answer");
                value = Call { answer: honest, ..*call }.step(value).expect("it was chosen for that");
                call.answer = honest;
                if rng.below(100) < lies {
                    call.answer = candidates[rng.below(6) as usize];
                }
                busy[client] = Some((number, true));
            }
            Some((number, true)) => {
                let call = &mut calls[number];
                call.ended = moment;
                if rng.below(100) < losses {
                    call.answer = Unknown;
                }
                busy[client] = None;
            }
        }
    }
    calls
}

#[test]
fn it_agrees_with_trying_every_order() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..6_000 {
        let mut rng = Rng::seeded(seed);
        let lies = rng.below(2) * 25;
        let count = 2 + rng.below(6) as usize;
        let calls = history(&mut rng, count, 3, lies, 15);
        let expected = explains(&calls, NOTHING);
        assert_eq!(check(&calls).is_ok(), expected, "seed {seed}: {calls:#?}");
        *if expected { &mut good } else { &mut bad } += 1;
    }
    assert!(good > 500 && bad > 500, "both kinds were tried: {good} and {bad}");
}

#[test]
fn long_histories_of_many_clients_are_checked() {
    for (clients, count, losses) in [(2, 20_000, 0), (8, 20_000, 0), (5, 1_000, 1), (6, 300, 4)] {
        let mut rng = Rng::seeded(clients);
        let mut calls = history(&mut rng, count, clients, 0, losses);
        assert_eq!(check(&calls), Ok(()), "{clients} clients");
        // A late read sees again what was overwritten long ago.
        let early = calls.iter().find_map(|call| match call.answer {
            Found(value) if value != NOTHING => Some(value),
            Unknown | Published | Refused | Removed(_) | Found(_) => None,
        });
        let late =
            calls.iter_mut().rev().find(|call| matches!(call.answer, Found(_))).expect("somebody read");
        late.answer = Found(early.expect("somebody read something"));
        let stale = *late;
        assert_eq!(check(&calls).expect_err("it is stale").call, stale);
    }
}
