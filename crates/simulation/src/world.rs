//! One run: machines, clients and a schedule, from the beginning to the end.

use crate::{
    Trace,
    checks::{Breach, check},
    clients::{self, Crowd, Desk, config_key, value},
    machine::{Machine, name},
    record::{Fill, Held, Recorder, Seen},
    schedule::{Fault, Schedule, Trouble},
};
use muster_model::ServiceKey;
use muster_node::{HistoryFound, Node, PageRequest, config::ClientLabels};
use muster_runtime::Rng;
use std::{sync::Arc, time::Duration};
use turmoil::Sim;

/// Virtual time between two steps.
const TICK_MS: u64 = 5;
/// How soon all nodes show the same after everything is well again.
const CONVERGED_MS: u64 = 2_000;
/// A node that has not got ready so long after the heal never will.
const READY_WITHIN_MS: u64 = 9_000;
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
    let mut rng = Rng::seeded(seed);
    let mut world = World::new(schedule, trace, &mut rng);
    world.play();
    let seen = world.recorder.take();
    drop(world);
    Outcome { hash: trace.hash(), breaches: check(&seen), seen, lines: trace.lines() }
}

struct World<'a> {
    schedule: &'a Schedule,
    sim: Sim<'static>,
    machines: Vec<Arc<Machine>>,
    recorder: Recorder,
    trace: Trace,
    /// Machines that are off, and when they come back.
    off: Vec<(usize, u64)>,
    /// Since when all nodes are ready after the heal.
    ready_ms: Option<u64>,
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
        let machines: Vec<_> =
            (1..=schedule.nodes).map(|id| Machine::new(id, schedule.nodes, rng.next_u64(), trace)).collect();
        for machine in &machines {
            let machine = machine.clone();
            sim.host(machine.name.clone(), move || machine.clone().live());
        }
        let recorder = Recorder::new(trace.clone());
        let desk = Desk { machines: machines.clone(), recorder: recorder.clone() };
        let (seed, quiet_from_ms) = (rng.next_u64(), schedule.heal_ms);
        let crowd = Crowd { configs: 4, instances: 7 };
        sim.host("clients", move || clients::run(desk.clone(), crowd, seed, quiet_from_ms));
        Self { schedule, sim, machines, recorder, trace: trace.clone(), off: Vec::new(), ready_ms: None }
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
        let held = self.hold();
        self.recorder.with(|seen| seen.last = held);
    }

    fn begin(&mut self, Trouble { fault, .. }: Trouble) {
        self.trace.note(self.now(), &format_args!("{fault:?}"));
        let elapsed = self.sim.elapsed();
        match fault {
            Fault::Cut(a, b) => self.sim.partition(name(a), name(b)),
            Fault::CutOneWay { from, to } => self.sim.partition_oneway(name(from), name(to)),
            Fault::Hold(a, b) => self.sim.hold(name(a), name(b)),
            Fault::Delay(a, b, ms) => self.sim.set_link_latency(name(a), name(b), Duration::from_millis(ms)),
            Fault::Break(node) => self.machine(node).wire.break_all(),
            Fault::Kill(node) | Fault::PowerCut(node) => self.stop(node, matches!(fault, Fault::PowerCut(_))),
            Fault::SlowDisk(node, ms) => self.machine(node).disk.set_sync_ms(ms),
            Fault::FullDisk(node) => {
                let memory = &self.machine(node).disk.memory;
                memory.set_capacity(Some(memory.used()));
            }
            Fault::WrongClock(node, ms) => self.machine(node).clock.set_off(ms),
            Fault::Drift(node, ppm) => self.machine(node).clock.set_drift(ppm, elapsed),
        }
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
            Fault::Break(_) => {}
            Fault::Kill(node) | Fault::PowerCut(node) => self.off.push((node, until_ms)),
            Fault::SlowDisk(node, _) => self.machine(node).disk.set_sync_ms(0),
            Fault::FullDisk(node) => self.machine(node).disk.memory.set_capacity(None),
            Fault::WrongClock(node, _) => self.machine(node).clock.set_off(0),
            Fault::Drift(node, _) => self.machine(node).clock.set_drift(0, elapsed),
        }
    }

    fn machine(&self, node: usize) -> &Machine {
        &self.machines[node - 1]
    }

    fn stop(&mut self, node: usize, loses_power: bool) {
        self.machine(node).ended();
        self.sim.crash(name(node));
        if loses_power {
            self.machine(node).lose_power();
        }
    }

    /// Starts what is due, and clears away what ended by itself.
    fn restart(&mut self, now: u64) {
        for node in 1..=self.machines.len() {
            if let Some(why) = self.machine(node).take_failure() {
                self.trace.note(now, &format_args!("{} {why}", name(node)));
                self.recorder.with(|seen| seen.failures.push(format!("{now} ms: {}: {why}", name(node))));
                self.stop(node, false);
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
        let is_ready =
            |machine: &Arc<Machine>| machine.process().is_some_and(|process| process.node.is_ready());
        let since = match self.ready_ms {
            Some(since) => since,
            None if self.machines.iter().all(is_ready) => *self.ready_ms.insert(now),
            None if now == self.schedule.heal_ms + READY_WITHIN_MS => {
                let late: Vec<_> =
                    self.machines.iter().filter(|one| !is_ready(one)).map(|one| &one.name).collect();
                let failure = format!("{now} ms: not ready: {late:?}");
                self.recorder.with(|seen| seen.failures.push(failure));
                return;
            }
            None => return,
        };
        if now == since + CONVERGED_MS {
            let held = self.hold();
            self.recorder.with(|seen| seen.healed = held);
        }
    }

    fn measure(&self) {
        for machine in &self.machines {
            let Some(process) = machine.process() else { continue };
            let Ok(consensus) = process.node.consensus() else { continue };
            let limit = muster_consensus::Settings::default().queue_bytes_max as u64;
            let held = consensus.metrics().queued_bytes as u64;
            let fill = Fill { node: machine.id, queue: "proposals", held, limit };
            self.recorder.with(|seen| {
                let before = seen.fills.entry((fill.node, fill.queue)).or_insert(fill);
                before.held = before.held.max(fill.held);
            });
        }
    }

    /// What every node holds now.
    fn hold(&self) -> std::collections::BTreeMap<usize, Held> {
        let running = self.machines.iter().filter_map(|machine| Some((machine.id, machine.process()?)));
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
    let mut services: Vec<ServiceKey> = (1..=10).map(clients::service).collect();
    services.sort_by_key(ServiceKey::grouped_name);
    services.dedup();
    for service in services {
        let view = node.view(&service);
        let hosts = view.hosts.iter().map(|host| {
            let version = host.metadata.get("version").unwrap_or_default();
            format!("{}:{} {} v{version}", host.host.as_str(), host.port, host.healthy)
        });
        held.services.insert(service.name().as_str().to_owned(), hosts.collect());
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
