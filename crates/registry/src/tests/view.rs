use super::*;

fn unhealthy(text: &str) -> Instance {
    Instance { healthy: false, ..instance(text) }
}

fn threshold(world: &mut World, value: f32) {
    let spec = ServiceSpec { protection: Threshold::new(value).unwrap(), ..spec(Kind::Ephemeral) };
    world.ok(Op::UpdateService { service: service("s"), spec });
}

fn selected(world: &World, clusters: &str, healthy_only: bool) -> (Vec<String>, bool) {
    let view = world.view("s");
    let selection = view.select(Filter { clusters, healthy_only, consumer: None });
    let shown = |host: &&ShownHost| {
        line(&Instance { healthy: selection.shows_healthy(host), ..Instance::clone(host) })
    };
    (selection.hosts.iter().map(shown).collect(), selection.protected)
}

#[test]
fn the_newest_publication_shows_and_the_next_one_when_it_goes() {
    let mut world = World::new();
    let same = |value| vec![with("10.0.0.1:80", &[("from", value)])];
    world.ok(register(&connection(1), "s", same("1")));
    world.ok(register(&connection(2), "s", same("2")));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT from=2"]);
    world.ok(register(&connection(1), "s", same("1 again")));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT from=1 again"]);
    world.ok(deregister(&connection(1), "s"));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT from=2"]);
    assert!(world.view("s").hosts[0].is_ephemeral());
}

#[test]
fn equal_twins_of_a_batch_show_once_and_differing_ones_each() {
    let mut world = World::new();
    let twins = ["1", "2", "1"].map(|n| with("10.0.0.1:80", &[("n", n)]));
    let mut batch = twins.to_vec();
    batch.push(instance("10.0.0.1:80@east"));
    world.ok(register(&connection(1), "s", batch));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT n=1", "10.0.0.1:80@DEFAULT n=2", "10.0.0.1:80@east"]);
    world.ok(register(&connection(2), "s", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT", "10.0.0.1:80@east"]);
}

#[test]
fn a_view_knows_whether_it_is_current() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    world.ok(register(&connection(1), "t", vec![instance("10.0.0.1:80")]));
    let view = world.view("s");
    world.ok(deregister(&connection(1), "t"));
    assert!(view.is_current());
    assert_eq!(view.revision, Revision(1));
    world.ok(deregister(&connection(1), "s"));
    assert!(!view.is_current());
    assert_eq!(view.hosts.len(), 1);
}

#[test]
fn clusters_are_filtered_by_name() {
    let mut world = World::new();
    let batch = ["10.0.0.1:80@A", "10.0.0.2:80@B", "10.0.0.3:80"].map(instance).to_vec();
    world.ok(register(&connection(1), "s", batch));
    let hosts = |clusters: &str| selected(&world, clusters, false).0;
    assert_eq!(hosts("").len(), 3);
    assert_eq!(hosts("A"), ["10.0.0.1:80@A"]);
    assert_eq!(hosts("A,"), ["10.0.0.1:80@A"]);
    assert_eq!(hosts("B,A"), ["10.0.0.1:80@A", "10.0.0.2:80@B"]);
    assert_eq!(hosts("a"), [""; 0]);
}

#[test]
fn disabled_hosts_are_not_selected() {
    let mut world = World::new();
    let batch = vec![Instance { enabled: false, ..instance("10.0.0.1:80") }, unhealthy("10.0.0.2:80")];
    world.ok(register(&connection(1), "s", batch));
    assert_eq!(world.shown("s").len(), 2);
    assert_eq!(selected(&world, "", false), (vec!["10.0.0.2:80@DEFAULT unhealthy".into()], false));
    assert_eq!(selected(&world, "", true), (vec![], false));
}

#[test]
fn protection_needs_stored_attributes_and_is_reached_at_the_threshold() {
    let mut world = World::new();
    let batch = vec![instance("10.0.0.1:80"), unhealthy("10.0.0.2:80"), unhealthy("10.0.0.3:80@B")];
    world.ok(register(&connection(1), "s", batch));
    assert!(!selected(&world, "B", false).1);
    threshold(&mut world, 0.0);
    assert!(world.told().is_empty(), "attributes are not pushed");
    assert_eq!(selected(&world, "B", false), (vec!["10.0.0.3:80@B".into()], true));
    assert!(!selected(&world, "", false).1);
    assert!(!selected(&world, "none", false).1);
    threshold(&mut world, 0.5);
    let all = ["10.0.0.3:80@B", "10.0.0.1:80@DEFAULT", "10.0.0.2:80@DEFAULT"].map(String::from);
    assert_eq!(selected(&world, "", false), (all.to_vec(), true));
    // With healthy ones only, the share is of what is left.
    assert_eq!(selected(&world, "", true), (vec!["10.0.0.1:80@DEFAULT".into()], false));
}

#[test]
fn a_threshold_is_a_share() {
    for bad in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
        assert_eq!(Threshold::new(bad), None);
    }
    assert_eq!(Threshold::new(1.0).unwrap().get(), 1.0);
}

#[test]
fn a_cleared_registry_uses_no_number_twice() {
    let mut world = World::new();
    let client = address("10.0.0.1:80", Kind::Persistent);
    world.ok(register(&client, "s", vec![instance("10.0.0.1:80")]));
    world.ok(register(&client, "s", vec![instance("10.0.0.1:80@b")]));
    let old = world.view("s");
    world.registry.clear_durable(world.now);
    assert!(!old.is_current());
    assert!(world.registry.parts(&service("s")).is_none());
    assert_eq!(world.registry.counts(), Counts::default());
    world.ok(register(&client, "s", vec![instance("10.0.0.1:80")]));
    let new = world.view("s");
    assert!(new.revision > old.revision && new.last_ref_time > old.last_ref_time);
}

#[test]
fn a_label_selector_shows_what_shares_the_labels_or_else_all() {
    let mut world = World::new();
    let of_zone = |address, zone| with(address, &[("zone", zone), ("rack", "1")]);
    let batch = vec![of_zone("10.0.0.1:80", "a"), of_zone("10.0.0.2:80", "b"), unhealthy("10.0.0.3:80")];
    world.ok(register(&connection(1), "s", batch));
    let chosen = |world: &World, labels: &[(&str, &str)], healthy_only| {
        let view = world.view("s");
        let consumer = Metadata::new(labels.iter().copied());
        let selection = view.select(Filter { clusters: "", healthy_only, consumer: Some(&consumer) });
        selection.hosts.iter().map(|host| host.host.to_string()).collect::<Vec<_>>()
    };
    let all = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    assert_eq!(chosen(&world, &[("zone", "a")], false), all, "the service has no selector");
    let expression = "CONSUMER.label.zone = PROVIDER.label.zone & CONSUMER.label.rack = PROVIDER.label.rack";
    let selector = Selector::Label(LabelSelector::parse(expression).unwrap());
    let spec = ServiceSpec { selector, protection: Threshold::new(0.4).unwrap(), ..spec(Kind::Ephemeral) };
    world.ok(Op::UpdateService { service: service("s"), spec });
    assert_eq!(chosen(&world, &[("zone", "b"), ("rack", "1")], false), ["10.0.0.2"]);
    assert_eq!(chosen(&world, &[("zone", "b"), ("rack", "2")], false), all, "no instance is alike");
    assert_eq!(chosen(&world, &[("zone", "b")], false), all, "a label is missing");
    assert_eq!(chosen(&world, &[], false), all);
    assert_eq!(chosen(&world, &[], true), all[..2]);
}
