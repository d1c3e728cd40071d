//! Behaviour of watches, one rule a test.

use super::*;
use crate::Policy;

const A: WatcherId = WatcherId(1);
const B: WatcherId = WatcherId(2);

type Subject = Watch<&'static str, &'static str>;

fn ms(at: u64) -> Monotonic {
    Monotonic(at)
}

fn rev(revision: u64) -> Revision {
    Revision(revision)
}

/// One watcher of `k`, whose first push (if its policy has one) is delivered and acknowledged.
fn settled(policy: Policy) -> Subject {
    let mut watch = Watch::new();
    watch.open(A, policy);
    assert_eq!(watch.watch(A, "k", "wants", rev(1)), Ok(Watched::First));
    if policy.push_on_watch {
        let first = watch.next(A, ms(0)).unwrap();
        assert!(!watch.acknowledge(A, first.push));
    }
    assert_eq!(watch.next(A, ms(0)), None);
    watch
}

fn changed(watch: &mut Subject, revision: u64) -> Vec<WatcherId> {
    let mut wake = Vec::new();
    watch.changed(&"k", rev(revision), &mut wake);
    wake
}

fn next(watch: &mut Subject, at: u64) -> Option<(u64, PushId, u32)> {
    watch.next(A, ms(at)).map(|delivery| (delivery.revision.0, delivery.push, delivery.attempt))
}

fn r(revision: u64) -> PushId {
    PushId::Revision(rev(revision))
}

#[test]
fn the_first_watch_is_followed_by_one_push_and_a_second_by_none() {
    let mut watch = Subject::new();
    watch.open(A, Policy::naming(10));
    assert_eq!(watch.watch(A, "k", "c1", rev(7)), Ok(Watched::First));
    let push = watch.next(A, ms(0)).unwrap();
    assert_eq!((push.interest, push.revision, push.push, push.attempt), ("c1", rev(7), r(7), 1));
    assert_eq!(watch.watch(A, "k", "c2", rev(7)), Ok(Watched::Again));
    assert_eq!(watch.next(A, ms(0)), None);
    watch.acknowledge(A, push.push);
    assert_eq!(changed(&mut watch, 8), [A]);
    assert_eq!(watch.next(A, ms(0)).unwrap().interest, "c2", "later pushes are as the last watch wants them");
}

#[test]
fn what_is_not_known_is_pushed_under_a_number() {
    let mut watch = Subject::new();
    watch.open(A, Policy::naming(10));
    watch.watch(A, "k", "", rev(0)).unwrap();
    watch.watch(A, "l", "", rev(0)).unwrap();
    let (first, second) = (watch.next(A, ms(0)).unwrap(), watch.next(A, ms(0)).unwrap());
    assert!(matches!((first.push, second.push), (PushId::Sequence(a), PushId::Sequence(b)) if a != b));
}

#[test]
fn unwatching_ends_pushes_and_watching_again_begins_anew() {
    let mut watch = settled(Policy::naming(10));
    assert_eq!(changed(&mut watch, 2), [A]);
    assert!(watch.unwatch(A, &"k"));
    assert!(!watch.unwatch(A, &"k"));
    assert_eq!(next(&mut watch, 0), None);
    assert!(changed(&mut watch, 3).is_empty());
    assert_eq!(watch.watch(A, "k", "", rev(3)), Ok(Watched::First));
    assert_eq!(next(&mut watch, 0), Some((3, r(3), 1)));
    assert_eq!(watch.key_count(), 1);
}

#[test]
fn a_change_wakes_at_once_and_only_once() {
    let mut watch = settled(Policy::naming(10));
    assert_eq!(changed(&mut watch, 2), [A]);
    assert!(changed(&mut watch, 3).is_empty(), "it was woken and has not asked yet");
    assert_eq!(next(&mut watch, 0), Some((3, r(3), 1)));
    assert_eq!(next(&mut watch, 0), None);
}

#[test]
fn old_and_known_revisions_are_suppressed() {
    let mut watch = settled(Policy::config(10));
    assert!(changed(&mut watch, 1).is_empty());
    assert_eq!(changed(&mut watch, 5), [A]);
    assert!(changed(&mut watch, 4).is_empty());
    assert_eq!(watch.next(A, ms(0)).unwrap().revision, rev(5));
    assert_eq!(watch.next(A, ms(0)), None);
}

