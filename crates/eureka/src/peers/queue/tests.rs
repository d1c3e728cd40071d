use super::*;
use BatchAction::{Cancel, DeleteStatusOverride, Heartbeat, Register, StatusUpdate};

const KEEP: u64 = 30_000;

fn key(id: &str) -> Key {
    Key { app: "ORDER".into(), id: id.into() }
}

fn actions(tasks: &[Task]) -> Vec<(String, BatchAction)> {
    tasks.iter().map(|task| (task.key.id.to_string(), task.action)).collect()
}

/// What is sent after these came for one instance.
fn sent(offered: &[BatchAction]) -> Vec<BatchAction> {
    let mut queue = Queue::new(100);
    for action in offered {
        queue.offer(key("a"), *action, Monotonic(1), KEEP);
    }
    queue.take(Monotonic(2)).iter().map(|task| task.action).collect()
}

#[test]
fn a_newer_task_takes_the_place_of_an_older_one() {
    assert_eq!(sent(&[Heartbeat, Heartbeat]), [Heartbeat]);
    assert_eq!(sent(&[Register, Heartbeat]), [Register]);
    assert_eq!(sent(&[Heartbeat, Register]), [Register]);
    assert_eq!(sent(&[Register, StatusUpdate, Heartbeat]), [Register, StatusUpdate]);
    assert_eq!(sent(&[StatusUpdate, DeleteStatusOverride]), [DeleteStatusOverride]);
    assert_eq!(sent(&[DeleteStatusOverride, StatusUpdate]), [StatusUpdate]);
    assert_eq!(sent(&[Register, StatusUpdate, Heartbeat, Cancel]), [Cancel]);
}

#[test]
fn an_instance_that_comes_back_is_cancelled_first() {
    assert_eq!(sent(&[Register, Cancel, Register]), [Cancel, Register]);
    assert_eq!(sent(&[Cancel, Register, Cancel]), [Cancel]);
}

#[test]
fn the_order_is_that_of_coming() {
    let mut queue = Queue::new(100);
    for (id, action) in [("a", Register), ("b", Register), ("a", StatusUpdate), ("c", Heartbeat)] {
        queue.offer(key(id), action, Monotonic(1), KEEP);
    }
    let expected = [("a", Register), ("b", Register), ("a", StatusUpdate), ("c", Heartbeat)];
    assert_eq!(actions(&queue.take(Monotonic(1))), expected.map(|(id, action)| (id.to_owned(), action)));
    assert_eq!(queue.due(), Due::Never);
}

#[test]
fn heartbeats_wait_for_company_and_changes_do_not() {
    let mut queue = Queue::new(1_000);
    assert!(!queue.offer(key("a"), Heartbeat, Monotonic(100), KEEP));
    assert!(!queue.offer(key("a"), Heartbeat, Monotonic(400), KEEP));
    assert_eq!(queue.due(), Due::At(Monotonic(600)), "renewing again does not put it off");
    assert!(queue.offer(key("b"), Register, Monotonic(450), KEEP));
    assert_eq!(queue.due(), Due::Now);
    assert_eq!(queue.take(Monotonic(450)).len(), 2);
    let urgent: Vec<bool> = (0..BATCH_ITEMS_MAX)
        .map(|id| queue.offer(key(&id.to_string()), Heartbeat, Monotonic(500), KEEP))
        .collect();
    assert_eq!(urgent.iter().filter(|urgent| **urgent).count(), 1, "a full batch goes at once");
    assert_eq!(queue.due(), Due::Now);
}

#[test]
fn a_batch_has_its_limit() {
    let mut queue = Queue::new(1_000);
    for id in 0..BATCH_ITEMS_MAX + 3 {
        queue.offer(key(&id.to_string()), Register, Monotonic(1), KEEP);
    }
    assert_eq!(queue.take(Monotonic(1)).len(), BATCH_ITEMS_MAX);
    assert_eq!(queue.take(Monotonic(1)).len(), 3);
}

