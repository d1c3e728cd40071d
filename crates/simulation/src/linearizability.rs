//! Whether one order of all calls on a config explains every answer: each call takes effect at once, at some moment
//! between its beginning and its end.
//!
//! Wing and Gong's search in the just-in-time form of Lowe ("Testing for linearizability", 2017): calls are taken up in
//! the order of their beginnings and ends, and at the end of a call every way to have done it by then is followed. Three
//! observations keep it fast where answers are missing: a call that changes nothing is done as soon as it can be; a call
//! nobody answered is done only when something needs it; of two ways to the same value the one that used fewer of those
//! calls can do whatever the other one can.

use crate::history::{Answer, Asked, Call, NOTHING, Value};
use muster_model::{HashMap, HashSet};
use std::collections::VecDeque;

/// No order explains the answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no order explains {call:?}; before it the config may have had {values:?}")]
pub struct NotLinearizable {
    /// The first call, by its end, that can't be explained.
    pub call: Call,
    /// What the config may have had.
    pub values: Vec<Value>,
}

/// Checks the calls on one config, which did not exist before.
pub fn check(calls: &[Call]) -> Result<(), NotLinearizable> {
    let calls = needed(calls);
    let mut moments: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * calls.len());
    for (number, call) in (0..).zip(&calls) {
        moments.push((call.began, false, number));
        if !call.is_open() {
            moments.push((call.ended, true, number));
        }
    }
    moments.sort_unstable();
    let mut search = Search::new(&calls);
    for (_, is_end, number) in moments {
        if is_end {
            search.end(number)?;
        } else {
            search.begin(number);
        }
    }
    Ok(())
}

/// Leaves out what can't matter: unanswered calls that change nothing, or whose effect nobody may have seen.
fn needed(calls: &[Call]) -> Vec<Call> {
    let seen: HashSet<Value> = calls.iter().filter_map(observed).collect();
    let last_refusal =
        calls.iter().filter(|call| call.answer == Answer::Refused).map(|call| call.ended).max();
    let is_needed = |call: &&Call| {
        let unseen = |new| !seen.contains(&new) && last_refusal.is_none_or(|ended| ended < call.began);
        match call.asked {
            _ if !call.is_open() => true,
            Asked::Read => false,
            // Without it everything goes as well: its content was overwritten before anybody looked, and a creation or a
            // swap that followed needed no more than that there be something.
            Asked::Publish(new) | Asked::Swap { new, .. } => {
                !unseen(new) || calls.iter().any(needs_something)
            }
            Asked::Create(_) | Asked::Remove => true,
        }
    };
    calls.iter().filter(is_needed).copied().collect()
}

/// The content that an answer shows to have been there.
fn observed(call: &Call) -> Option<Value> {
    match (call.asked, call.answer) {
        (_, Answer::Found(value)) => Some(value),
        (Asked::Swap { expected, .. }, _) => Some(expected),
        (Asked::Publish(_) | Asked::Create(_) | Asked::Remove | Asked::Read, _) => None,
    }
}

/// Whether an answer shows that there was something, whatever it was.
fn needs_something(call: &Call) -> bool {
    call.answer == Answer::Removed(true)
}

/// What a config must have for a call to have the effect, or the answer, that it had or may have.
fn wants(call: &Call) -> impl Iterator<Item = Value> + use<> {
    let (one, other) = match (call.asked, call.answer) {
        (Asked::Read, Answer::Found(value)) => (Some(value), None),
        (Asked::Swap { expected, .. }, Answer::Published | Answer::Unknown) => {
            (Some(expected), Some(NOTHING))
        }
        (Asked::Create(_), Answer::Published | Answer::Unknown) | (Asked::Remove, Answer::Removed(false)) => {
            (Some(NOTHING), None)
        }
        _ => (None, None),
    };
    one.into_iter().chain(other)
}

/// What a config has after a call that changed it.
fn effect(call: &Call) -> Value {
    match call.asked {
        Asked::Publish(new) | Asked::Swap { new, .. } | Asked::Create(new) => new,
        Asked::Remove | Asked::Read => NOTHING,
    }
}

/// One way to have come here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Way {
    value: Value,
    /// The calls that are done and have not ended, sorted; those that will end.
    done: Vec<u32>,
    /// The same of those that will not.
    spent: Vec<u32>,
}

struct Search<'a> {
    calls: &'a [Call],
    /// The calls that have begun and not ended.
    open: Vec<u32>,
    ways: Vec<Way>,
    /// When each content was asked for or seen last.
    wanted_last: HashMap<Value, u64>,
}

impl<'a> Search<'a> {
    fn new(calls: &'a [Call]) -> Self {
        let start = Way { value: NOTHING, done: Vec::new(), spent: Vec::new() };
        let mut wanted_last: HashMap<Value, u64> = HashMap::default();
        for call in calls {
            let ended = if call.is_open() { u64::MAX } else { call.ended };
            for value in wants(call) {
                let last = wanted_last.entry(value).or_default();
                *last = ended.max(*last);
            }
        }
        Self { calls, open: Vec::new(), ways: vec![start], wanted_last }
    }

    fn begin(&mut self, number: u32) {
        self.open.push(number);
        let call = self.calls[number as usize];
        for way in &mut self.ways {
            if !call.is_open() && call.step(way.value) == Some(way.value) {
                insert(&mut way.done, number);
            }
        }
    }

