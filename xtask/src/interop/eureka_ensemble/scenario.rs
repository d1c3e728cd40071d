//! What is registered, changed and killed, and what every server must show and be told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::watch::{self, Watch};
use super::{NAME, NAMES, NODES, REAL, Servers};
use crate::interop::eureka_peers::registry::{self, Clients, Lease, Manner, Seen, expect, path};
use crate::interop::eureka_peers::{message, until};
use crate::interop::scenario::Tally;

/// Short, so that a run sees several. A server drops what is silent for two of them, or for one if it never renewed.
const LEASE: Lease = Lease { renewal: 1, duration: 8 };

/// How often the clients renew.
const RENEWAL: Duration = Duration::from_secs(1);

/// How many leases go by under what is renewed.
const LEASES: u32 = 3;

/// What comes later than this, also on a busy machine, does not come.
const SEEN_WITHIN: Duration = Duration::from_secs(30);

/// How long a real server stays away at least: nodes compare with one that was away for 3 s.
const AWAY: Duration = Duration::from_secs(5);

/// A run with its servers and clients.
struct Stage<'a> {
    servers: &'a mut Servers,
    clients: &'a Clients,
    watch: &'a Watch,
    tally: Tally,
}

/// Runs everything; each step that does not hold is a failure.
pub(super) fn run(servers: &mut Servers) -> anyhow::Result<Tally> {
    let (clients, watch) = (Clients::new(RENEWAL, LEASE), Watch::new(servers));
    thread::scope(|scope| {
        let mut threads = vec![scope.spawn(|| clients.run())];
        for server in 0..NAMES.len() {
            let watch = &watch;
            threads.push(scope.spawn(move || watch.run(server)));
        }
        let mut stage = Stage { servers, clients: &clients, watch: &watch, tally: Tally::default() };
        stage.all();
        clients.end();
        watch.end();
        let panicked = threads.into_iter().filter_map(|thread| thread.join().err()).count();
        if panicked > 0 { bail!("{panicked} threads panicked") } else { Ok(stage.tally) }
    })
}