#[test]
fn two_thousand_changes_to_a_slow_watcher_are_a_handful_of_pushes() {
    let mut watch = settled(Policy::naming(10));
    let mut pushed = Vec::new();
    for revision in 2..2_002 {
        changed(&mut watch, revision);
        // Its transport takes a message now and then, and it never acknowledges.
        if revision % 100 == 0 {
            pushed.extend(next(&mut watch, revision));
        }
        assert!(watch.outstanding(A, &"k") <= 2);
    }
    assert_eq!(pushed.len(), 2, "beyond two outstanding pushes changes coalesce");
    watch.acknowledge(A, pushed[1].1);
    assert_eq!(next(&mut watch, 2_002), Some((2_001, r(2_001), 1)), "the last is the newest");
    assert_eq!(watch.outstanding(A, &"k"), 1, "the acknowledgement of the newer push settled the older one");
    watch.acknowledge(A, r(2_001));
    assert_eq!((watch.next_deadline(), next(&mut watch, 9_999)), (None, None));
}

#[test]
fn a_missing_acknowledgement_does_not_delay_a_newer_state() {
    let mut watch = settled(Policy::naming(10));
    changed(&mut watch, 2);
    assert_eq!(next(&mut watch, 0), Some((2, r(2), 1)));
    assert_eq!(changed(&mut watch, 3), [A], "the second outstanding push");
    assert_eq!(next(&mut watch, 10), Some((3, r(3), 1)));
    assert!(changed(&mut watch, 4).is_empty(), "no third one");
    let expired = watch.expire(ms(5_000));
    assert_eq!(expired.wake, [A], "the first push is late: its place is free");
    assert_eq!(next(&mut watch, 5_000), Some((4, r(4), 1)), "the newest state, not the late push");
}

#[test]
fn naming_is_redelivered_after_five_and_one_seconds_without_end() {
    let mut watch = settled(Policy::naming(10));
    changed(&mut watch, 2);
    assert_eq!(next(&mut watch, 1_000), Some((2, r(2), 1)));
    for attempt in 2..70 {
        let sent_at = 1_000 + 6_000 * (attempt - 2);
        assert_eq!(watch.next_deadline(), Some(ms(sent_at + 5_000)));
        assert!(watch.expire(ms(sent_at + 5_000)).wake.is_empty());
        assert!(watch.expire(ms(sent_at + 5_999)).wake.is_empty());
        assert_eq!(watch.expire(ms(sent_at + 6_000)).wake, [A]);
        assert_eq!(next(&mut watch, sent_at + 6_000), Some((2, r(2), u32::try_from(attempt).unwrap())));
    }
    watch.acknowledge(A, r(2));
    assert_eq!(watch.next_deadline(), None);
}

#[test]
fn config_is_redelivered_later_each_time_and_given_up_after_fifty_tries() {
    let mut watch = settled(Policy::config(10));
    changed(&mut watch, 2);
    let (mut at, mut tries, mut given_up) = (0, Vec::new(), Vec::new());
    while let Some((_, _, attempt)) = next(&mut watch, at) {
        tries.push((at, attempt));
        while let Some(deadline) = watch.next_deadline() {
            at = deadline.0;
            let expired = watch.expire(deadline);
            given_up.extend(expired.given_up);
            if !expired.wake.is_empty() {
                break;
            }
        }
    }
    assert_eq!(
        tries[..5],
        [(0, 1), (5_000, 2), (12_000, 3), (21_000, 4), (32_000, 5)],
        "after 5, 7, 9, 11 s"
    );
    assert_eq!((tries.len(), given_up), (50, vec![(A, "k")]));
    assert_eq!(changed(&mut watch, 3), [A], "the watch stays");
}

#[test]
fn a_late_acknowledgement_counts_until_the_redelivery() {
    let mut watch = settled(Policy::naming(10));
    changed(&mut watch, 2);
    next(&mut watch, 0);
    watch.expire(ms(5_500));
    assert!(!watch.acknowledge(A, r(2)));
    assert!(watch.expire(ms(60_000)).wake.is_empty());
    // Also when the redelivery is due but was not asked for.
    changed(&mut watch, 3);
    next(&mut watch, 60_000);
    watch.expire(ms(65_000));
    assert_eq!(watch.expire(ms(66_000)).wake, [A]);
    watch.acknowledge(A, r(3));
    assert!(!watch.has_next(A));
}

#[test]
fn a_rejected_push_is_redelivered_after_its_pause() {
    let mut watch = settled(Policy::naming(10));
    changed(&mut watch, 2);
    next(&mut watch, 0);
    watch.reject(A, r(2), ms(100));
    assert!(watch.expire(ms(1_099)).wake.is_empty());
    assert_eq!(watch.expire(ms(1_100)).wake, [A]);
    assert_eq!(next(&mut watch, 1_100), Some((2, r(2), 2)));
}

