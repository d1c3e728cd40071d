//! Quotas, numbers of configs and of history entries, and descriptions.

use super::*;
use crate::{Capacity, CapacityChange, CapacityOf, Describe, HistoryRow, QuotaDefaults, QuotaOf};

const QUOTA: QuotaDefaults =
    QuotaDefaults { configs_max: 4, group_configs_max: 2, namespace_configs_max: 1, content_bytes_max: 5 };

fn limited(namespace: &str, data_id: &str, text: &str) -> Publish {
    let mut publish = publication(data_id, text);
    publish.key = ConfigKey::new(
        Namespace::new(namespace).unwrap(),
        key(data_id).group().clone(),
        key(data_id).data_id().clone(),
    );
    publish.quota = Some(QUOTA);
    publish
}

fn group() -> CapacityOf {
    CapacityOf::Group(GroupName::new("G").unwrap())
}

fn set(configs_max: Option<u32>, content_bytes_max: Option<u32>) -> CapacityChange {
    CapacityChange { configs_max, content_bytes_max, ..CapacityChange::default() }
}

#[test]
fn a_full_group_takes_changes_and_no_new_config() {
    let mut world = World::default();
    world.publish(limited("public", "a", "1")).unwrap();
    world.publish(limited("public", "b", "1")).unwrap();
    let full = Err(ConfigError::QuotaReached { of: QuotaOf::Group, max: 2 });
    assert_eq!(world.publish(limited("public", "c", "1")), full);
    world.publish(limited("public", "a", "2")).unwrap();
    world.publish(Publish { gray: beta("1.1.1.1"), ..limited("public", "c", "too long") }).unwrap();
    assert_eq!(world.configs.capacity(&group()), (Capacity::default(), 2), "gray versions are not counted");
    assert_eq!(world.publish(limited("public", "c", "1")), full, "nor do they make room");
    world.publish(publication("c", "not limited")).unwrap();
    world.remove("a", RemoveTarget::All);
    world.remove("b", RemoveTarget::All);
    assert_eq!(world.configs.capacity(&group()).1, 1);
    world.publish(limited("public", "d", "1")).unwrap();
}

#[test]
fn what_was_set_goes_before_the_default() {
    let mut world = World::default();
    let dev = CapacityOf::Namespace(Namespace::new("dev").unwrap());
    world.publish(limited("dev", "a", "12345")).unwrap();
    assert_eq!(
        world.publish(limited("dev", "a", "123456")),
        Err(ConfigError::ContentOverQuota { max: 5 }),
        "a change may be too large, too"
    );
    let full = |max| Err(ConfigError::QuotaReached { of: QuotaOf::Namespace, max });
    assert_eq!(world.publish(limited("dev", "b", "1")), full(1));
    world.apply(Op::SetCapacity(dev.clone(), set(Some(2), Some(8)))).unwrap();
    world.apply(Op::SetCapacity(dev.clone(), set(None, Some(9)))).unwrap();
    world.publish(limited("dev", "b", "123456789")).unwrap();
    assert_eq!(world.publish(limited("dev", "c", "1")), full(2));
    world.apply(Op::SetCapacity(dev.clone(), set(Some(0), None))).unwrap();
    assert_eq!(world.publish(limited("dev", "c", "1")), full(1), "0 is the default again");
    let (capacity, used) = world.configs.capacity(&dev);
    assert_eq!((capacity.configs_max, capacity.content_bytes_max, used), (None, Some(9), 2));

    let again = world.reloaded();
    assert_eq!(again.capacity(&dev), (capacity, used));
}

#[test]
fn a_capacity_of_public_itself_holds_besides() {
    let mut world = World::default();
    let public = CapacityOf::Namespace(Namespace::default());
    world.publish(limited("public", "a", "1")).unwrap();
    world.apply(Op::SetCapacity(public, set(Some(1), None))).unwrap();
    let refused = world.publish(limited("public", "b", "1"));
    assert_eq!(refused, Err(ConfigError::QuotaReached { of: QuotaOf::Namespace, max: 1 }));
}

#[test]
fn everything_together_is_limited() {
    let mut world = World::default();
    for namespace in ["n1", "n2", "n3", "n4"] {
        world.publish(limited(namespace, "a", "1")).unwrap();
    }
    let refused = world.publish(limited("n5", "a", "1"));
    assert_eq!(refused, Err(ConfigError::QuotaReached { of: QuotaOf::Everything, max: 4 }));
}

