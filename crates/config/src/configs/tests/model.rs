//! Random ops against a naive model, and the state against what is loaded from its rows.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const CAP: u32 = 4;

#[derive(Clone, Debug)]
enum Step {
    Publish { key: u8, gray: u8, text: u8, expect: Option<u8> },
    Remove { key: u8, gray: Option<u8> },
    Expire { age: u64, entries_max: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_u8, 0..4_u8, 0..5_u8, prop::option::weighted(0.2, 0..5_u8))
            .prop_map(|(key, gray, text, expect)| Step::Publish { key, gray, text, expect }),
        2 => (0..3_u8, prop::option::of(1..4_u8)).prop_map(|(key, gray)| Step::Remove { key, gray }),
        1 => (0..20_u64, 1..6_u32).prop_map(|(age, entries_max)| Step::Expire { age, entries_max }),
    ]
}

/// 0 is the formal version.
fn gray_of(number: u8) -> Option<Gray> {
    match number {
        0 => None,
        1 => beta("9.9.9.9"),
        2 => tag("t"),
        _ => Some(Gray::general("zone", "1.0.0", "zone=a", 1).unwrap()),
    }
}

fn name_of(number: u8) -> String {
    gray_of(number).map(|gray| gray.name.to_string()).unwrap_or_default()
}

fn text_of(number: u8) -> String {
    format!("content {number}")
}

fn client_of(number: u8) -> ClientLabels {
    match number {
        0 => ClientLabels::of_ip("1.1.1.1"),
        1 => ClientLabels::of_ip("9.9.9.9"),
        2 => with_tag("t"),
        _ => ClientLabels { others: vec![("zone".into(), "a".into())], ..ClientLabels::default() },
    }
}

