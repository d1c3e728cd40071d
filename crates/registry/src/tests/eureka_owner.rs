//! Which of several nodes tells Eureka peers of an instance, and how often.

use super::{ensemble::Ensemble, eureka::*, *};

fn owners(ensemble: &Ensemble) -> Vec<EurekaOwner> {
    let of =
        |member: &super::ensemble::Member| member.registry.eureka_owner(&EurekaBase::default(), "A", "i");
    ensemble.members.iter().map(|member| of(member).unwrap()).collect()
}

fn tellers(ensemble: &Ensemble) -> Vec<bool> {
    owners(ensemble).iter().map(|owner| owner.is_here && !owner.from_peer).collect()
}

fn told(ensemble: &Ensemble) -> Vec<usize> {
    ensemble.members.iter().map(|member| member.renewed).collect()
}

fn three() -> Ensemble {
    let mut ensemble = Ensemble::new(3);
    ensemble.members.iter_mut().for_each(|member| member.registry.tell_eureka_renewals());
    ensemble
}

#[test]
fn the_owner_alone_tells_of_beats_at_any_node() {
    let mut ensemble = three();
    ensemble.apply(1, eureka_register(declared("A", "i", 1))).unwrap();
    ensemble.converge();
    assert_eq!(tellers(&ensemble), [false, true, false]);
    for beat_at in [0, 2, 1] {
        ensemble.apply(beat_at, renewal("A", "i", Some(1), false)).unwrap();
        ensemble.pass(5_000);
    }
    assert_eq!(told(&ensemble), [0, 2, 0], "the one at the owner is told by the edge it came to");
}

#[test]
fn three_copies_from_a_peer_are_one_publication_and_nobody_tells_of_it() {
    let mut ensemble = three();
    for at in 0..3 {
        ensemble.apply(at, registration(declared("A", "i", 1), EurekaStatus::Unknown, true)).unwrap();
        ensemble.pass(250);
    }
    ensemble.converge();
    assert_eq!(tellers(&ensemble), [false; 3]);
    assert_eq!(owners(&ensemble).iter().filter(|owner| owner.is_here).count(), 1);
    for at in 0..3 {
        ensemble.apply(at, renewal("A", "i", Some(1), true)).unwrap();
    }
    ensemble.pass(1_000);
    assert_eq!(told(&ensemble), [0; 3]);
}

#[test]
fn a_client_that_leaves_the_peer_for_us_is_told_of_by_the_node_it_came_to() {
    let mut ensemble = three();
    ensemble.apply(0, registration(declared("A", "i", 1), EurekaStatus::Unknown, true)).unwrap();
    ensemble.converge();
    ensemble.apply(2, renewal("A", "i", Some(1), false)).unwrap();
    ensemble.converge();
    assert_eq!(tellers(&ensemble), [false, false, true]);
    ensemble.apply(2, renewal("A", "i", Some(1), false)).unwrap();
    ensemble.converge();
    assert_eq!(tellers(&ensemble), [false, false, true], "it moves once");
}

#[test]
fn each_node_knows_since_when_a_status_is_overridden() {
    let mut ensemble = three();
    ensemble.apply(0, registration(declared("A", "i", 1), EurekaStatus::Unknown, true)).unwrap();
    ensemble.converge();
    let since = |ensemble: &Ensemble| -> Vec<bool> {
        owners(ensemble).iter().map(|owner| owner.overridden.is_some()).collect()
    };
    assert_eq!(since(&ensemble), [false; 3]);
    let key = ensemble.members[1].registry.eureka_target(&EurekaBase::default(), "A", "i").unwrap();
    for (status, known) in [(Some(EurekaStatus::OutOfService), true), (None, false)] {
        for at in 0..3 {
            let change = OverrideChange::Status(StatusChange { status, ..StatusChange::default() });
            let (service, instance) = key.clone();
            ensemble
                .apply(at, Op::Override { service, instance, change, cause: cause(Reason::Operator) })
                .unwrap();
        }
        assert_eq!(since(&ensemble), [known; 3]);
    }
}
