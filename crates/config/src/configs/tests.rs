//! Behaviour of the state machine, one rule a test: state and effects.

mod capacity;
mod fields;
mod format;
mod model;
mod take_over;

use super::*;
use crate::{
    Author, Bounds, ClientLabels, Condition, Content, Details, ExpireHistory, Gray, GrayName, HistoryOp,
    HistoryRow, Op, Publish, Remove, RemoveTarget, Selection, Settings,
};
use muster_model::{ConfigType, DataId, GroupName, Limits, Md5};
use std::collections::BTreeMap;

fn key(data_id: &str) -> ConfigKey {
    ConfigKey::new(Namespace::default(), GroupName::new("G").unwrap(), DataId::new(data_id).unwrap())
}

fn author(user: &str) -> Author {
    Author { user: Some(user.into()), ip: "10.0.0.7".into() }
}

fn bounds() -> Bounds {
    Settings::default().bounds(&Limits::default())
}

fn content(text: &str) -> Content {
    Content::new(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn publication(data_id: &str, text: &str) -> Publish {
    Publish::new(key(data_id), content(text), author("alice"), bounds())
}

fn beta(ips: &str) -> Option<Gray> {
    Gray::beta(ips).unwrap()
}

fn tag(tag: &str) -> Option<Gray> {
    Some(Gray::tag(tag).unwrap())
}

fn with_tag(tag: &str) -> ClientLabels {
    ClientLabels { tag: Some(tag.into()), ..ClientLabels::of_ip("10.1.1.1") }
}

/// The state machine with the rows that its effects wrote, and a log that grows by one an op.
#[derive(Default)]
struct World {
    configs: Configs,
    rows: BTreeMap<(Table, Bytes), Bytes>,
    index: u64,
    /// Effects of the last op, without the rows.
    effects: Vec<Effect>,
}

impl World {
    fn apply(&mut self, op: Op) -> Result<Outcome, ConfigError> {
        self.index += 1;
        let at = At { revision: Revision(self.index * 10), time: Timestamp(1_000 * self.index) };
        let mut effects = Vec::new();
        // As the log carries it.
        let outcome = self.configs.apply(Op::decode(op.encode()).unwrap(), at, &mut effects);
        let result = crate::encode_result(&outcome);
        assert!(result.len() <= 16, "{result:?}");
        assert_eq!(crate::decode_result(result), Ok(outcome));
        self.effects.clear();
        for effect in effects {
            let Effect::Persist(Row { table, key, value }) = effect else {
                self.effects.push(effect);
                continue;
            };
            match value {
                Some(value) => self.rows.insert((table, key), value),
                None => self.rows.remove(&(table, key)),
            };
        }
        outcome
    }

    fn publish(&mut self, publish: Publish) -> Result<Outcome, ConfigError> {
        self.apply(Op::Publish(Box::new(publish)))
    }

    fn remove(&mut self, data_id: &str, target: RemoveTarget) -> bool {
        let remove = Remove { key: key(data_id), target, author: author("bob"), bounds: bounds() };
        match self.apply(Op::Remove(remove)) {
            Ok(Outcome::Removed { existed }) => existed,
            other => panic!("{other:?}"),
        }
    }

    fn select(&self, data_id: &str, client: &ClientLabels) -> Option<Selection> {
        self.configs.get(&key(data_id))?.select(client)
    }

    /// What a client reads.
    fn read(&self, data_id: &str, client: &ClientLabels) -> Option<String> {
        self.select(data_id, client).map(|selection| self.content(&selection.content))
    }

    fn read_formal(&self, data_id: &str) -> Option<String> {
        self.read(data_id, &ClientLabels::default())
    }

    fn content(&self, content: &crate::ContentKey) -> String {
        let value = self.rows.get(&(Table::ConfigContent, content.row_key())).expect("the content is stored");
        String::from_utf8(crate::ContentKey::content_of(value.clone()).unwrap().to_vec()).unwrap()
    }

    fn history(&self, data_id: &str) -> Vec<HistoryRow> {
        let refs = self.configs.history(&key(data_id));
        refs.map(|entry| {
            let row_key = entry.row_key();
            let value = self.rows.get(&(Table::ConfigHistory, row_key.clone())).expect("the row is stored");
            HistoryRow::decode(&row_key, value.clone()).unwrap()
        })
        .collect()
    }

    /// Op, content and author of each history entry, newest first.
    fn story(&self, data_id: &str) -> Vec<(&'static str, String, String)> {
        self.history(data_id)
            .into_iter()
            .map(|row| (row.op.as_str(), self.content(&row.content), row.author.user.unwrap_or_default()))
            .collect()
    }

    fn stored(&self, table: Table) -> usize {
        self.rows.keys().filter(|(other, _)| *other == table).count()
    }

    /// The state as it comes up from the rows.
    fn reloaded(&self) -> Configs {
        let mut configs = Configs::new();
        for ((table, key), value) in self.rows.iter().rev() {
            if *table != Table::ConfigContent {
                configs.load(*table, key, value.clone()).unwrap();
            }
        }
        configs
    }
}

fn published(revision: u64, created: bool) -> Result<Outcome, ConfigError> {
    Ok(Outcome::Published { revision: Revision(revision), created })
}

fn story(entries: &[(&'static str, &str, &str)]) -> Vec<(&'static str, String, String)> {
    entries.iter().map(|(op, content, user)| (*op, (*content).to_owned(), (*user).to_owned())).collect()
}

#[test]
fn a_config_is_created_changed_and_removed() {
    let mut world = World::default();
    assert_eq!(world.publish(publication("d", "one")), published(10, true));
    let touched = || vec![VariantName::Formal];
    let changed = |revision| Effect::Changed {
        key: key("d"),
        revision: Revision(revision),
        touched: touched(),
        visible: true,
    };
    assert_eq!(world.effects, [changed(10), Effect::Appeared(key("d"))]);
    assert_eq!(world.publish(publication("d", "two")), published(20, false));
    assert_eq!(world.effects, [changed(20)]);
    let config = world.configs.get(&key("d")).unwrap();
    assert_eq!(
        (config.id(), config.revision(), config.created()),
        (Config::ID_BASE + 10, Revision(20), Timestamp(1_000))
    );
    assert_eq!(config.formal().unwrap().modified, Timestamp(2_000));
    assert_eq!(world.read_formal("d").as_deref(), Some("two"));
    assert!(world.remove("d", RemoveTarget::All));
    assert_eq!(world.effects, [changed(30), Effect::Vanished(key("d"))]);
    assert_eq!((world.configs.len(), world.stored(Table::Config)), (0, 0));
    assert!(!world.remove("d", RemoveTarget::All), "what is gone is removed again without complaint");
    assert!(!world.remove("never", RemoveTarget::All));
    assert_eq!(world.effects, []);
}

#[test]
fn the_history_tells_who_did_what_with_which_content() {
    let mut world = World::default();
    world.publish(publication("d", "one")).unwrap();
    world.publish(Publish { author: author("bob"), ..publication("d", "two") }).unwrap();
    world.remove("d", RemoveTarget::All);
    let expected = story(&[("D", "two", "bob"), ("U", "one", "bob"), ("I", "one", "alice")]);
    assert_eq!(world.story("d"), expected);
    let rows = world.history("d");
    assert_eq!(rows[1].published_by, author("alice"), "who had published what was replaced");
    assert_eq!(rows[1].md5, Md5::of(b"one"));
    assert_eq!(world.configs.history_entry(&key("d"), rows[1].revision).unwrap().op, HistoryOp::Update);
    assert_eq!(world.stored(Table::ConfigContent), 2, "a content is stored once");
    world.publish(publication("d", "three")).unwrap();
    assert_eq!(world.story("d").len(), 4, "the history outlives the config");
}

#[test]
fn compare_and_set_is_decided_when_applied() {
    let mut world = World::default();
    let with = |condition: Condition, text: &str| Publish { condition, ..publication("d", text) };
    let md5 = |text: &str| Condition::Md5(Md5::of(text.as_bytes()).to_string());
    assert_eq!(world.publish(with(md5("anything"), "one")), published(10, true), "as in the original");
    assert_eq!(world.publish(with(md5("other"), "two")), Err(ConfigError::Conflict));
    assert_eq!(world.effects, []);
    assert_eq!(world.read_formal("d").as_deref(), Some("one"));
    assert_eq!(world.publish(with(Condition::Md5("0".into()), "two")), Err(ConfigError::Conflict));
    assert_eq!(world.publish(with(md5("one"), "two")), published(40, false));
    assert_eq!(world.publish(with(Condition::Absent, "three")), Err(ConfigError::Exists));
    // A gray publication compares with the gray version of its name.
    let gray = |condition, text: &str| Publish { gray: tag("blue"), condition, ..publication("d", text) };
    assert_eq!(world.publish(gray(md5("nothing there"), "b")), published(60, true));
    assert_eq!(world.publish(gray(md5("two"), "c")), Err(ConfigError::Conflict));
    assert_eq!(world.publish(gray(md5("b"), "c")), published(80, false));
    let racing = ["raced", "late"].map(|text| world.publish(with(md5("two"), text)).is_ok());
    assert_eq!(racing, [true, false], "one of two that expect the same wins");
    let before = world.rows.len();
    assert_eq!(world.publish(with(md5("two"), "raced")), published(90, false), "its answer got lost");
    assert_eq!((world.effects.len(), world.rows.len()), (0, before), "nothing was published again");
}

#[test]
fn a_refused_publication_leaves_no_trace() {
    let mut world = World::default();
    let none = Bounds { gray_versions_max: 0, ..bounds() };
    let refused = Publish { gray: tag("t"), bounds: none, ..publication("d", "x") };
    assert_eq!(world.publish(refused), Err(ConfigError::TooManyGrays { max: 0 }));
    assert_eq!((world.rows.len(), world.effects.len(), world.configs.entries.len()), (0, 0, 0));
}

#[test]
fn metadata_is_kept_or_cleared_as_in_the_original() {
    let mut world = World::default();
    let details =
        Details { description: Some("about".into()), schema: Some("{}".into()), ..Details::default() };
    let full = Publish {
        kind: ConfigType::Json,
        app_name: Some("shop".into()),
        tags: Some(Publish::tags_of("t1, t2,,t1")),
        details: details.clone(),
        encrypted_data_key: "cipher".into(),
        ..publication("d", "a")
    };
    world.publish(full).unwrap();
    let config = world.configs.get(&key("d")).unwrap();
    assert_eq!(
        (config.app_name(), config.tags(), config.details()),
        ("shop", &["t1".into(), "t2".into()][..], &details)
    );
    assert_eq!(world.select("d", &ClientLabels::default()).unwrap().encrypted_data_key, "cipher");
    world.publish(publication("d", "b")).unwrap();
    let config = world.configs.get(&key("d")).unwrap();
    assert_eq!((config.app_name(), config.tags().len()), ("shop", 2), "absent keeps these");
    assert!(config.details().is_empty(), "and clears those");
    assert_eq!(config.formal().unwrap().kind, ConfigType::Text);
    let empty = Publish { app_name: Some(String::new()), tags: Some(Vec::new()), ..publication("d", "c") };
    world.publish(empty).unwrap();
    let config = world.configs.get(&key("d")).unwrap();
    assert_eq!((config.app_name(), config.tags().len()), ("", 0));
    assert_eq!(config.created_by(), &author("alice"));
}

#[test]
fn a_publication_that_shows_nothing_new_tells_nobody() {
    let mut world = World::default();
    let visible = |world: &World| {
        let Effect::Changed { visible, .. } = &world.effects[0] else { panic!("no change") };
        *visible
    };
    world.publish(publication("d", "same")).unwrap();
    let again = Publish { app_name: Some("other".into()), ..publication("d", "same") };
    world.publish(again).unwrap();
    assert!(!visible(&world));
    assert_eq!(world.story("d").len(), 2, "it is in the history all the same");
    world.publish(Publish { kind: ConfigType::Yaml, ..publication("d", "same") }).unwrap();
    assert!(visible(&world), "another type");
    world.publish(Publish { gray: beta("1.1.1.1"), ..publication("d", "same") }).unwrap();
    assert!(visible(&world));
    world.publish(Publish { gray: beta("2.2.2.2"), ..publication("d", "same") }).unwrap();
    assert!(visible(&world), "another rule");
}

#[test]
fn beta_is_seen_by_its_addresses() {
    let mut world = World::default();
    let read = |world: &World, ip: &str| world.read("d", &ClientLabels::of_ip(ip));
    world.publish(publication("d", "formal")).unwrap();
    world.publish(Publish { gray: beta("10.1.1.2, 10.9.9.9"), ..publication("d", "beta") }).unwrap();
    assert_eq!(read(&world, "10.1.1.2").as_deref(), Some("beta"));
    assert_eq!(read(&world, "10.9.9.9").as_deref(), Some("beta"));
    assert_eq!(read(&world, "10.1.1.3").as_deref(), Some("formal"));
    assert!(world.select("d", &ClientLabels::of_ip("10.1.1.2")).unwrap().is_beta());
    world.publish(publication("d", "formal 2")).unwrap();
    assert_eq!(
        read(&world, "10.1.1.2").as_deref(),
        Some("beta"),
        "the formal version changes for the others"
    );
    world.publish(Publish { gray: beta("10.0.0.3"), ..publication("d", "beta 2") }).unwrap();
    assert_eq!(read(&world, "10.1.1.2").as_deref(), Some("formal 2"), "another list replaces the first");
    assert!(world.remove("d", RemoveTarget::Gray("beta".into())));
    assert_eq!(read(&world, "10.0.0.3").as_deref(), Some("formal 2"));
    assert!(!world.remove("d", RemoveTarget::Gray("beta".into())));
    assert_eq!(Gray::beta(" , ").unwrap(), None, "no address at all: a formal publication is meant");
}

#[test]
fn a_gray_version_may_be_alone() {
    let mut world = World::default();
    let alone = Publish { gray: beta("10.1.1.2"), kind: ConfigType::Json, ..publication("d", "beta") };
    world.publish(alone).unwrap();
    assert_eq!(world.effects.last(), Some(&Effect::Appeared(key("d"))));
    assert_eq!(world.read_formal("d"), None);
    let labels = ClientLabels::of_ip("10.1.1.2");
    assert_eq!(world.select("d", &labels).unwrap().kind, ConfigType::Json);
    world.publish(publication("d", "formal")).unwrap();
    assert_eq!(
        world.select("d", &labels).unwrap().kind,
        ConfigType::Text,
        "the formal version's type is shown"
    );
    world.remove("d", RemoveTarget::All);
    assert_eq!(world.select("d", &labels), None, "the gray version went with the formal one");
    let deleted: Vec<_> = world.history("d").into_iter().filter(|row| row.op == HistoryOp::Delete).collect();
    assert_eq!(deleted.len(), 2, "and both are in the history");
    assert_ne!(deleted[0].revision, deleted[1].revision);
}

#[test]
fn tags_are_seen_by_label_and_by_request() {
    let mut world = World::default();
    world.publish(publication("d", "formal")).unwrap();
    world.publish(Publish { gray: tag("green"), ..publication("d", "green") }).unwrap();
    assert_eq!(world.read("d", &with_tag("green")).as_deref(), Some("green"));
    assert_eq!(world.read("d", &with_tag("blue")).as_deref(), Some("formal"));
    assert_eq!(world.read_formal("d").as_deref(), Some("formal"));
    let config = world.configs.get(&key("d")).unwrap();
    assert_eq!(config.select_tag("green").unwrap().tag(), Some("green"));
    assert_eq!(config.select_tag("blue"), None, "who asks for a tag gets that or nothing");
    assert!(world.remove("d", RemoveTarget::Gray("green".into())), "by the bare tag");
    assert_eq!(world.read("d", &with_tag("green")).as_deref(), Some("formal"));
    world.publish(Publish { gray: tag("green"), ..publication("d", "green") }).unwrap();
    assert!(world.remove("d", RemoveTarget::Gray("tag_green".into())), "by the name of the gray version");
}

#[test]
fn the_highest_priority_that_matches_wins() {
    let mut world = World::default();
    let general =
        |name: &str, rule: &str, priority| Some(Gray::general(name, "1.0.0", rule, priority).unwrap());
    world.publish(publication("d", "formal")).unwrap();
    world.publish(Publish { gray: general("low", "zone=a,b", 1), ..publication("d", "low") }).unwrap();
    let high = general("high", "zone=a & Vipserver-Tag=t", 2);
    world.publish(Publish { gray: high, ..publication("d", "high") }).unwrap();
    world.publish(Publish { gray: tag("t2"), ..publication("d", "tagged") }).unwrap();
    world.publish(Publish { gray: beta("9.9.9.9"), ..publication("d", "beta") }).unwrap();
    let client = |ip: &str, tag: &str, zone: &str| ClientLabels {
        ip: ip.into(),
        tag: Some(tag.into()),
        others: vec![("zone".into(), zone.into())],
    };
    let read = |ip: &str, tag: &str, zone: &str| world.read("d", &client(ip, tag, zone)).unwrap();
    assert_eq!(read("1.1.1.1", "", "b"), "low");
    assert_eq!(read("1.1.1.1", "t", "a"), "high");
    assert_eq!(read("1.1.1.1", "t", "b"), "low", "every label must be met");
    assert_eq!(read("1.1.1.1", "t2", "a"), "tagged");
    assert_eq!(read("9.9.9.9", "t2", "a"), "beta");
    assert_eq!(read("1.1.1.1", "", "c"), "formal");
    let names: Vec<_> =
        world.configs.get(&key("d")).unwrap().grays().map(|(name, ..)| name.to_string()).collect();
    assert_eq!(names, ["beta", "tag_t2", "high", "low"]);
}

#[test]
fn a_config_has_at_most_ten_gray_versions() {
    let mut world = World::default();
    for number in 0..10 {
        world.publish(Publish { gray: tag(&format!("t{number}")), ..publication("d", "x") }).unwrap();
    }
    let eleventh = Publish { gray: tag("t10"), ..publication("d", "x") };
    assert_eq!(world.publish(eleventh.clone()), Err(ConfigError::TooManyGrays { max: 10 }));
    world.publish(Publish { gray: tag("t3"), ..publication("d", "y") }).unwrap();
    world.publish(publication("d", "formal")).unwrap();
    world.remove("d", RemoveTarget::Gray("t0".into()));
    world.publish(eleventh).unwrap();
}

#[test]
fn the_history_of_a_config_is_capped_and_contents_go_with_it() {
    let mut world = World::default();
    let capped = Bounds { history_entries_max: 3, ..bounds() };
    for number in 0..10 {
        world.publish(Publish { bounds: capped, ..publication("d", &format!("c{number}")) }).unwrap();
    }
    let expected = story(&[("U", "c8", "alice"), ("U", "c7", "alice"), ("U", "c6", "alice")]);
    assert_eq!(world.story("d"), expected);
    assert_eq!(world.configs.history_count(), 3);
    assert_eq!(world.stored(Table::ConfigHistory), 3);
    assert_eq!(world.stored(Table::ConfigContent), 4, "three of the history and the current one");
}

#[test]
fn removing_several_variants_keeps_the_contents_their_entries_have() {
    let mut world = World::default();
    let capped = Bounds { history_entries_max: 3, ..bounds() };
    world.publish(publication("d", "formal")).unwrap();
    world.publish(Publish { gray: tag("t"), ..publication("d", "tagged") }).unwrap();
    let remove = Remove { key: key("d"), target: RemoveTarget::All, author: author("bob"), bounds: capped };
    world.apply(Op::Remove(remove)).unwrap();
    let expected = story(&[("D", "tagged", "bob"), ("D", "formal", "bob"), ("I", "tagged", "alice")]);
    assert_eq!(world.story("d"), expected);
}

#[test]
fn old_history_expires_by_an_op() {
    let mut world = World::default();
    world.publish(publication("kept", "one")).unwrap();
    world.publish(publication("gone", "two")).unwrap();
    world.remove("gone", RemoveTarget::All);
    assert_eq!(world.configs.oldest_history(), Some(Timestamp(1_000)));
    let settings = Settings { history_retention_ms: 500, ..Settings::default() };
    let expire = ExpireHistory::at(Timestamp(3_500), &settings);
    assert_eq!(expire.before, Timestamp(3_000));
    let outcome = world.apply(Op::ExpireHistory(ExpireHistory { entries_max: 1, ..expire }));
    assert_eq!(outcome, Ok(Outcome::HistoryExpired { removed: 1, more: true }));
    let outcome = world.apply(Op::ExpireHistory(expire));
    assert_eq!(
        outcome,
        Ok(Outcome::HistoryExpired { removed: 1, more: false }),
        "the removal is not older yet"
    );
    assert_eq!(world.read_formal("kept").as_deref(), Some("one"), "a content in use stays");
    assert_eq!(world.story("gone").len(), 1);
    world.apply(Op::ExpireHistory(ExpireHistory { before: Timestamp(3_001), entries_max: 9 })).unwrap();
    assert_eq!((world.stored(Table::ConfigHistory), world.stored(Table::ConfigContent)), (0, 1));
    assert_eq!((world.configs.oldest_history(), world.configs.entries.len()), (None, 1));
}

#[test]
fn a_history_entry_can_be_rolled_back_to() {
    let mut world = World::default();
    let described = Publish {
        kind: ConfigType::Yaml,
        app_name: Some("shop".into()),
        details: Details { description: Some("first".into()), ..Details::default() },
        encrypted_data_key: "k".into(),
        ..publication("d", "one")
    };
    world.publish(described.clone()).unwrap();
    world.publish(Publish { app_name: Some("other".into()), ..publication("d", "two") }).unwrap();
    world.remove("d", RemoveTarget::All);
    let update = world.history("d").swap_remove(1);
    let old = Bytes::from(world.content(&update.content));
    world.publish(update.rollback(old, author("carol"), bounds())).unwrap();
    assert_eq!(world.read_formal("d").as_deref(), Some("one"));
    let config = world.configs.get(&key("d")).unwrap();
    assert_eq!((config.app_name(), config.details()), ("shop", &described.details));
    let formal = config.formal().unwrap();
    assert_eq!((formal.kind, formal.encrypted_data_key.as_str()), (ConfigType::Yaml, "k"));
    assert_eq!(formal.author, author("carol"));
}

#[test]
fn revisions_grow_even_if_the_log_index_does_not() {
    let mut configs = Configs::new();
    let at = At { revision: Revision(5), time: Timestamp(1) };
    let mut effects = Vec::new();
    for expected in 5..8 {
        let outcome = configs.apply(Op::Publish(Box::new(publication("d", "x"))), at, &mut effects);
        assert_eq!(outcome, published(expected, expected == 5));
    }
}

#[test]
fn configs_are_listed_in_order_by_namespace() {
    let mut world = World::default();
    let in_namespace = |namespace: &str, group: &str, data_id: &str| {
        let names = (
            Namespace::new(namespace).unwrap(),
            GroupName::new(group).unwrap(),
            DataId::new(data_id).unwrap(),
        );
        let key = ConfigKey::new(names.0, names.1, names.2);
        Publish { key, ..publication("x", "x") }
    };
    for (namespace, group, data_id) in
        [("dev", "b", "x"), ("public", "G", "d"), ("dev", "a", "z"), ("dev", "a", "-"), ("dev-2", "-", "-")]
    {
        world.publish(in_namespace(namespace, group, data_id)).unwrap();
    }
    let namespace = Namespace::new("dev").unwrap();
    let listed: Vec<_> =
        world.configs.in_namespace(&namespace).map(|config| config.key().to_string()).collect();
    assert_eq!(listed, ["dev/a/-", "dev/a/z", "dev/b/x"]);
    assert_eq!(world.configs.count_in(&Namespace::default()), 1);
    assert_eq!(world.configs.iter().count(), 5);
}

#[test]
fn damaged_and_newer_rows_are_refused() {
    let mut world = World::default();
    world.publish(Publish { gray: tag("t"), ..publication("d", "one") }).unwrap();
    for ((table, key), value) in &world.rows {
        let mut newer = value.to_vec();
        newer[0] = 2;
        let (newer, empty) = (Bytes::from(newer), Bytes::new());
        if *table == Table::ConfigContent {
            let read = crate::ContentKey::content_of(newer);
            assert!(matches!(read, Err(LoadError::NewerVersion { version: 2, newest: 1, .. })));
            assert!(Configs::new().load(*table, key, value.clone()).is_err());
            continue;
        }
        let refused = Configs::new().load(*table, key, newer);
        assert!(matches!(refused, Err(LoadError::NewerVersion { version: 2, newest: 1, .. })));
        assert!(matches!(Configs::new().load(*table, key, empty), Err(LoadError::Damaged { .. })));
        let cut = value.slice(..value.len() - 1);
        assert!(matches!(Configs::new().load(*table, key, cut), Err(LoadError::Damaged { .. })));
        assert!(matches!(Configs::new().load(*table, b"x", value.clone()), Err(LoadError::Damaged { .. })));
    }
    assert_eq!(GrayName::new("tag_t").unwrap().tag(), Some("t"));
}

#[test]
fn ids_are_unique_after_a_removal_of_many_versions() {
    let mut configs = Configs::new();
    let mut apply = |op: Op, revision: u64| {
        let at = At { revision: Revision(revision), time: Timestamp(revision) };
        configs.apply(op, at, &mut Vec::new()).unwrap();
    };
    let publish = |publish: Publish| Op::Publish(Box::new(publish));
    apply(publish(publication("a", "formal")), 1);
    apply(publish(Publish { gray: beta("10.0.0.1"), ..publication("a", "beta") }), 2);
    let target = RemoveTarget::All;
    apply(Op::Remove(Remove { key: key("a"), target, author: author("bob"), bounds: bounds() }), 3);
    apply(publish(publication("a", "again")), 4);
    apply(publish(publication("b", "other")), 5);
    let id = |data_id| configs.get(&key(data_id)).unwrap().id();
    assert_ne!(id("a"), id("b"));
}