#[test]
fn a_config_and_its_history_are_found_by_number() {
    let mut world = World::default();
    world.publish(publication("a", "1")).unwrap();
    let first = world.configs.get(&key("a")).unwrap().id();
    assert_eq!(world.configs.by_id(first).unwrap().key(), &key("a"));
    world.publish(Publish { gray: beta("1.1.1.1"), ..publication("a", "gray") }).unwrap();
    let last = world.configs.last_of(&key("a"), first).unwrap();
    assert_eq!((last.op, last.gray), (HistoryOp::Insert, None), "what was done to gray versions is left out");
    assert!(world.configs.has_history(last.revision));
    assert!(!world.configs.has_history(Revision(last.revision.0 + 1)));
    world.remove("a", RemoveTarget::All);
    assert_eq!(world.configs.by_id(first), None);
    assert_eq!(world.configs.last_of(&key("a"), first).unwrap().op, HistoryOp::Delete);
    world.publish(publication("a", "2")).unwrap();
    let second = world.configs.get(&key("a")).unwrap().id();
    assert_ne!(first, second, "a config that was removed is another one");
    assert_eq!(world.configs.last_of(&key("a"), second).unwrap().op, HistoryOp::Insert);
    let again = world.reloaded();
    for id in [first, second, 7] {
        assert_eq!(again.last_of(&key("a"), id), world.configs.last_of(&key("a"), id));
        assert_eq!(again.by_id(id), world.configs.by_id(id));
    }
}

#[test]
fn a_description_leaves_the_content_and_the_clients_alone() {
    let mut world = World::default();
    let describe = |description: &str, tags: Option<Vec<String>>| {
        Op::Describe(Describe {
            key: key("a"),
            description: Some(description.into()),
            tags,
            author: author("bob"),
            bounds: bounds(),
        })
    };
    assert_eq!(world.apply(describe("x", None)), Err(ConfigError::NotFound));
    world.publish(Publish { tags: Some(vec!["t1".into()]), ..publication("a", "1") }).unwrap();
    let md5 = world.configs.get(&key("a")).unwrap().formal().unwrap().md5;
    assert_eq!(world.apply(describe("x", None)), Ok(Outcome::Done));
    assert!(matches!(world.effects[..], [Effect::Changed { visible: false, .. }]), "{:?}", world.effects);
    world.apply(describe("y", Some(vec![]))).unwrap();
    let config = world.configs.get(&key("a")).unwrap();
    assert_eq!(config.details().description.as_deref(), Some("y"));
    assert_eq!((config.tags(), config.formal().unwrap().md5), (&[][..], md5));
    let newest = world.configs.history(&key("a")).next().unwrap();
    let row = &world.rows[&(Table::ConfigHistory, newest.row_key())];
    let stored = HistoryRow::decode(&newest.row_key(), row.clone()).unwrap();
    assert_eq!((stored.tags, stored.details.description.as_deref()), (vec!["t1".to_owned()], Some("x")));
    assert_eq!((stored.author.user.as_deref(), stored.op), (Some("bob"), HistoryOp::Update));
}

#[test]
fn new_ops_read_back() {
    let ops = [
        Op::SetCapacity(group(), set(Some(0), Some(7))),
        Op::Describe(Describe {
            key: key("a"),
            description: None,
            tags: Some(vec![]),
            author: author("bob"),
            bounds: bounds(),
        }),
        Op::Publish(Box::new(limited("dev", "a", "1"))),
    ];
    for op in ops {
        assert_eq!(Op::decode(op.encode()), Ok(op));
    }
    for result in [
        Ok(Outcome::Done),
        Err(ConfigError::NotFound),
        Err(ConfigError::QuotaReached { of: QuotaOf::Namespace, max: 7 }),
        Err(ConfigError::ContentOverQuota { max: 7 }),
    ] {
        assert_eq!(crate::decode_result(crate::encode_result(&result)), Ok(result));
    }
}

#[test]
fn a_long_search_goes_on_where_it_let_go() {
    let mut world = World::default();
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        world.publish(publication(name, "1")).unwrap();
    }
    world.publish(Publish { quota: None, ..limited("zone", "other", "1") }).unwrap();
    world.remove("c", RemoveTarget::All);
    for count in 1..7 {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let take = |key: &ConfigKey, _: &Arc<Config>| found.push(key.data_id().to_string());
            after = world.configs.some_of(&Namespace::default(), after.as_ref(), count, take);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, ["a", "b", "d", "e"], "by {count}");
    }
}
