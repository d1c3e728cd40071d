//! One run: machines, clients and a schedule, from the beginning to the end.

use crate::{
    Trace,
    checks::{Breach, check},
    clients::{self, Desk, config_key, crowd_service, services, shown, value},
    machine::{Failure, Machine, name},
    record::{Fill, Held, Recorder, Seen, Silenced},
    schedule::{Fault, Schedule, Trouble},
};
use muster_node::{HistoryFound, Node, PageRequest, config::ClientLabels};
use muster_runtime::Rng;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use turmoil::Sim;

/// No fewer lists of tasks than tokio has, and a multiple of their number.
const TASK_LISTS: u64 = 64;
/// Virtual time between two steps.
const TICK_MS: u64 = 5;
/// How soon all nodes show the same after everything is well again.
const CONVERGED_MS: u64 = 2_000;
/// A process that ended by itself is started again after this.
const AGAIN_MS: u64 = 1_000;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The number of everything that happened.
    pub hash: u64,
    /// The promises that were broken.
    pub breaches: Vec<Breach>,
    /// What clients saw.
    pub seen: Seen,
    /// Everything that happened, if it was kept.
    pub lines: String,
}

/// Runs the schedule of a seed.
pub fn run(seed: u64, trace: &Trace) -> Outcome {
    run_schedule(seed, &Schedule::of_seed(seed), trace)
}

/// Runs a schedule; the seed decides everything else.
pub fn run_schedule(seed: u64, schedule: &Schedule, trace: &Trace) -> Outcome {
    muster_model::set_hash_seed(seed);
    align_task_numbers();
    let mut rng = Rng::seeded(seed);
    let mut world = World::new(schedule, trace, &mut rng);
    world.play();
    let seen = world.recorder.take();
    drop(world);
    Outcome { hash: trace.hash(), breaches: check(&seen), seen, lines: trace.lines() }
}

/// tokio keeps tasks in a few lists by their numbers, which count on as long as the process lives, and ends them list by
/// list. So that connections of a process that is killed end in one order, each run begins at a round number. Nothing else
/// of the process may begin tasks meanwhile.
fn align_task_numbers() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let number = tasks.spawn_on(std::future::ready(()), runtime.handle()).id().to_string();
        if number.parse().is_ok_and(|number: u64| number.is_multiple_of(TASK_LISTS)) {
            return;
        }
    }
}

struct World<'a> {
    schedule: &'a Schedule,
    sim: Sim<'static>,
    machines: Vec<Arc<Machine>>,
    recorder: Recorder,
    trace: Trace,
    /// Machines that are off, and when they come back.
    off: Vec<(usize, u64)>,
    /// Whether the crowd of clients says nothing.
    silence: Arc<AtomicBool>,
    /// Since when all nodes are ready after the heal.
    ready_ms: Option<u64>,
    /// What they held 2 s later is noted.
    is_healed: bool,
}

impl<'a> World<'a> {
    fn new(schedule: &'a Schedule, trace: &Trace, rng: &mut Rng) -> Self {
        let mut builder = turmoil::Builder::new();
        builder
            .rng_seed(rng.next_u64())
            .tick_duration(Duration::from_millis(TICK_MS))
            .simulation_duration(Duration::from_millis(schedule.end_ms + 1_000))
            .min_message_latency(Duration::from_millis(0))
            .max_message_latency(Duration::from_millis(5 + rng.below(30)))
            .tcp_capacity(4_096)
            .enable_random_order();
        let mut sim = builder.build();
        let machines = Machine::park(schedule.machines, schedule.nodes, rng, trace);
        for machine in &machines {
            let machine = machine.clone();
            sim.host(machine.name.clone(), move || machine.clone().live());
        }
        let recorder = Recorder::new(trace.clone());
        let silence = Arc::<AtomicBool>::default();
        let desk = Desk { machines: machines.clone(), recorder: recorder.clone(), silence: silence.clone() };
        let (seed, scripted) = (rng.next_u64(), schedule.clone());
        sim.host("clients", move || clients::run(desk.clone(), scripted.clone(), seed));
        Self {
            schedule,
            sim,
            machines,
            recorder,
            trace: trace.clone(),
            off: Vec::new(),
            silence,
            ready_ms: None,
            is_healed: false,
        }
    }

    fn now(&self) -> u64 {
        self.sim.elapsed().as_millis() as u64
    }