    fn end(&mut self, number: u32) -> Result<(), NotLinearizable> {
        let mut after = Ways::default();
        let mut followed = Ways::default();
        let mut queue: VecDeque<Way> = VecDeque::new();
        for mut way in std::mem::take(&mut self.ways) {
            if remove(&mut way.done, number) {
                after.add(way);
            } else if followed.add(way.clone()) {
                queue.push_back(way);
            }
        }
        while let Some(way) = queue.pop_front() {
            if let Some(mut next) = self.follow(&way, number) {
                remove(&mut next.done, number);
                after.add(next);
            }
            for other in self.candidates(&way, number) {
                let next = self.follow(&way, other).filter(|next| next.value != way.value);
                let Some(mut next) = next else { continue };
                if remove(&mut next.done, number) {
                    // It changes nothing there, so it is done.
                    after.add(next);
                } else if followed.add(next.clone()) {
                    queue.push_back(next);
                }
            }
        }
        self.open.retain(|open| *open != number);
        self.ways = self.alike(after.into_ways(), self.calls[number as usize].ended);
        if self.ways.is_empty() {
            let mut values: Vec<Value> = followed.into_ways().into_iter().map(|way| way.value).collect();
            values.sort_unstable();
            values.dedup();
            return Err(NotLinearizable { call: self.calls[number as usize], values });
        }
        Ok(())
    }

    /// The open calls that it may help to do before the end of another one: all that will be answered, and of the others
    /// those whose effect some open call still asks for.
    fn candidates(&self, way: &Way, number: u32) -> Vec<u32> {
        let is_left =
            |open: &&u32| way.done.binary_search(open).is_err() && way.spent.binary_search(open).is_err();
        let open = || self.open.iter().filter(is_left).map(|open| &self.calls[*open as usize]);
        let needs_anything = open().any(|call| call.answer == Answer::Refused || needs_something(call));
        let mut wanted: HashSet<Value> = open().filter(|call| !call.is_open()).flat_map(wants).collect();
        loop {
            let before = wanted.len();
            let helpful =
                open().filter(|call| call.is_open() && (needs_anything || wanted.contains(&effect(call))));
            let more: Vec<Value> = helpful.flat_map(wants).collect();
            wanted.extend(more);
            if wanted.len() == before {
                break;
            }
        }
        let is_candidate = |open: &&u32| {
            let call = &self.calls[**open as usize];
            **open != number && (!call.is_open() || needs_anything || wanted.contains(&effect(call)))
        };
        self.open.iter().filter(is_left).filter(is_candidate).copied().collect()
    }

    /// Publications that were never answered and whose content nobody will ask for any more are all alike: ways that used
    /// as many of them become one.
    fn alike(&self, ways: Vec<Way>, now: u64) -> Vec<Way> {
        let is_over = |open: &u32| {
            let call = &self.calls[*open as usize];
            let last = self.wanted_last.get(&effect(call)).copied().unwrap_or_default();
            call.is_open() && matches!(call.asked, Asked::Publish(_)) && last <= now
        };
        let over: Vec<u32> = self.open.iter().copied().filter(is_over).collect();
        if over.len() < 2 {
            return ways;
        }
        let mut alike = Ways::default();
        for mut way in ways {
            let before = way.spent.len();
            way.spent.retain(|spent| !over.contains(spent));
            let used = before - way.spent.len();
            over[..used].iter().for_each(|one| insert(&mut way.spent, *one));
            alike.add(way);
        }
        alike.into_ways()
    }

    /// The way on which a call is done next, and whatever changes nothing then.
    fn follow(&self, way: &Way, number: u32) -> Option<Way> {
        if way.done.binary_search(&number).is_ok() || way.spent.binary_search(&number).is_ok() {
            return None;
        }
        let call = self.calls[number as usize];
        let mut next = Way { value: call.step(way.value)?, ..way.clone() };
        insert(if call.is_open() { &mut next.spent } else { &mut next.done }, number);
        for &other in &self.open {
            let call = self.calls[other as usize];
            if !call.is_open() && call.step(next.value) == Some(next.value) {
                insert(&mut next.done, other);
            }
        }
        Some(next)
    }
}

/// Ways, without those that can do no more than another one.
#[derive(Default)]
struct Ways(HashMap<(Value, Vec<u32>), Vec<Vec<u32>>>);

impl Ways {
    /// Whether it can do something that those before can't.
    fn add(&mut self, way: Way) -> bool {
        let same = self.0.entry((way.value, way.done)).or_default();
        if same.iter().any(|spent| is_within(spent, &way.spent)) {
            return false;
        }
        same.retain(|spent| !is_within(&way.spent, spent));
        same.push(way.spent);
        true
    }

    fn into_ways(self) -> Vec<Way> {
        let ways = self.0.into_iter().flat_map(|((value, done), all)| {
            all.into_iter().map(move |spent| Way { value, done: done.clone(), spent })
        });
        ways.collect()
    }
}

/// Whether a sorted list has nothing that another has not.
fn is_within(few: &[u32], many: &[u32]) -> bool {
    few.iter().all(|number| many.binary_search(number).is_ok())
}

fn insert(sorted: &mut Vec<u32>, number: u32) {
    if let Err(place) = sorted.binary_search(&number) {
        sorted.insert(place, number);
    }
}

fn remove(sorted: &mut Vec<u32>, number: u32) -> bool {
    sorted.binary_search(&number).map(|place| sorted.remove(place)).is_ok()
}

#[cfg(test)]
mod tests;