#[test]
fn what_expired_is_not_sent_and_only_a_lost_change_is_missed() {
    let mut queue = Queue::new(10);
    queue.offer(key("a"), Heartbeat, Monotonic(1), 10);
    assert!(queue.take(Monotonic(11)).is_empty());
    assert!(!queue.is_incomplete());
    queue.offer(key("a"), Cancel, Monotonic(1), 10);
    assert!(queue.take(Monotonic(11)).is_empty());
    assert!(queue.is_incomplete());
}

#[test]
fn a_full_queue_drops_its_oldest_task_and_knows_it() {
    let mut queue = Queue::new(2);
    for id in ["a", "b", "c"] {
        queue.offer(key(id), Register, Monotonic(1), KEEP);
    }
    assert_eq!((queue.dropped(), queue.is_incomplete()), (1, true));
    assert_eq!(queue.backlog(), (2, Some(Monotonic(1))));
    let ids: Vec<String> = actions(&queue.take(Monotonic(1))).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["b", "c"]);
}

#[test]
fn what_was_not_delivered_goes_first_unless_it_became_needless() {
    let mut queue = Queue::new(10);
    for (id, action) in [("a", Register), ("b", Register), ("c", Heartbeat), ("d", StatusUpdate)] {
        queue.offer(key(id), action, Monotonic(1), KEEP);
    }
    let taken = queue.take(Monotonic(1));
    queue.offer(key("b"), Cancel, Monotonic(2), KEEP);
    queue.offer(key("c"), Register, Monotonic(2), KEEP);
    queue.offer(key("a"), Heartbeat, Monotonic(2), KEEP);
    queue.put_back(taken);
    let expected = [("a", Register), ("d", StatusUpdate), ("b", Cancel), ("c", Register), ("a", Heartbeat)];
    assert_eq!((queue.cancelled(&key("b")), queue.cancelled(&key("c"))), (Some(Monotonic(2)), None));
    assert_eq!(actions(&queue.take(Monotonic(3))), expected.map(|(id, action)| (id.to_owned(), action)));
}

#[test]
fn what_is_withdrawn_is_not_sent() {
    let mut queue = Queue::new(10);
    for (id, action) in [("a", Register), ("a", StatusUpdate), ("b", Cancel)] {
        queue.offer(key(id), action, Monotonic(1), KEEP);
    }
    assert_eq!(queue.keys().count(), 2);
    queue.withdraw(&key("a"));
    assert_eq!(actions(&queue.take(Monotonic(1))), [("b".to_owned(), Cancel)]);
}

/// Against a model that keeps every task: what a peer holds after all batches is what it would hold had it got each task.
#[test]
fn leaving_tasks_out_changes_nothing_that_a_peer_ends_up_with() {
    let mut rng = muster_runtime::Rng::seeded(7);
    for _ in 0..2_000 {
        let mut queue = Queue::new(1_000);
        let (mut whole, mut short) = (Peer::default(), Peer::default());
        for at in 0..rng.below(12) {
            let action =
                [Register, Heartbeat, Cancel, StatusUpdate, DeleteStatusOverride][rng.below(5) as usize];
            // Only an instance that is registered is renewed, overridden or cancelled at our side.
            if action != Register && !whole.registered {
                continue;
            }
            whole.take(action);
            queue.offer(key("a"), action, Monotonic(at), KEEP);
            if rng.below(4) == 0 {
                let taken = queue.take(Monotonic(at));
                if rng.below(2) == 0 {
                    queue.put_back(taken);
                } else {
                    taken.iter().for_each(|task| short.take(task.action));
                }
            }
        }
        queue.take(Monotonic(20)).iter().for_each(|task| short.take(task.action));
        assert_eq!(short, whole);
    }
}

/// What a peer holds of one instance.
#[derive(Debug, Default, PartialEq)]
struct Peer {
    registered: bool,
    overridden: bool,
}

impl Peer {
    fn take(&mut self, action: BatchAction) {
        match action {
            Register => self.registered = true,
            Heartbeat => {}
            Cancel => *self = Self::default(),
            StatusUpdate => self.overridden = true,
            DeleteStatusOverride => self.overridden = false,
        }
    }
}