/// Everything as plainly as can be: contents by (key, variant), and the whole history in order.
#[derive(Default)]
struct Naive {
    contents: BTreeMap<(u8, u8), String>,
    /// Time, key, letter, variant and content.
    history: Vec<(u64, u8, &'static str, u8, String)>,
}

impl Naive {
    fn record(&mut self, entry: (u64, u8, &'static str, u8, String)) {
        let key = entry.1;
        self.history.push(entry);
        while self.history.iter().filter(|(_, other, ..)| *other == key).count() > CAP as usize {
            let oldest = self.history.iter().position(|(_, other, ..)| *other == key).unwrap();
            self.history.remove(oldest);
        }
    }

    fn run(&mut self, step: &Step, time: u64) -> bool {
        match *step {
            Step::Publish { key, gray, text, expect } => {
                let old = self.contents.get(&(key, gray)).cloned();
                if let (Some(old), Some(expect)) = (&old, expect)
                    && *old != text_of(expect)
                {
                    // Done without a trace if it is there already.
                    return *old == text_of(text);
                }
                self.contents.insert((key, gray), text_of(text));
                let (letter, shown) = old.map_or_else(|| ("I", text_of(text)), |old| ("U", old));
                self.record((time, key, letter, gray, shown));
                true
            }
            Step::Remove { key, gray } => {
                let gone = match gray {
                    Some(gray) => vec![gray],
                    None => vec![0, 1, 2, 3],
                };
                let mut existed = false;
                for gray in gone {
                    if let Some(old) = self.contents.remove(&(key, gray)) {
                        self.record((time, key, "D", gray, old));
                        existed = true;
                    }
                }
                existed
            }
            Step::Expire { age, entries_max } => {
                let before = time.saturating_sub(age * 1_000);
                let old = self.history.iter().filter(|(time, ..)| *time < before).count();
                self.history.drain(..old.min(entries_max as usize));
                true
            }
        }
    }

    fn read(&self, key: u8, client: u8) -> Option<&String> {
        self.contents.get(&(key, client)).or_else(|| self.contents.get(&(key, 0)))
    }
}

fn op_of(step: &Step, time: u64) -> Op {
    let bounds = Bounds { history_entries_max: CAP, ..bounds() };
    match *step {
        Step::Publish { key, gray, text, expect } => Op::Publish(Box::new(Publish {
            gray: gray_of(gray),
            condition: expect.map_or(Condition::None, |text| {
                Condition::Md5(Md5::of(text_of(text).as_bytes()).to_string())
            }),
            bounds,
            ..publication(&key.to_string(), &text_of(text))
        })),
        Step::Remove { key, gray } => Op::Remove(Remove {
            key: super::key(&key.to_string()),
            target: gray.map_or(RemoveTarget::All, |gray| RemoveTarget::Gray(name_of(gray))),
            author: author("bob"),
            bounds,
        }),
        Step::Expire { age, entries_max } => Op::ExpireHistory(ExpireHistory {
            before: Timestamp(time.saturating_sub(age * 1_000)),
            entries_max,
        }),
    }
}

fn agree(world: &World, naive: &Naive) {
    for key in 0..3_u8 {
        let data_id = key.to_string();
        for client in 0..4 {
            let read = world.read(&data_id, &client_of(client));
            assert_eq!(read.as_ref(), naive.read(key, client), "key {key}, client {client}");
        }
        let history: Vec<_> = world
            .history(&data_id)
            .into_iter()
            .map(|row| {
                let gray = row.gray.as_ref().map(|gray| gray.name.to_string()).unwrap_or_default();
                (row.time.0, row.op.as_str(), gray, world.content(&row.content))
            })
            .collect();
        let expected: Vec<_> = naive
            .history
            .iter()
            .rev()
            .filter(|(_, other, ..)| *other == key)
            .map(|(time, _, letter, gray, text)| (*time, *letter, name_of(*gray), text.clone()))
            .collect();
        assert_eq!(sorted(history), sorted(expected));
    }
    let existing: BTreeSet<u8> = naive.contents.keys().map(|(key, _)| *key).collect();
    assert_eq!((world.configs.len(), world.stored(Table::Config)), (existing.len(), existing.len()));
    assert_eq!(world.configs.history_count(), naive.history.len());
}

/// The variants of one removal have no order that matters.
fn sorted(mut history: Vec<(u64, &'static str, String, String)>) -> Vec<(u64, &'static str, String, String)> {
    history.sort();
    history
}

/// Every content row is needed by a variant or a history row.
fn nothing_leaks(world: &World) {
    let mut needed = BTreeSet::new();
    for config in world.configs.iter() {
        let variants = config.formal().into_iter().chain(config.grays().map(|(.., variant)| variant));
        needed.extend(variants.map(|variant| config.content_of(variant).row_key()));
    }
    for key in 0..3_u8 {
        needed.extend(world.history(&key.to_string()).iter().map(|row| row.content.row_key()));
    }
    let contents = world.rows.keys().filter(|(table, _)| *table == Table::ConfigContent);
    assert_eq!(contents.map(|(_, key)| key.clone()).collect::<BTreeSet<_>>(), needed);
}

fn load_agrees(world: &World) {
    let reloaded = world.reloaded();
    assert!(reloaded.iter().eq(world.configs.iter()));
    assert_eq!(reloaded.by_age, world.configs.by_age);
    assert_eq!(reloaded.len(), world.configs.len());
    for (key, entry) in &world.configs.entries {
        assert!(reloaded.history(key).eq(world.configs.history(key)));
        let at = At { revision: Revision(0), time: Timestamp(0) };
        assert_eq!(reloaded.entries[key].revision(at), entry.revision(at), "revisions go on alike");
    }
    assert_eq!(reloaded.entries.len(), world.configs.entries.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_state_agrees_with_the_naive_model(steps in prop::collection::vec(step(), 1..80)) {
        let (mut world, mut naive) = (World::default(), Naive::default());
        for step in &steps {
            let time = (world.index + 1) * 1_000;
            let before: BTreeSet<u8> = naive.contents.keys().map(|(key, _)| *key).collect();
            let changed = naive.run(step, time);
            let outcome = world.apply(op_of(step, time));
            match outcome {
                Ok(Outcome::Removed { existed }) => prop_assert_eq!(existed, changed),
                Ok(_) => prop_assert!(changed),
                Err(error) => {
                    prop_assert!(!changed);
                    prop_assert_eq!(error, ConfigError::Conflict);
                    prop_assert!(world.effects.is_empty());
                }
            }
            agree(&world, &naive);
            let after: BTreeSet<u8> = naive.contents.keys().map(|(key, _)| *key).collect();
            let told = |wanted: fn(&Effect) -> bool| world.effects.iter().filter(|e| wanted(e)).count();
            prop_assert_eq!(told(|e| matches!(e, Effect::Appeared(_))), after.difference(&before).count());
            prop_assert_eq!(told(|e| matches!(e, Effect::Vanished(_))), before.difference(&after).count());
        }
        nothing_leaks(&world);
        load_agrees(&world);
    }
}
