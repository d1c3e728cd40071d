//! What goes wrong when: data, drawn from a seed.

use muster_runtime::Rng;

/// Nodes are numbered from 1.
pub type Node = usize;

/// Something that goes wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing that one sends reaches the other, nor the other way round; what was sent is lost, and connections stall.
    Cut(Node, Node),
    /// The same, one way only.
    CutOneWay {
        /// Who is not heard.
        from: Node,
        /// By whom.
        to: Node,
    },
    /// What they send each other waits, and arrives when it is over.
    Hold(Node, Node),
    /// Each message between them takes so many milliseconds.
    Delay(Node, Node, u64),
    /// All connections of a node break, once.
    Break(Node),
    /// The process is killed, and started again when it is over.
    Kill(Node),
    /// The machine loses power, with a part of what was not synced, and is back when it is over.
    PowerCut(Node),
    /// Each sync takes so many milliseconds.
    SlowDisk(Node, u64),
    /// There is no room on the disk.
    FullDisk(Node),
    /// The wall clock is wrong by so many milliseconds.
    WrongClock(Node, i64),
    /// The clocks run too fast by so many millionths.
    Drift(Node, i64),
}

/// A fault and when it begins and ends, in milliseconds of virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// It begins.
    pub from_ms: u64,
    /// It is over.
    pub until_ms: u64,
    /// What it is.
    pub fault: Fault,
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How many nodes there are, from the beginning.
    pub nodes: usize,
    /// What goes wrong, by when it begins.
    pub troubles: Vec<Trouble>,
    /// When everything is over.
    pub heal_ms: u64,
    /// When the run ends.
    pub end_ms: u64,
}

/// Troubles begin after this: the ensemble is formed, and clients have registered.
const QUIET_MS: u64 = 8_000;
/// How long troubles last altogether.
const TROUBLED_MS: u64 = 14_000;
/// What follows: everybody is back, and agrees.
const HEALED_MS: u64 = 12_000;
/// Nothing that hides a live client lasts longer: its lease would run out where it is not heard.
const LONGEST_MS: u64 = 7_000;

impl Schedule {
    /// The schedule of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut rng = Rng::seeded(seed ^ 0x005E_ED0F_5C4E_D01E);
        // Most ensembles have three nodes.
        let nodes = if rng.below(10) == 0 { 1 } else { 3 };
        let heal_ms = QUIET_MS + TROUBLED_MS;
        let mut troubles: Vec<Trouble> = Vec::new();
        for _ in 0..1 + rng.below(7) {
            let from_ms = QUIET_MS + rng.below(TROUBLED_MS - 1_000);
            let Some((fault, least, most)) = draw(nodes, &mut rng) else { continue };
            let until_ms = (from_ms + least + rng.below(most - least + 1)).min(heal_ms);
            let trouble = Trouble { from_ms, until_ms, fault };
            if troubles.iter().all(|other| !other.excludes(&trouble)) {
                troubles.push(trouble);
            }
        }
        troubles.sort_by_key(|trouble| trouble.from_ms);
        Self { nodes, troubles, heal_ms, end_ms: heal_ms + HEALED_MS }
    }
}

/// A fault, and how long it lasts at least and at most.
fn draw(nodes: usize, rng: &mut Rng) -> Option<(Fault, u64, u64)> {
    let node = 1 + rng.below(nodes as u64) as usize;
    let other = 1 + (node + rng.below(nodes as u64 - u64::from(nodes > 1)) as usize) % nodes;
    let kind = rng.below(12);
    let needs_another = matches!(kind, 0..=4);
    if needs_another && nodes == 1 {
        return None;
    }
    Some(match kind {
        0 | 1 => (Fault::Cut(node, other), 2_500, LONGEST_MS),
        2 => (Fault::CutOneWay { from: node, to: other }, 2_500, LONGEST_MS),
        3 => (Fault::Hold(node, other), 50, 3_000),
        4 => (Fault::Delay(node, other, 10 + rng.below(400)), 500, 6_000),
        5 => (Fault::Break(node), 1, 1),
        6 | 7 => (Fault::Kill(node), 100, 5_000),
        8 => (Fault::PowerCut(node), 100, 5_000),
        9 => (Fault::SlowDisk(node, 1 + rng.below(150)), 500, 6_000),
        10 => (Fault::FullDisk(node), 500, 5_000),
        _ if rng.below(2) == 0 => (Fault::WrongClock(node, 20_000 - rng.below(40_000) as i64), 500, 12_000),
        _ => (Fault::Drift(node, 20_000 - rng.below(40_000) as i64), 500, 12_000),
    })
}

impl Trouble {
    /// Whether two can't be at the same time: both change the same, and the end of one would end the other.
    fn excludes(&self, other: &Self) -> bool {
        let overlap = self.from_ms <= other.until_ms && other.from_ms <= self.until_ms;
        overlap && self.fault.what() == other.fault.what()
    }
}

/// What a fault changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Link(Node, Node),
    Latency(Node, Node),
    Connections(Node),
    Process(Node),
    Disk(Node),
    Room(Node),
    Wall(Node),
    Speed(Node),
}

impl Fault {
    fn what(self) -> What {
        match self {
            Self::Cut(a, b) | Self::CutOneWay { from: a, to: b } | Self::Hold(a, b) => {
                What::Link(a.min(b), a.max(b))
            }
            Self::Delay(a, b, _) => What::Latency(a.min(b), a.max(b)),
            Self::Break(node) => What::Connections(node),
            Self::Kill(node) | Self::PowerCut(node) => What::Process(node),
            Self::SlowDisk(node, _) => What::Disk(node),
            Self::FullDisk(node) => What::Room(node),
            Self::WrongClock(node, _) => What::Wall(node),
            Self::Drift(node, _) => What::Speed(node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_schedule_and_all_faults_come_up() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..500 {
            let schedule = Schedule::of_seed(seed);
            assert_eq!(schedule, Schedule::of_seed(seed));
            for (place, trouble) in schedule.troubles.iter().enumerate() {
                assert!(
                    trouble.from_ms < trouble.until_ms && trouble.until_ms <= schedule.heal_ms,
                    "{trouble:?}"
                );
                assert!(
                    schedule.troubles[..place].iter().all(|other| !other.excludes(trouble)),
                    "{schedule:?}"
                );
                if let What::Link(a, b) | What::Latency(a, b) = trouble.fault.what() {
                    assert!(a != b && b <= schedule.nodes, "{trouble:?}");
                }
                let name = format!("{:?}", trouble.fault);
                seen.insert(name.split(['(', ' ']).next().unwrap().to_owned());
            }
        }
        assert_eq!(seen.len(), 11, "{seen:?}");
    }
}