#[test]
fn what_was_rendered_newer_is_not_pushed_again() {
    let mut watch = settled(Policy::naming(10));
    changed(&mut watch, 2);
    let delivery = watch.next(A, ms(0)).unwrap();
    assert_eq!(watch.rendered(A, &delivery, rev(4)), Some(r(4)));
    assert!(changed(&mut watch, 3).is_empty());
    assert!(changed(&mut watch, 4).is_empty());
    assert!(!watch.acknowledge(A, r(2)), "that id was never sent");
    assert_eq!(watch.outstanding(A, &"k"), 1);
    watch.acknowledge(A, r(4));
    assert_eq!(watch.outstanding(A, &"k"), 0);
    // The change may also come between the two calls.
    changed(&mut watch, 5);
    let delivery = watch.next(A, ms(0)).unwrap();
    assert_eq!(changed(&mut watch, 6), [A]);
    assert_eq!(watch.rendered(A, &delivery, rev(6)), Some(r(6)));
    assert!(!watch.has_next(A));
    watch.unwatch(A, &"k");
    assert_eq!(watch.rendered(A, &delivery, rev(6)), None, "nobody wants it any more");
}

#[test]
fn a_held_request_is_told_without_acknowledgement() {
    let mut watch = settled(Policy::long_poll(10));
    assert_eq!(changed(&mut watch, 2), [A]);
    assert_eq!(watch.next(A, ms(0)).unwrap().revision, rev(2));
    assert_eq!((watch.next(A, ms(0)), watch.next_deadline()), (None, None));
    assert_eq!(changed(&mut watch, 3), [A], "it waits on, if the change was not for it");
    assert!(watch.close(A));
    assert_eq!((watch.watcher_count(), watch.key_count()), (0, 0));
}

#[test]
fn a_datagram_is_repeated_once() {
    let mut watch = settled(Policy::datagram(10));
    changed(&mut watch, 2);
    assert_eq!(next(&mut watch, 0), Some((2, r(2), 1)));
    assert!(changed(&mut watch, 3).is_empty(), "one at a time");
    assert_eq!(watch.expire(ms(5_000)).wake, [A]);
    assert_eq!(next(&mut watch, 5_000), Some((3, r(3), 1)));
    watch.expire(ms(10_000));
    assert_eq!(watch.expire(ms(11_000)).wake, [A]);
    assert_eq!(next(&mut watch, 11_000), Some((3, r(3), 2)));
    let expired = watch.expire(ms(16_000));
    assert_eq!((expired.given_up, watch.next_deadline()), (vec![(A, "k")], None));
}

#[test]
fn watchers_and_their_keys_are_bounded() {
    let mut watch = Subject::new();
    assert_eq!(watch.watch(A, "k", "", rev(0)), Err(WatchError::UnknownWatcher));
    watch.open(A, Policy::config(2));
    watch.watch(A, "k", "", rev(0)).unwrap();
    watch.watch(A, "l", "", rev(0)).unwrap();
    assert_eq!(watch.watch(A, "m", "", rev(0)), Err(WatchError::TooManyKeys { max: 2 }));
    assert_eq!(watch.watch(A, "k", "again", rev(0)), Ok(Watched::Again));
    watch.unwatch(A, &"l");
    assert_eq!(watch.watch(A, "m", "", rev(0)), Ok(Watched::First));
}

#[test]
fn closing_a_watcher_leaves_the_others() {
    let mut watch = settled(Policy::naming(10));
    watch.open(B, Policy::config(10));
    watch.watch(B, "k", "b", rev(1)).unwrap();
    assert_eq!(changed(&mut watch, 2), [A, B]);
    next(&mut watch, 0);
    assert!(watch.close(A));
    assert!(!watch.close(A));
    assert_eq!(watch.next_deadline(), None, "its timers are gone");
    assert_eq!(watch.watchers_of(&"k").collect::<Vec<_>>(), [(B, &"b")]);
    assert!(watch.has_next(B));
    assert!(!watch.acknowledge(A, r(2)));
}

#[test]
fn ids_are_read_back_from_their_texts() {
    for id in [r(0), r(u64::MAX), PushId::Sequence(17)] {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    for text in ["", "r", "s", "x1", "r-1", "é1", "17"] {
        assert!(text.parse::<PushId>().is_err(), "{text}");
    }
}
