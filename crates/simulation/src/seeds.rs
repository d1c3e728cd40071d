//! Seeds that found a fault once, each with what was wrong. What could be shown in a smaller way has a test there, too.

use crate::{Trace, run};
use parking_lot::Mutex;

/// One run at a time: the numbers of tasks and the seed of hash maps belong to the process.
static TURN: Mutex<()> = Mutex::new(());

fn keeps_its_promises(seed: u64) {
    let turn = TURN.lock();
    let outcome = run(seed, &Trace::default());
    drop(turn);
    assert_eq!(outcome.breaches, [], "seed {seed}");
}

/// After a loss of power everywhere one machine came back empty. The others had put back what it owned, and did not tell it,
/// because none of them owned that.
#[test]
fn an_empty_machine_is_told_what_nobody_has_adopted_yet() {
    [67, 489, 544, 939].into_iter().for_each(keeps_its_promises);
}

/// A client had connected to another node, and a third one told of the end of the first connection before that node told of
/// the second.
#[test]
fn what_was_replaced_is_not_removed_before_its_replacement_is_told() {
    keeps_its_promises(121);
}

/// Two nodes had heard a client where they did not hear each other; each gave it up to the other.
#[test]
fn what_two_kept_on_apart_is_not_given_up_by_both() {
    [160, 825].into_iter().for_each(keeps_its_promises);
}

/// One had died and was back; that it had nothing was taken for all that its earlier life had owned.
#[test]
fn what_an_earlier_life_owned_is_not_told_by_the_next_one() {
    keeps_its_promises(742);
}

/// An orphan that was put back confirmed others of its address, as a registration would.
#[test]
fn mirrors_agree_after_orphans_are_put_back() {
    keeps_its_promises(546);
}

/// What subscribers were told at the end was held against what was shown long before; and a node that operators are
/// removing was held to show the same as the others.
#[test]
fn what_is_compared_is_of_one_moment() {
    [304, 370, 656, 810].into_iter().for_each(keeps_its_promises);
}

/// A machine joined while its disk was full: it must not act before it could note who it is.
#[test]
fn a_node_that_can_not_note_who_it_is_does_not_start() {
    keeps_its_promises(741);
}

/// A node that had been cut off had adopted an earlier registration; the later one fell to it, and it did not have that.
#[test]
fn a_later_registration_outlives_its_owner() {
    keeps_its_promises(1_926);
}

/// Entries were answered by what a heartbeat had come to that was given up just before.
#[test]
fn a_heartbeat_does_not_answer_for_entries() {
    keeps_its_promises(1_437);
}

/// A node died and was removed from the ensemble while another one started, which did not wait then for who was to adopt what
/// it had owned.
#[test]
fn what_a_removed_node_owned_is_waited_for() {
    keeps_its_promises(123);
}
