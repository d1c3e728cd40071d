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
    /// Nothing comes from or goes to any other node.
    Isolate(Node),
    /// All connections of a node break, once.
    Break(Node),
    /// The process is killed, and started again when it is over.
    Kill(Node),
    /// The machine loses power, with a part of what was not synced, and is back when it is over.
    PowerCut(Node),
    /// As a loss of power, and the whole data directory is gone: its node is removed, and the machine joins as a new one.
    Wipe(Node),
    /// As a loss of power, and only who the node is is left of it. It must not vote any more.
    LoseLog(Node),
    /// A machine joins that had no node before.
    Join(Node),
    /// Operators remove a node; when it is over the machine joins as a new one.
    Remove(Node),
    /// Each sync takes so many milliseconds.
    SlowDisk(Node, u64),
    /// There is no room on the disk.
    FullDisk(Node),
    /// The wall clock is wrong by so many milliseconds.
    WrongClock(Node, i64),
    /// The clocks run too fast by so many millionths.
    Drift(Node, i64),
    /// Many answers of a node to its clients get lost.
    DropAnswers(Node),
    /// A crowd of clients on all nodes falls silent, at the same time.
    Silence,
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
    /// How many machines there are: on those behind the nodes, nodes may join.
    pub machines: usize,
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

/// How wrong a clock may be: any two differ by less than ten seconds. Registrations that come from farther ahead are refused,
/// by design D4, and the doctor names such clocks.
const CLOCK_OFF_MS: i64 = 4_900;
/// How long a machine may take to be removed and taken in again.
const REPLACED_MS: u64 = 8_000;
/// How long a crowd is silent: long enough for its leases to run out twice.
const SILENT_MS: u64 = 12_000;

impl Schedule {
    /// The schedule of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut rng = Rng::seeded(seed ^ 0x005E_ED0F_5C4E_D01E);
        // Most ensembles have three nodes.
        let nodes = if rng.below(10) == 0 { 1 } else { 3 };
        let machines = if nodes == 3 && rng.below(4) == 0 { 5 } else { nodes };
        let mut draft = Draft { nodes, machines, troubles: Vec::new() };
        match rng.below(24) {
            0 | 1 => draft.silence(&mut rng),
            2 | 3 => draft.blackout(&mut rng),
            4..=6 if nodes == 3 => draft.stale_majority(&mut rng),
            _ => {}
        }
        if draft.has_silence() {
            draft.machines = nodes;
        } else {
            draft.joins(&mut rng);
            for _ in 0..1 + rng.below(7) {
                draft.draw(&mut rng);
            }
        }
        let Draft { machines, mut troubles, .. } = draft;
        troubles.sort_by_key(|trouble| trouble.from_ms);
        let heal_ms = QUIET_MS + TROUBLED_MS;
        let is_replaced = troubles.iter().any(|trouble| trouble.fault.replaces());
        let end_ms = heal_ms + HEALED_MS + if is_replaced { REPLACED_MS } else { 0 };
        Self { nodes, machines, troubles, heal_ms, end_ms }
    }

    /// How long it may take after the heal until everybody is ready.
    pub(crate) fn ready_within_ms(&self) -> u64 {
        self.end_ms - self.heal_ms - 3_000
    }
}

struct Draft {
    nodes: usize,
    machines: usize,
    troubles: Vec<Trouble>,
}

impl Draft {
    fn has_silence(&self) -> bool {
        self.troubles.iter().any(|trouble| trouble.fault == Fault::Silence)
    }

    fn add(&mut self, fault: Fault, from_ms: u64, lasts_ms: u64) {
        let until_ms = (from_ms + lasts_ms).min(QUIET_MS + TROUBLED_MS);
        let trouble = Trouble { from_ms, until_ms, fault };
        if self.troubles.iter().all(|other| !other.excludes(&trouble)) {
            self.troubles.push(trouble);
        }
    }

    /// A node that is drawn, and when.
    fn place(&self, rng: &mut Rng) -> (Node, u64) {
        (1 + rng.below(self.nodes as u64) as usize, QUIET_MS + rng.below(TROUBLED_MS - 1_000))
    }

    /// All machines lose power at once, and come back one after the other.
    fn blackout(&mut self, rng: &mut Rng) {
        let (_, from_ms) = self.place(rng);
        for node in 1..=self.machines {
            let lasts_ms = 100 + rng.below(3_000);
            self.add(Fault::PowerCut(node), from_ms, lasts_ms);
        }
    }

    /// Only clients fall silent: the brake is to hold what they registered.
    fn silence(&mut self, rng: &mut Rng) {
        self.add(Fault::Silence, QUIET_MS + rng.below(2_000), SILENT_MS);
        for node in 1..=self.nodes {
            if rng.below(2) == 0 {
                self.add(
                    Fault::SlowDisk(node, 1 + rng.below(20)),
                    QUIET_MS + rng.below(TROUBLED_MS / 2),
                    4_000,
                );
            }
        }
    }