impl Stage<'_> {
    fn all(&mut self) {
        let began = Instant::now();
        self.check("registered", |stage| stage.registered());
        self.check("changes", |stage| stage.changes());
        self.check("from-real", |stage| stage.taken_from_real());
        self.check("changed-here", |stage| stage.changed_here());
        self.check("renewed", |stage| stage.renewed(began));
        self.check("owner-killed", |stage| stage.owner_killed());
        self.check("real-killed", |stage| stage.real_killed());
        self.check("lists", |stage| stage.lists());
    }

    fn check(&mut self, name: &str, run: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        let began = Instant::now();
        let came_to = run(self);
        self.tally.note(NAME, name, began.elapsed(), came_to);
    }

    fn at(&self, server: usize) -> SocketAddr {
        self.servers.addresses[server]
    }

    /// Waits until each of these servers shows an instance so.
    fn shown(
        &self,
        servers: &[usize],
        id: &str,
        what: &str,
        is_so: impl Fn(Option<&Seen>) -> bool,
    ) -> anyhow::Result<()> {
        for server in servers {
            let mut last = None;
            let holds = || {
                last = registry::instance(self.at(*server), id).ok();
                last.as_ref().is_some_and(|seen| is_so(seen.as_ref()))
            };
            if until(SEEN_WITHIN, holds).is_none() {
                bail!("{} does not show {id} {what}: {last:?}", NAMES[*server]);
            }
        }
        Ok(())
    }

    fn is_up(&self, servers: &[usize], id: &str) -> anyhow::Result<()> {
        self.shown(servers, id, "as UP", |seen| seen.is_some_and(|seen| seen.status == "UP"))
    }

    fn is_out(&self, servers: &[usize], id: &str) -> anyhow::Result<()> {
        let is_out = |seen: Option<&Seen>| seen.is_some_and(|seen| seen.status == "OUT_OF_SERVICE");
        self.shown(servers, id, "as overridden", is_out)
    }

    fn is_gone(&self, servers: &[usize], id: &str) -> anyhow::Result<()> {
        self.shown(servers, id, "as gone", |seen| seen.is_none())
    }

    fn override_at(&self, server: usize, id: &str) -> anyhow::Result<()> {
        expect(self.at(server), "PUT", &format!("{}/status?value=OUT_OF_SERVICE", path(id)), "", 200)
    }

    fn restore_at(&self, server: usize, id: &str) -> anyhow::Result<()> {
        expect(self.at(server), "DELETE", &format!("{}/status?value=UP", path(id)), "", 200)
    }

    /// Registers an instance at a node; its client renews it at each in turn. All servers must list it from when they do.
    fn keep(&self, node: usize, id: &str) -> anyhow::Result<()> {
        let servers = [0, 1, 2].map(|step| self.at((node + step) % 3));
        self.clients.add(&servers, Manner::EachInTurn, id)
    }

    /// The real servers were told this of an instance by all nodes together, whichever way round, and nothing else.
    fn told_once(&self, real: &[usize], id: &str, actions: &[&str]) -> anyhow::Result<()> {
        let mut expected = actions.to_vec();
        expected.sort_unstable();
        for server in real {
            let mut told = Vec::new();
            until(SEEN_WITHIN, || {
                told = self.servers.told(*server - REAL[0], id);
                told.len() >= expected.len()
            });
            told.sort_unstable();
            if told != expected {
                bail!("{} was told {told:?} of {id}, not {expected:?}", NAMES[*server]);
            }
        }
        Ok(())
    }

    /// No node told a real server anything of an instance.
    fn told_nothing(&self, id: &str) -> anyhow::Result<()> {
        for (at, name) in ["real-a", "real-b"].iter().enumerate() {
            let (told, beats) = (self.servers.told(at, id), self.servers.heartbeats(at, id));
            if !told.is_empty() || beats != [0; 3] {
                bail!("{name} was told {told:?} of {id}, and {beats:?} heartbeats");
            }
        }
        Ok(())
    }

    /// Every node has each registration once, and one of them owns it.
    fn once_each(&self) -> anyhow::Result<()> {
        let mut last = (Vec::new(), 0);
        let are_so = until(SEEN_WITHIN, || {
            let Ok(seen) = self.held_by_others() else { return false };
            last = seen;
            last.0.iter().all(|count| *count == last.0[0]) && last.1 == 2 * last.0[0]
        });
        are_so.map(drop).with_context(|| {
            format!("{:?} instances are listed, and {} held for other nodes", last.0, last.1)
        })
    }

    /// How many instances each node lists, and how many all of them hold that others own.
    fn held_by_others(&self) -> anyhow::Result<(Vec<usize>, usize)> {
        let mut listed = Vec::new();
        let mut foreign = 0;
        for node in NODES {
            listed.push(watch::list(self.at(node))?.len());
            let (_, body) = message::ask(self.at(node), "GET", "/metrics", "")?;
            let text = String::from_utf8_lossy(&body).into_owned();
            let line = text.lines().find_map(|line| line.strip_prefix("muster_mirror_foreign "));
            foreign += line.context("no metric of what others own")?.trim().parse::<usize>()?;
        }
        Ok((listed, foreign))
    }

    /// An instance registers at each node, and one that nobody renews.
    fn registered(&mut self) -> anyhow::Result<()> {
        registry::register(self.at(0), "silent", registry::now_ms(), LEASE)?;
        for node in NODES {
            let id = format!("k-{node}");
            self.keep(node, &id)?;
            self.is_up(&[0, 1, 2, 3, 4], &id)?;
            self.watch.want(&[0, 1, 2, 3, 4], &id);
            self.told_once(&REAL, &id, &["Register"])?;
        }
        Ok(())
    }

    /// Each change of an instance comes to another node.
    fn changes(&mut self) -> anyhow::Result<()> {
        let all = [0, 1, 2, 3, 4];
        for node in NODES {
            let id = format!("c-{node}");
            let [one, two] = [(node + 1) % 3, (node + 2) % 3];
            self.keep(node, &id)?;
            self.is_up(&all, &id)?;
            self.override_at(one, &id)?;
            self.is_out(&all, &id)?;
            self.restore_at(two, &id)?;
            self.is_up(&all, &id)?;
            expect(self.at(one), "PUT", &format!("{}/metadata?version=2", path(&id)), "", 200)?;
            self.shown(&all, &id, "with its metadata", |seen| {
                seen.is_some_and(|seen| seen.metadata.contains("\"version\":\"2\""))
            })?;
            self.clients.cancel(self.at(two), &id)?;
            self.is_gone(&all, &id)?;
            let once = ["Register", "StatusUpdate", "DeleteStatusOverride", "Register", "Cancel"];
            self.told_once(&REAL, &id, &once)?;
        }
        Ok(())
    }

    /// What registers at a real server is told to each node, is there once, and told to nobody.
    fn taken_from_real(&mut self) -> anyhow::Result<()> {
        let mesh = [0, 1, 2, 3];
        for id in ["r-0", "r-gone"] {
            let servers = [3, 1, 2, 0].map(|server| self.at(server));
            self.clients.add(&servers, Manner::Stays, id)?;
            self.is_up(&mesh, id)?;
            self.watch.want(&mesh, id);
            self.override_at(REAL[0], id)?;
            self.is_out(&mesh, id)?;
            self.restore_at(REAL[0], id)?;
            self.is_up(&mesh, id)?;
            for node in NODES {
                // It sends batches side by side: a heartbeat that comes first is not known, and it registers once more.
                let mut told = self.servers.from_real[0][node].told_of(id);
                let all = told.len();
                told.retain(|action| action != "Register");
                if told != ["StatusUpdate", "DeleteStatusOverride"] || told.len() == all {
                    bail!("real-a told {} {told:?} of {id}", NAMES[node]);
                }
            }
        }
        self.once_each()?;
        self.watch.release("r-gone");
        self.clients.cancel(self.at(REAL[0]), "r-gone")?;
        self.is_gone(&mesh, "r-gone")?;
        for id in ["r-0", "r-gone"] {
            self.told_nothing(id)?;
            if registry::instance(self.at(REAL[1]), id)?.is_some() {
                bail!("{id} came to real-b");
            }
        }
        Ok(())
    }

    /// Operators change at our nodes what registered at a real server: it is told that, once.
    fn changed_here(&mut self) -> anyhow::Result<()> {
        let (mesh, id) = ([0, 1, 2, 3], "r-changed");
        self.clients.add(&[self.at(REAL[0])], Manner::Stays, id)?;
        self.is_up(&mesh, id)?;
        self.override_at(1, id)?;
        self.is_out(&mesh, id)?;
        self.restore_at(2, id)?;
        self.is_up(&mesh, id)?;
        self.clients.cancel(self.at(0), id)?;
        self.is_gone(&mesh, id)?;
        self.told_once(&REAL[..1], id, &["StatusUpdate", "DeleteStatusOverride", "Cancel"])
    }

    /// What is renewed at any node outlives its lease everywhere, what is silent does not; owners tell of renewals.
    fn renewed(&mut self, began: Instant) -> anyhow::Result<()> {
        let leases = Duration::from_secs(u64::from(LEASES * LEASE.duration));
        thread::sleep(leases.saturating_sub(began.elapsed()));
        self.is_gone(&[0, 1, 2, 3, 4], "silent")?;
        for owner in NODES {
            let id = format!("k-{owner}");
            self.is_up(&[0, 1, 2, 3, 4], &id)?;
            for (real, name) in ["real-a", "real-b"].iter().enumerate() {
                let beats = self.servers.heartbeats(real, &id);
                if (0..3).any(|node| (beats[node] > 0) != (node == owner)) {
                    bail!("{name} was told {beats:?} heartbeats of {id} by the three nodes");
                }
            }
        }
        self.told_nothing("r-0")?;
        for node in NODES {
            if self.servers.from_real[0][node].forgotten().contains(&"r-0".to_owned()) {
                bail!("{} did not know r-0 any more when real-a told of a renewal", NAMES[node]);
            }
        }
        let unknown = self.clients.unknown();
        if !unknown.is_empty() {
            bail!("not known when they were renewed: {unknown:?}")
        }
        Ok(())
    }

    /// A node dies. Its instances are told of by another one, and nobody is told anew when it is back.
    fn owner_killed(&mut self) -> anyhow::Result<()> {
        let before = [0, 1].map(|real| self.servers.heartbeats(real, "k-0"));
        self.servers.nodes.kill(0)?;
        let began = Instant::now();
        let others = |beats: [usize; 3]| beats[1] + beats[2];
        let goes_on = until(SEEN_WITHIN, || {
            [0, 1].iter().all(|real| others(self.servers.heartbeats(*real, "k-0")) > others(before[*real]))
        });
        goes_on.context("nobody told both real servers of heartbeats")?;
        println!("   {NAME} owner-killed: told of heartbeats again after {:.1?}", began.elapsed());
        self.override_at(2, "k-0")?;
        self.is_out(&[1, 2, 3, 4], "k-0")?;
        let to_others = [1, 2].map(|node| self.at(node));
        self.clients.add(&to_others, Manner::EachInTurn, "k-3")?;
        self.is_up(&[1, 2, 3, 4], "k-3")?;
        self.servers.nodes.restart(0)?;
        self.is_out(&[0], "k-0")?;
        self.is_up(&[0], "k-3")?;
        self.watch.want(&[0, 1, 2, 3, 4], "k-3");
        // It has compared its registry with the real ones': what it tells now comes after whatever that brought.
        self.keep(0, "k-4")?;
        self.is_up(&[0, 1, 2, 3, 4], "k-4")?;
        self.watch.want(&[0, 1, 2, 3, 4], "k-4");
        self.told_once(&REAL, "k-0", &["Register", "StatusUpdate"])?;
        for id in ["k-1", "k-2", "k-3", "k-4"] {
            self.told_once(&REAL, id, &["Register"])?;
        }
        self.told_nothing("r-0")?;
        self.once_each()
    }

    /// A real server dies and comes back with nothing; its client has moved to ours meanwhile.
    fn real_killed(&mut self) -> anyhow::Result<()> {
        let nodes_and_b = [0, 1, 2, 4];
        let mut kept = self.watch.release_all(REAL[0]);
        let before: BTreeMap<String, usize> =
            kept.iter().map(|id| (id.clone(), self.registrations_told(id))).collect();
        self.servers.real[0].kill()?;
        let began = Instant::now();
        self.keep(1, "k-new")?;
        self.is_up(&nodes_and_b, "k-new")?;
        self.watch.want(&nodes_and_b, "k-new");
        self.watch.release("k-2");
        self.clients.cancel(self.at(2), "k-2")?;
        self.is_gone(&nodes_and_b, "k-2")?;
        self.override_at(0, "k-1")?;
        self.is_out(&nodes_and_b, "k-1")?;
        thread::sleep(AWAY.saturating_sub(began.elapsed()));
        self.servers.real[0].restart()?;
        self.servers.real[0].wait_ready()?;
        println!("   {NAME} real-killed: it answers again after {:.1?}", began.elapsed());
        kept.insert("k-new".to_owned());
        kept.remove("k-2");
        for id in &kept {
            let is_out = ["k-0", "k-1"].contains(&id.as_str());
            if is_out {
                self.is_out(&[REAL[0]], id)?
            } else {
                self.is_up(&[REAL[0]], id)?
            }
            self.watch.want(&[REAL[0]], id);
        }
        println!("   {NAME} real-killed: it has everything again after {:.1?}", began.elapsed());
        self.is_gone(&[REAL[0]], "k-2")?;
        // What it told before is ours now, as its client came to us, and the other one is told, too.
        self.told_once(&REAL, "r-0", &["Register"])?;
        // Heartbeats go on, so that whatever is missing would be noticed and told anew.
        let beats = |id: &str| self.servers.heartbeats(0, id).iter().sum::<usize>();
        let at_first: Vec<usize> = kept.iter().map(|id| beats(id)).collect();
        let beaten = || kept.iter().zip(&at_first).all(|(id, first)| beats(id) > first + 2);
        until(SEEN_WITHIN, beaten).context("heartbeats do not go on")?;
        for id in &kept {
            let anew = self.registrations_told(id) - before.get(id).copied().unwrap_or_default();
            if anew != 1 {
                let told = self.servers.told(0, id);
                bail!("real-a was told {anew} registrations of {id} since it is back: {told:?}");
            }
        }
        self.once_each()
    }

    /// How many registrations of an instance real-a was told of.
    fn registrations_told(&self, id: &str) -> usize {
        self.servers.told(0, id).iter().filter(|action| *action == "Register").count()
    }

    /// No list was short, whoever was looked at.
    fn lists(&mut self) -> anyhow::Result<()> {
        let (looks, faults) = self.watch.seen();
        println!("   {NAME} lists: {looks:?} looks at {NAMES:?}");
        if looks.contains(&0) {
            bail!("a server was not looked at: {looks:?}")
        }
        match faults.first() {
            Some(first) => bail!("{} lists were short, the first: {first}", faults.len()),
            None => Ok(()),
        }
    }
}