    fn play(&mut self) {
        let mut begins = self.schedule.troubles.clone();
        begins.reverse();
        let mut ends = self.schedule.troubles.clone();
        ends.sort_by_key(|trouble| std::cmp::Reverse(trouble.until_ms));
        while self.now() < self.schedule.end_ms {
            let now = self.now();
            while let Some(trouble) = ends.pop_if(|trouble| trouble.until_ms <= now) {
                self.end(trouble);
            }
            while let Some(trouble) = begins.pop_if(|trouble| trouble.from_ms <= now) {
                self.begin(trouble);
            }
            self.restart(now);
            if let Err(error) = self.sim.step() {
                let failure = format!("the simulation fails: {error}");
                self.recorder.with(|seen| seen.failures.push(failure));
                return;
            }
            self.look();
        }
        let (held, mismatches) = (self.hold(), self.mismatches());
        self.recorder.with(|seen| {
            seen.last = held;
            // What came since the heal.
            seen.mismatches.iter_mut().for_each(|(place, count)| {
                *count = mismatches.get(place).map_or(0, |now| now.saturating_sub(*count));
            });
        });
    }

    fn begin(&mut self, Trouble { fault, .. }: Trouble) {
        self.trace.note(self.now(), &format_args!("{fault:?}"));
        let elapsed = self.sim.elapsed();
        match fault {
            Fault::Cut(a, b) => self.sim.partition(name(a), name(b)),
            Fault::CutOneWay { from, to } => self.sim.partition_oneway(name(from), name(to)),
            Fault::Hold(a, b) => self.sim.hold(name(a), name(b)),
            Fault::Delay(a, b, ms) => self.sim.set_link_latency(name(a), name(b), Duration::from_millis(ms)),
            Fault::Isolate(node) => self.isolate(node),
            Fault::Break(node) => self.machine(node).wire.break_all(),
            Fault::Kill(node) => self.stop(node),
            Fault::PowerCut(node) => {
                self.stop(node);
                self.machine(node).lose_power();
            }
            Fault::Wipe(node) => {
                self.stop(node);
                self.machine(node).wipe();
            }
            Fault::LoseLog(node) => {
                self.stop(node);
                self.machine(node).lose_power();
                self.machine(node).lose_log();
            }
            Fault::Join(node) => {
                self.machine(node).begin_use();
                self.sim.bounce(name(node));
            }
            // Operators do it, see `clients`.
            Fault::Remove(_) => {}
            Fault::SlowDisk(node, ms) => self.machine(node).disk.set_sync_ms(ms),
            Fault::FullDisk(node) => {
                let memory = &self.machine(node).disk.memory;
                memory.set_capacity(Some(memory.used()));
            }
            Fault::WrongClock(node, ms) => self.machine(node).clock.set_off(ms),
            Fault::Drift(node, ppm) => self.machine(node).clock.set_drift(ppm, elapsed),
            Fault::DropAnswers(node) => self.machine(node).set_drops_answers(true),
            Fault::Silence => {
                self.silence.store(true, Ordering::Relaxed);
                self.look_at_crowd(|silenced, shown| silenced.before = shown);
            }
        }
    }

    fn isolate(&mut self, node: usize) {
        self.others(node).for_each(|other| self.sim.partition(name(node), name(other)));
    }

    fn others(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        (1..=self.machines.len()).filter(move |other| *other != node)
    }

