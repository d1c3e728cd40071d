//! History that comes from another server.

use super::*;
use crate::TakeOver;

fn past(op: HistoryOp, time: u64, text: &str) -> TakeOver {
    TakeOver {
        key: key("a"),
        op,
        time: Timestamp(time),
        author: author("carol"),
        gray: None,
        content: content(text),
        kind: ConfigType::Yaml,
        app_name: "shop".into(),
        tags: vec!["t".into()],
        details: Details { description: Some("d".into()), ..Details::default() },
        encrypted_data_key: "k".into(),
        published_by: author("bob"),
        bounds: bounds(),
    }
}

fn take(world: &mut World, past: TakeOver) -> Result<Outcome, ConfigError> {
    world.apply(Op::TakeOver(Box::new(past)))
}

fn entries(world: &World) -> Vec<HistoryRow> {
    let refs = world.configs.history(&key("a"));
    let row = |entry: HistoryRef| {
        let value = world.rows[&(Table::ConfigHistory, entry.row_key())].clone();
        HistoryRow::decode(&entry.row_key(), value).unwrap()
    };
    refs.map(row).collect()
}

#[test]
fn what_was_done_elsewhere_comes_before_what_is_done_here() {
    let mut world = World::default();
    assert_eq!(take(&mut world, past(HistoryOp::Insert, 5, "one")), Ok(Outcome::Done));
    assert_eq!(take(&mut world, past(HistoryOp::Update, 7, "one")), Ok(Outcome::Done));
    assert!(world.effects.is_empty(), "no client sees a history");
    assert!(world.configs.get(&key("a")).is_none() && world.configs.is_empty());
    world.publish(publication("a", "two")).unwrap();
    let shown = entries(&world);
    assert_eq!(shown.iter().map(|row| row.time.0).collect::<Vec<_>>(), [3_000, 7, 5], "newest first");
    let oldest = &shown[2];
    assert_eq!(
        (oldest.op, oldest.kind, oldest.app_name.as_str()),
        (HistoryOp::Insert, ConfigType::Yaml, "shop")
    );
    assert_eq!((&oldest.author, &oldest.published_by), (&author("carol"), &author("bob")));
    assert_eq!((oldest.taken_over, oldest.encrypted_data_key.as_str()), (Some(Timestamp(1_000)), "k"));
    let stored = world.rows[&(Table::ConfigContent, oldest.content.row_key())].clone();
    assert_eq!(crate::ContentKey::content_of(stored).unwrap(), "one");
    // The config is here now: what was before is settled.
    assert_eq!(take(&mut world, past(HistoryOp::Update, 9, "x")), Err(ConfigError::Exists));
    assert_eq!(entries(&world).len(), 3);
}

#[test]
fn its_age_counts_from_when_it_came() {
    let mut world = World::default();
    world.publish(publication("b", "x")).unwrap();
    take(&mut world, past(HistoryOp::Insert, 5, "one")).unwrap();
    let expire = |before| Op::ExpireHistory(ExpireHistory { before: Timestamp(before), entries_max: 10 });
    // Done at 5 elsewhere, but taken over at 2,000.
    assert_eq!(world.apply(expire(1_500)), Ok(Outcome::HistoryExpired { removed: 1, more: false }));
    assert_eq!(entries(&world).len(), 1);
    let mut loaded = Configs::new();
    for ((table, key), value) in &world.rows {
        if *table != Table::ConfigContent {
            loaded.load(*table, key, value.clone()).unwrap();
        }
    }
    assert_eq!(loaded.oldest_history(), Some(Timestamp(2_000)));
    assert_eq!(world.apply(expire(2_001)), Ok(Outcome::HistoryExpired { removed: 1, more: false }));
    let stays = |table: Table| world.rows.keys().filter(|(of, _)| *of == table).count();
    assert_eq!(
        (stays(Table::ConfigHistory), stays(Table::ConfigContent)),
        (0, 1),
        "its content goes with it"
    );
}
