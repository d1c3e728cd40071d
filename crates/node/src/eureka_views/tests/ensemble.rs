//! A client that asks another node each time has what that node lists, as soon as the nodes know the same.

use super::*;
use muster_model::{Epoch, EurekaTimes, Origin};
use muster_registry::MirrorChanges;

const NODES: usize = 3;

/// Nodes that tell each other what they own when the schedule lets them, and take what is durable from one log.
struct Nodes {
    worlds: Vec<World>,
    log: Vec<Op>,
    applied: [usize; NODES],
}

#[derive(Clone, Debug)]
enum Move {
    /// Something is asked of a node.
    Ask(usize, Step),
    /// A node hears what another has to tell.
    Hear(usize, usize),
    /// A node takes in what is in the log.
    Apply(usize),
    /// All know the same.
    Settle,
    /// A client asks a node for what changed.
    Poll(usize, usize),
}

fn origin(node: usize) -> Origin {
    Origin { node: NodeId(node as u64 + 1), epoch: Epoch { boot: 1, random: 7 } }
}

impl Nodes {
    fn new() -> Self {
        let mut worlds: Vec<World> = (0..NODES).map(|_| World::new()).collect();
        for (node, world) in worlds.iter_mut().enumerate() {
            // No two clocks are the same.
            world.now.mono = world.now.mono.plus(77_000 * node as u64);
            world.now.wall.0 += 313 * node as u64;
            world.proposed = Some(Vec::new());
            world.registry.lock().set_identity(origin(node));
        }
        for (hears, world) in worlds.iter().enumerate() {
            let mut registry = world.registry.lock();
            for speaks in (0..NODES).filter(|speaks| *speaks != hears) {
                registry.resync_begin(origin(speaks), 0, world.now, &mut Vec::new());
                registry.resync_end(origin(speaks), world.now, &mut Vec::new()).unwrap();
            }
        }
        Self { worlds, log: Vec::new(), applied: [0; NODES] }
    }

    fn make(&mut self, asked: &Move) {
        match asked {
            Move::Ask(_, Step::Pass(ms)) => self.worlds.iter_mut().for_each(|world| world.pass(*ms)),
            Move::Ask(node, step) => {
                run(&mut self.worlds[*node], step);
                self.log.extend(self.worlds[*node].proposed.replace(Vec::new()).into_iter().flatten());
            }
            Move::Hear(hears, speaks) => self.hear(*hears, *speaks),
            Move::Apply(node) => self.apply(*node),
            Move::Settle => self.settle(),
            Move::Poll(..) => {}
        }
    }

    fn hear(&self, hears: usize, speaks: usize) {
        let (hears, now) = (&self.worlds[hears].registry, self.worlds[hears].now);
        let held = hears.lock().held_sequence(origin(speaks).node).unwrap().sequence;
        let told = self.worlds[speaks].registry.lock().changes(held, usize::MAX);
        let MirrorChanges::Ops { ops, upto } = told else { panic!("so much was not told") };
        hears.lock().apply_mirrored(origin(speaks), &ops, upto, now, &mut Vec::new()).unwrap();
    }

    fn apply(&mut self, node: usize) {
        for op in &self.log[self.applied[node]..] {
            self.worlds[node].apply_now(op.clone());
        }
        self.applied[node] = self.log.len();
    }

    fn settle(&mut self) {
        (0..NODES).for_each(|node| self.apply(node));
        let told = |nodes: &Self| -> Vec<u64> {
            nodes.worlds.iter().map(|world| world.registry.lock().mirror_sequence()).collect()
        };
        loop {
            let before = told(self);
            for hears in 0..NODES {
                for speaks in (0..NODES).filter(|speaks| *speaks != hears) {
                    self.hear(hears, speaks);
                }
            }
            if told(self) == before {
                break;
            }
        }
    }
}

/// What a client knows of each instance; when it was last renewed is as of some rendering.
type Known = (Arc<EurekaInstance>, EurekaStatus, EurekaStatus, EurekaTimes, i64);