    fn end(&mut self, Trouble { fault, until_ms, .. }: Trouble) {
        self.trace.note(self.now(), &format_args!("no more {fault:?}"));
        let elapsed = self.sim.elapsed();
        match fault {
            Fault::Cut(a, b) | Fault::CutOneWay { from: a, to: b } => self.sim.repair(name(a), name(b)),
            Fault::Hold(a, b) => self.sim.release(name(a), name(b)),
            Fault::Delay(a, b, _) => {
                self.sim.set_link_latency(name(a), name(b), Duration::from_millis(TICK_MS))
            }
            Fault::Isolate(node) => {
                self.others(node).for_each(|other| self.sim.repair(name(node), name(other)));
            }
            Fault::Break(_) | Fault::Join(_) | Fault::Remove(_) => {}
            Fault::Kill(node) | Fault::PowerCut(node) | Fault::Wipe(node) | Fault::LoseLog(node) => {
                self.off.push((node, until_ms));
            }
            Fault::SlowDisk(node, _) => self.machine(node).disk.set_sync_ms(0),
            Fault::FullDisk(node) => self.machine(node).disk.memory.set_capacity(None),
            Fault::WrongClock(node, _) => self.machine(node).clock.set_off(0),
            Fault::Drift(node, _) => self.machine(node).clock.set_drift(0, elapsed),
            Fault::DropAnswers(node) => self.machine(node).set_drops_answers(false),
            Fault::Silence => {
                self.look_at_crowd(|silenced, shown| silenced.after = Some(shown));
                self.silence.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Notes how many of the crowd each node that answers shows as healthy.
    fn look_at_crowd(&self, note: impl Fn(&mut Silenced, usize)) {
        for machine in &self.machines {
            let Some(process) = machine.process().filter(|process| process.node.is_ready()) else { continue };
            let view = process.node.view(&crowd_service());
            let shown = view.hosts.iter().filter(|host| host.healthy).count();
            self.recorder.with(|seen| note(seen.silenced.entry(machine.place).or_default(), shown));
        }
    }

    fn machine(&self, node: usize) -> &Machine {
        &self.machines[node - 1]
    }

    fn stop(&mut self, node: usize) {
        self.machine(node).ended();
        self.sim.crash(name(node));
    }

    /// Starts what is due, and clears away what ended by itself.
    fn restart(&mut self, now: u64) {
        for node in 1..=self.machines.len() {
            if let Some(Failure { why, is_due }) = self.machine(node).take_failure() {
                self.trace.note(now, &format_args!("{} {why}", name(node)));
                if !is_due {
                    self.recorder.with(|seen| seen.failures.push(format!("{now} ms: {}: {why}", name(node))));
                }
                self.stop(node);
                self.off.push((node, now + AGAIN_MS));
            }
            if self.machine(node).take_removed() {
                self.stop(node);
                self.machine(node).wipe();
                self.off.push((node, now + AGAIN_MS));
            }
        }
        let due: Vec<usize> = self.off.iter().filter(|(_, at)| *at <= now).map(|(node, _)| *node).collect();
        self.off.retain(|(_, at)| *at > now);
        for node in due {
            self.sim.bounce(name(node));
        }
    }

    /// Looks at the nodes from outside.
    fn look(&mut self) {
        let now = self.now();
        if now.is_multiple_of(100) {
            self.measure();
        }
        if now < self.schedule.heal_ms {
            return;
        }
        // While operators remove a node it belongs to the ensemble no more than half.
        let is_ready = |machine: &&Arc<Machine>| {
            !machine.is_being_removed() && machine.process().is_some_and(|process| process.node.is_ready())
        };
        let used = || self.machines.iter().filter(|machine| machine.is_used());
        if !used().all(|machine| is_ready(&machine)) {
            self.ready_ms = None;
            if now == self.schedule.heal_ms + self.schedule.ready_within_ms() && !self.is_healed {
                let late: Vec<_> = used().filter(|one| !is_ready(one)).map(|one| &one.name).collect();
                let failure = format!("{now} ms: not ready: {late:?}");
                self.recorder.with(|seen| seen.failures.push(failure));
            }
            return;
        }
        let since = *self.ready_ms.get_or_insert(now);
        if now >= since + CONVERGED_MS && !self.is_healed {
            self.is_healed = true;
            let held = self.hold();
            let mismatches = self.mismatches();
            self.recorder.with(|seen| {
                (seen.healed, seen.mismatches) = (held, mismatches);
                seen.told_healed = seen.pushed.clone();
            });
        }
    }

    /// How often each node found a mirror that differs.
    fn mismatches(&self) -> BTreeMap<usize, u64> {
        let running = self.machines.iter().filter_map(|machine| Some((machine.place, machine.process()?)));
        running.map(|(place, process)| (place, process.node.mirror_counts().mismatches)).collect()
    }

    fn measure(&self) {
        for machine in &self.machines {
            let Some(process) = machine.process() else { continue };
            let Ok(consensus) = process.node.consensus() else { continue };
            let limit = muster_consensus::Settings::default().queue_bytes_max as u64;
            let held = consensus.metrics().queued_bytes as u64;
            let fill = Fill { node: machine.place, queue: "proposals", held, limit };
            self.recorder.with(|seen| {
                let before = seen.fills.entry((fill.node, fill.queue)).or_insert(fill);
                before.held = before.held.max(fill.held);
            });
        }
    }

    /// What every node holds now.
    fn hold(&self) -> BTreeMap<usize, Held> {
        let running = self.machines.iter().filter_map(|machine| Some((machine.place, machine.process()?)));
        running.map(|(id, process)| (id, held(&process.node))).collect()
    }
}

fn held(node: &Arc<Node>) -> Held {
    let mut held = Held::default();
    for key in 1..=clients::KEYS {
        let config = config_key(key);
        if let Ok(Some(found)) = node.query_config(&config, &ClientLabels::default(), None) {
            held.configs.insert(key, (value(&found.content.bytes), node.config_revision(&config).0));
        }
        let page = PageRequest { number: 1, size: 2_000 };
        let Ok(rows) = node.config_history(&config, page) else { continue };
        let history = held.history.entry(key).or_default();
        for row in rows.items {
            let number = row.revision.0;
            if let Ok(HistoryFound::Entry(item)) = node.history_entry(&config, number) {
                history.insert(number, value(&item.content));
            }
        }
    }
    for service in services() {
        let hosts = shown(&node.view(&service));
        held.services.insert(service.name().as_str().to_owned(), hosts);
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most seeds are tried by `cargo xtask simulate`; here a kill, cuts, a full disk and a broken connection.
    #[test]
    fn an_ensemble_keeps_its_promises_through_a_schedule_of_faults() {
        let outcome = run(0, &Trace::default());
        assert_eq!(outcome.breaches, []);
        assert!(
            outcome.seen.acknowledged.len() > 50 && outcome.seen.lists.len() > 500,
            "there was something to check"
        );
    }
}