    /// A node is behind; then one that has everything forgets, or is back from a loss of power, while the other one is
    /// not heard: the two must not agree on less than what was acknowledged.
    fn stale_majority(&mut self, rng: &mut Rng) {
        let (behind, from_ms) = self.place(rng);
        let from_ms = from_ms.min(QUIET_MS + 6_000);
        let turn_ms = from_ms + 2_500 + rng.below(1_500);
        let swap = rng.below(2) as usize;
        let (forgets, unheard) = (1 + (behind + swap) % 3, 1 + (behind + 1 - swap) % 3);
        self.add(Fault::Isolate(behind), from_ms, turn_ms - from_ms - 300);
        let lasts_ms = 50 + rng.below(200);
        let fault = if rng.below(3) > 0 { Fault::LoseLog(forgets) } else { Fault::PowerCut(forgets) };
        self.add(fault, turn_ms - 250, lasts_ms);
        self.add(Fault::Isolate(unheard), turn_ms - 250, LONGEST_MS - rng.below(2_000));
    }

    fn joins(&mut self, rng: &mut Rng) {
        for node in self.nodes + 1..=self.machines {
            self.add(Fault::Join(node), QUIET_MS + rng.below(TROUBLED_MS / 2), 1);
        }
    }

    /// A fault and how long it lasts.
    fn draw(&mut self, rng: &mut Rng) {
        let (node, from_ms) = self.place(rng);
        let nodes = self.nodes as u64;
        let other = 1 + (node + rng.below(nodes - u64::from(nodes > 1)) as usize) % self.nodes;
        let kind = rng.below(17);
        if nodes == 1 && matches!(kind, 0..=5 | 14 | 15) {
            return;
        }
        let (fault, least, most) = match kind {
            0 => (Fault::Cut(node, other), 2_500, LONGEST_MS),
            1 | 2 => (Fault::Isolate(node), 500, LONGEST_MS),
            3 => (Fault::CutOneWay { from: node, to: other }, 2_500, LONGEST_MS),
            4 => (Fault::Hold(node, other), 50, 3_000),
            5 => (Fault::Delay(node, other, 10 + rng.below(400)), 500, 6_000),
            6 => (Fault::Break(node), 1, 1),
            7 | 8 => (Fault::Kill(node), 100, 5_000),
            9 => (Fault::PowerCut(node), 100, 5_000),
            10 => (Fault::SlowDisk(node, 1 + rng.below(150)), 500, 6_000),
            11 => (Fault::FullDisk(node), 500, 5_000),
            12 => (
                Fault::WrongClock(node, CLOCK_OFF_MS - rng.below(2 * CLOCK_OFF_MS as u64 + 1) as i64),
                500,
                12_000,
            ),
            13 => (Fault::Drift(node, 20_000 - rng.below(40_000) as i64), 500, 12_000),
            14 => (Fault::Wipe(node), 100, 2_000),
            15 => (Fault::Remove(node), 1_000, 4_000),
            _ => (Fault::DropAnswers(node), 500, 6_000),
        };
        let lasts_ms = least + rng.below(most - least + 1);
        self.add(fault, from_ms, lasts_ms);
    }
}

impl Trouble {
    /// Whether two can't be at the same time: both change the same, and the end of one would end the other.
    fn excludes(&self, other: &Self) -> bool {
        // A second machine that loses what it acknowledged is more than an ensemble of three promises to survive.
        let are_too_many = self.fault.replaces() && other.fault.replaces();
        let overlap = self.from_ms <= other.until_ms && other.from_ms <= self.until_ms;
        are_too_many || overlap && self.fault.whats().iter().any(|what| other.fault.whats().contains(what))
    }
}

/// What a fault changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Between two, or all links of one.
    Link(Node, Node),
    Latency(Node, Node),
    Connections(Node),
    Process(Node),
    Disk(Node),
    Room(Node),
    Wall(Node),
    Speed(Node),
    Answers(Node),
    Crowd,
}

/// More machines than any schedule has.
const MACHINES_MAX: usize = 5;

impl Fault {
    /// Whether a node loses everything, and another one comes in its place.
    fn replaces(self) -> bool {
        matches!(self, Self::Wipe(_) | Self::LoseLog(_) | Self::Remove(_))
    }

    fn whats(self) -> Vec<What> {
        let one = match self {
            Self::Isolate(node) => {
                let others = (1..=MACHINES_MAX).filter(|other| *other != node);
                return others.map(|other| What::Link(node.min(other), node.max(other))).collect();
            }
            Self::Cut(a, b) | Self::CutOneWay { from: a, to: b } | Self::Hold(a, b) => {
                What::Link(a.min(b), a.max(b))
            }
            Self::Delay(a, b, _) => What::Latency(a.min(b), a.max(b)),
            Self::Break(node) => What::Connections(node),
            Self::Kill(node)
            | Self::PowerCut(node)
            | Self::Wipe(node)
            | Self::LoseLog(node)
            | Self::Join(node)
            | Self::Remove(node) => What::Process(node),
            Self::SlowDisk(node, _) => What::Disk(node),
            Self::FullDisk(node) => What::Room(node),
            Self::WrongClock(node, _) => What::Wall(node),
            Self::Drift(node, _) => What::Speed(node),
            Self::DropAnswers(node) => What::Answers(node),
            Self::Silence => What::Crowd,
        };
        vec![one]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_schedule_and_all_faults_come_up() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..2_000 {
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
                let is_odd = |what: &What| matches!(*what, What::Link(a, b) | What::Latency(a, b) if a == b || b > MACHINES_MAX);
                assert!(!trouble.fault.whats().iter().any(is_odd), "{trouble:?}");
                let name = format!("{:?}", trouble.fault);
                seen.insert(name.split(['(', ' ']).next().unwrap().to_owned());
            }
        }
        assert_eq!(seen.len(), 18, "{seen:?}");
    }
}