fn known(seen: &Seen) -> Vec<Known> {
    let known = seen.values().map(|shown| {
        let times = EurekaTimes { renewed: Timestamp(0), ..shown.times };
        (shown.instance.clone(), shown.status, shown.overridden, times, shown.last_dirty)
    });
    known.collect()
}

/// As Eureka's own client: it takes over what changed, and fetches everything if its hash says that it lacks something.
#[derive(Default)]
struct Alternating {
    seen: Seen,
    has_fetched: bool,
}

impl Alternating {
    fn poll(&mut self, world: &World) -> Arc<EurekaSnapshot> {
        let delta = world.delta();
        for (key, shown) in all(&delta.apps) {
            match shown.action {
                EurekaAction::Added | EurekaAction::Modified => self.seen.insert(key, shown),
                EurekaAction::Deleted => self.seen.remove(&key),
            };
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.seen.values().for_each(|shown| *counts.entry(shown.status.as_str()).or_default() += 1);
        let hash: String = counts.iter().map(|(status, count)| format!("{status}_{count}_")).collect();
        if !self.has_fetched || !delta.complete || hash != delta.snapshot.hashcode() {
            self.seen = all(&delta.snapshot.apps);
            self.has_fetched = true;
        }
        delta.snapshot
    }
}

fn asked() -> impl Strategy<Value = Move> {
    let node = || 0..NODES;
    prop_oneof![
        8 => (node(), step()).prop_map(|(node, step)| Move::Ask(node, step)),
        4 => (node(), 1..NODES).prop_map(|(hears, by)| Move::Hear(hears, (hears + by) % NODES)),
        2 => node().prop_map(Move::Apply),
        2 => Just(Move::Settle),
        6 => (0..2usize, node()).prop_map(|(client, node)| Move::Poll(client, node)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_client_that_asks_one_node_after_the_other_has_what_they_list(
        moves in proptest::collection::vec(asked(), 1..150)
    ) {
        let mut nodes = Nodes::new();
        let mut clients: Vec<(Alternating, Monotonic)> =
            (0..2).map(|_| (Alternating::default(), nodes.worlds[0].now.mono)).collect();
        for asked in &moves {
            nodes.make(asked);
            let now = nodes.worlds[0].now.mono;
            if let Move::Poll(client, node) = asked {
                clients[*client].0.poll(&nodes.worlds[*node]);
                clients[*client].1 = now;
            }
            for (client, last) in &mut clients {
                if now.since(*last) >= KEPT_MS {
                    client.has_fetched = false;
                }
            }
        }
        nodes.settle();
        for (client, _) in &mut clients {
            for world in &nodes.worlds {
                let listed = client.poll(world);
                prop_assert_eq!(known(&client.seen), known(&all(&listed.apps)));
            }
        }
    }
}

#[test]
fn what_another_node_showed_for_a_moment_is_told_by_one_that_never_did() {
    let mut nodes = Nodes::new();
    let mut client = Alternating::default();
    let weigh = |nodes: &mut Nodes, weight| {
        nodes.make(&Move::Ask(0, Step::Nacos(0, 2, weight)));
        nodes.settle();
    };
    nodes.make(&Move::Ask(0, Step::Nacos(0, 1, 1)));
    weigh(&mut nodes, 1);
    nodes.worlds.iter().for_each(|world| drop(client.poll(world)));
    nodes.make(&Move::Ask(0, Step::Pass(KEPT_MS)));
    nodes.worlds.iter().for_each(|world| drop(client.poll(world)));
    // Where weights differ all instances are labelled with theirs.
    weigh(&mut nodes, 2);
    client.poll(&nodes.worlds[1]);
    let labelled = client.seen.values().filter(|shown| shown.instance.metadata.get("weight").is_some());
    assert_eq!(labelled.count(), 2);
    weigh(&mut nodes, 1);
    let listed = client.poll(&nodes.worlds[2]);
    assert_eq!(known(&client.seen), known(&all(&listed.apps)));
}
