use super::*;

fn change(text: &str, change: OverrideChange) -> Op {
    let instance = InstanceKey::of(&instance(text));
    Op::Override { service: service("s"), instance, change, cause: cause(Reason::Operator) }
}

fn over(weight: Option<f64>, enabled: Option<bool>, pairs: &[(&str, &str)]) -> Override {
    let metadata = Metadata::new(pairs.iter().copied());
    Override { weight: weight.map(|weight| Weight::new(weight).unwrap()), enabled, status: None, metadata }
}

#[test]
fn an_override_is_laid_over_and_survives_registering_anew() {
    let mut world = World::new();
    let registered = || vec![with("10.0.0.1:80", &[("a", "1"), ("b", "2")])];
    world.ok(register(&connection(1), "s", registered()));
    world.ok(change("10.0.0.1:80", OverrideChange::Replace(over(Some(9.0), Some(false), &[("b", "x")]))));
    assert_eq!(world.told(), ["changed s 2 operator", "updated 10.0.0.1:80@DEFAULT in s 2: operator"]);
    assert_eq!(world.rows().len(), 1);
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT weight 9 disabled a=1 b=x"]);
    world.ok(deregister(&connection(1), "s"));
    world.ok(register(&connection(2), "s", registered()));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT weight 9 disabled a=1 b=x"]);
    // Another cluster is another instance.
    world.ok(register(&connection(2), "s", vec![instance("10.0.0.1:80@east")]));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@east"]);
}

#[test]
fn replace_merge_remove_and_clear() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![with("10.0.0.1:80", &[("a", "1")])]));
    world.ok(change("10.0.0.1:80", OverrideChange::Merge(over(Some(9.0), None, &[]))));
    world.ok(change("10.0.0.1:80", OverrideChange::Merge(over(None, None, &[("b", "2"), ("a", "x")]))));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT weight 9 a=x b=2"]);
    world.ok(change("10.0.0.1:80", OverrideChange::RemoveKeys(vec!["a".into(), "none".into()])));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT weight 9 a=1 b=2"]);
    world.ok(change("10.0.0.1:80", OverrideChange::Replace(over(None, None, &[("c", "3")]))));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT a=1 c=3"]);
    world.ok(change("10.0.0.1:80", OverrideChange::Clear));
    assert_eq!(world.rows()[0].value, None);
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT a=1"]);
    assert_eq!(world.ok(change("10.0.0.1:80", OverrideChange::Clear)), Outcome::Unchanged);
    assert_eq!(world.ok(change("10.0.0.1:80", OverrideChange::RemoveKeys(vec![]))), Outcome::Unchanged);
    assert!(world.effects.is_empty());
}

#[test]
fn the_instance_need_not_exist_and_is_then_an_orphan() {
    let mut world = World::new();
    world.ok(change("10.0.0.1:80", OverrideChange::Replace(over(Some(2.0), None, &[]))));
    assert!(world.told().is_empty());
    assert_eq!(world.registry.counts(), Counts::default());
    let orphan = (service("s"), InstanceKey::of(&instance("10.0.0.1:80")));
    assert_eq!(world.registry.orphaned_overrides(), [orphan]);
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT weight 2"]);
    assert_eq!(world.registry.orphaned_overrides(), []);
}

#[test]
fn merged_metadata_is_limited() {
    let mut world = World::with_limits(Limits { metadata_chars_max: 4, ..Limits::default() });
    let merge = |key: &str| change("10.0.0.1:80", OverrideChange::Merge(over(None, None, &[(key, "12")])));
    assert_eq!(world.registry.check(&merge("a")), Ok(()));
    world.ok(merge("a"));
    assert_eq!(world.registry.check(&merge("b")), Err(RegistryError::MetadataTooLarge { size: 6, max: 4 }));
}

#[test]
fn a_patch_keeps_what_it_does_not_give_and_replaces_metadata_as_a_whole() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![with("10.0.0.1:80", &[("a", "1")])]));
    world.ok(change("10.0.0.1:80", OverrideChange::Replace(over(Some(9.0), None, &[("b", "2")]))));
    let patch = |weight: Option<f64>, metadata: Option<&[(&str, &str)]>| OverrideChange::Patch {
        weight: weight.map(|weight| Weight::new(weight).unwrap()),
        enabled: None,
        metadata: metadata.map(|pairs| Metadata::new(pairs.iter().copied())),
    };
    world.ok(change("10.0.0.1:80", patch(Some(4.0), None)));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT weight 4 a=1 b=2"]);
    world.ok(change("10.0.0.1:80", patch(None, Some(&[("c", "3")]))));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT weight 4 a=1 c=3"]);
    world.ok(change("10.0.0.1:80", patch(None, Some(&[]))));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT weight 4 a=1"]);
}
