//! What the three servers are taken through.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;

use super::registry::{self, APP, Clients, Lease, Manner, Seen, expect, path};
use super::{MUSTER, NAME, NAMES, Trio, message, until};
use crate::interop::scenario::Tally;

/// A change is seen at all servers within this.
const SEEN_WITHIN: Duration = Duration::from_secs(1);
/// Seen later than that is late, seen later than this is never.
const LATE_WITHIN: Duration = Duration::from_secs(20);
/// A real server collects changes for half a second and may pause for as long, so it gets as many tries.
const TRIES: usize = 3;

/// Registries are equal again within this: our last look at the list of one that is back comes after 32 s, and that it is back may
/// be noticed 5 s late.
const EQUAL_WITHIN: Duration = Duration::from_secs(45);
/// How long real servers may take to register with each other: one that finds none at its start tries again after 40 s, and on a
/// busy machine more than once.
const JOINED_WITHIN: Duration = Duration::from_secs(180);

/// How often clients renew: real ones do each 30 s.
const RENEWAL: Duration = Duration::from_secs(5);

/// Instances that live at each server all the while.
const RESIDENTS: usize = 10;

/// Batches that are timed, and how long all but one of a hundred may take.
const BATCHES: usize = 200;
const BATCH_WITHIN: Duration = Duration::from_millis(100);

/// A run with its servers and clients.
struct Stage<'a> {
    trio: &'a mut Trio,
    clients: &'a Clients,
    tally: Tally,
}

/// Runs everything; each step that does not hold is a failure.
pub(super) fn run(trio: &mut Trio) -> anyhow::Result<Tally> {
    let clients = Clients::new(RENEWAL, Lease::DEFAULT);
    thread::scope(|scope| {
        let renewing = scope.spawn(|| clients.run());
        let mut stage = Stage { trio, clients: &clients, tally: Tally::default() };
        stage.check("joined", |stage| stage.joined());
        stage.check("replica", |stage| stage.replica());
        stage.check("warm", |stage| stage.warm());
        for (server, name) in NAMES.iter().enumerate() {
            let check = format!("changes-{name}");
            stage.check(&check, |stage| stage.changes_in_time(&format!("i-{name}"), server));
        }
        stage.check("conflict", |stage| stage.conflict());
        stage.check("residents", |stage| stage.residents());
        stage.check("muster-killed", |stage| stage.muster_killed());
        stage.check("real-killed", |stage| stage.real_killed());
        stage.check("batch", |stage| stage.batch());
        clients.end();
        renewing.join().ok().context("the clients panicked")?;
        Ok(stage.tally)
    })
}

impl Stage<'_> {
    fn check(&mut self, name: &str, run: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        let began = Instant::now();
        let came_to = run(self);
        self.tally.note(NAME, name, began.elapsed(), came_to);
    }

    fn at(&self, server: usize) -> SocketAddr {
        self.trio.addresses[server]
    }

    /// Waits until every server shows the same, and that this is so of each; the slowest one's name if not.
    fn everywhere(
        &self,
        what: &str,
        within: Duration,
        holds: impl Fn(SocketAddr) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Duration> {
        let mut slowest = Duration::ZERO;
        let began = Instant::now();
        for (name, address) in NAMES.iter().zip(self.trio.addresses) {
            let left = within.saturating_sub(began.elapsed());
            if until(left, || holds(address).unwrap_or(false)).is_none() {
                bail!("{what} was not seen at {name} within {within:?}");
            }
            slowest = slowest.max(began.elapsed());
        }
        Ok(slowest)
    }

    /// Every server has every server.
    fn joined(&mut self) -> anyhow::Result<()> {
        self.everywhere("each server's own instance", JOINED_WITHIN, |at| {
            let (_, body) = message::ask(at, "GET", "/eureka/apps/EUREKA-SERVER", "")?;
            let text = String::from_utf8_lossy(&body).into_owned();
            Ok(["real-a", "real-b", "127.0.0.1"]
                .iter()
                .all(|host| text.contains(&format!("\"hostName\":\"{host}\""))))
        })
        .map(drop)
    }

    /// The real servers show ours among the available replicas, by the host of its URL.
    fn replica(&mut self) -> anyhow::Result<()> {
        for server in [0, 1] {
            let url = self.trio.relay(server, MUSTER).url();
            let available = until(EQUAL_WITHIN, || {
                let page =
                    message::ask(self.at(server), "GET", "/", "").map(|(_, body)| body).unwrap_or_default();
                let page = String::from_utf8_lossy(&page).into_owned();
                let row = page.split("available-replicas").nth(2).unwrap_or_default();
                row.split("</tr>").next().unwrap_or_default().contains(&url)
            });
            if available.is_none() {
                bail!("{} does not show Muster as an available replica", NAMES[server]);
            }
        }
        Ok(())
    }

    /// The first calls of a real server take seconds, as it loads its classes.
    fn warm(&mut self) -> anyhow::Result<()> {
        let mut names = NAMES.iter().enumerate();
        names.try_for_each(|(server, name)| self.changes(&format!("warm-{name}"), server).map(drop))
    }

    /// The changes of one instance are seen in time, each of them, in one of the tries.
    fn changes_in_time(&mut self, id: &str, server: usize) -> anyhow::Result<()> {
        for number in 1..=TRIES {
            let slowest = self.changes(&format!("{id}-{number}"), server)?;
            if slowest <= SEEN_WITHIN {
                return Ok(());
            }
        }
        bail!("a change was seen everywhere later than after {SEEN_WITHIN:?}, in {TRIES} tries")
    }

    /// A registration, an override and its end, metadata and a cancellation at one server are seen at all, and each was
    /// told once to each other server, and by nobody else. Gives how long the slowest took.
    fn changes(&mut self, id: &str, server: usize) -> anyhow::Result<Duration> {
        let (at, item, within) = (self.at(server), path(id), LATE_WITHIN);
        let shows = |status: &'static str, overridden: &'static str| {
            move |at| {
                Ok(registry::instance(at, id)?
                    .is_some_and(|seen| seen.status == status && seen.overridden == overridden))
            }
        };
        let mut took = Vec::new();
        registry::register(at, id, registry::now_ms(), Lease::DEFAULT)?;
        took.push(self.everywhere("the registration", within, shows("UP", "UNKNOWN"))?);
        expect(at, "PUT", &format!("{item}/status?value=OUT_OF_SERVICE"), "", 200)?;
        took.push(self.everywhere("the override", within, shows("OUT_OF_SERVICE", "OUT_OF_SERVICE"))?);
        expect(at, "DELETE", &format!("{item}/status?value=UP"), "", 200)?;
        took.push(self.everywhere("the end of the override", within, shows("UP", "UNKNOWN"))?);
        expect(at, "PUT", &format!("{item}/metadata?version=2"), "", 200)?;
        took.push(self.everywhere("the metadata", within, |at| {
            Ok(registry::instance(at, id)?.is_some_and(|seen| seen.metadata.contains("\"version\":\"2\"")))
        })?);
        expect(at, "DELETE", &item, "", 200)?;
        took.push(
            self.everywhere("the cancellation", within, |at| Ok(registry::instance(at, id)?.is_none()))?,
        );
        println!("   {NAME} {id}: seen everywhere after {took:.0?}");
        self.told_once(id, server)?;
        Ok(took.into_iter().max().unwrap_or_default())
    }

    fn told_once(&self, id: &str, server: usize) -> anyhow::Result<()> {
        let once = ["Register", "StatusUpdate", "DeleteStatusOverride", "Register", "Cancel"];
        for (from, name) in NAMES.iter().enumerate() {
            for (to, other) in NAMES.iter().enumerate().filter(|(to, _)| *to != from) {
                let told = self.trio.relay(from, to).told_of(id);
                let expected = if from == server { &once[..] } else { &[] };
                if told != expected {
                    bail!("{name} told {other} {told:?}, expected {expected:?}");
                }
            }
        }
        Ok(())
    }

    /// The same instance registers at two servers: the later change wins at all of them, whoever is told last.
    fn conflict(&mut self) -> anyhow::Result<()> {
        let (id, now) = ("i-conflict", registry::now_ms());
        for (newer, older) in [(0, MUSTER), (MUSTER, 0)] {
            registry::register(self.at(newer), id, now + 1_000, Lease::DEFAULT)?;
            registry::register(self.at(older), id, now, Lease::DEFAULT)?;
            self.everywhere("the later change", LATE_WITHIN, |at| {
                let seen = registry::instance(at, id)?;
                Ok(seen.is_some_and(|seen| seen.last_dirty == (now + 1_000).to_string()))
            })?;
            expect(self.at(older), "DELETE", &path(id), "", 200)?;
            self.everywhere("the cancellation", LATE_WITHIN, |at| Ok(registry::instance(at, id)?.is_none()))?;
        }
        Ok(())
    }

    fn residents(&mut self) -> anyhow::Result<()> {
        for (server, name) in NAMES.iter().enumerate() {
            for number in 0..RESIDENTS {
                self.clients.add(&[self.at(server)], Manner::Stays, &format!("r-{name}-{number}"))?;
            }
        }
        self.equal(3 * RESIDENTS).map(drop)
    }

    /// Waits until all three hold the same.
    fn equal(&self, count: usize) -> anyhow::Result<Duration> {
        let mut lists: Vec<BTreeMap<String, Seen>> = Vec::new();
        let ids = self.clients.ever();
        let took = until(EQUAL_WITHIN, || {
            let read: anyhow::Result<Vec<_>> =
                self.trio.addresses.iter().map(|at| registry::held(*at, &ids)).collect();
            lists = read.unwrap_or_default();
            lists.len() == NAMES.len() && lists.iter().all(|list| *list == lists[0] && list.len() == count)
        });
        took.with_context(|| format!("not equal: {}", difference(&lists, count)))
    }

    /// Ours dies without a word; while it is away instances come, go and are overridden at the others.
    fn muster_killed(&mut self) -> anyhow::Result<()> {
        self.trio.muster.kill()?;
        self.clients.cancel(self.at(0), "r-real-a-0")?;
        self.clients.add(&[self.at(1)], Manner::Stays, "r-real-b-new")?;
        expect(self.at(1), "PUT", &format!("{}/status?value=OUT_OF_SERVICE", path("r-real-a-1")), "", 200)?;
        thread::sleep(Duration::from_secs(5));
        self.trio.muster.restart()?;
        let took = self.equal(3 * RESIDENTS)?;
        println!("   {NAME} muster-killed: equal after {took:.1?}");
        self.overridden("r-real-a-1")
    }

    /// A real one dies; while it is away instances come, go and are overridden at ours.
    fn real_killed(&mut self) -> anyhow::Result<()> {
        self.trio.real[0].kill()?;
        self.clients.cancel(self.at(MUSTER), "r-muster-0")?;
        self.clients.add(&[self.at(MUSTER)], Manner::Stays, "r-muster-new")?;
        expect(
            self.at(MUSTER),
            "PUT",
            &format!("{}/status?value=OUT_OF_SERVICE", path("r-muster-1")),
            "",
            200,
        )?;
        thread::sleep(Duration::from_secs(5));
        self.trio.real[0].restart()?;
        self.trio.real[0].wait_ready()?;
        let took = self.equal(3 * RESIDENTS)?;
        println!("   {NAME} real-killed: equal after {took:.1?}");
        self.overridden("r-muster-1")
    }

    fn overridden(&self, id: &str) -> anyhow::Result<()> {
        self.everywhere("the override", EQUAL_WITHIN, |at| {
            Ok(registry::instance(at, id)?.is_some_and(|seen| seen.status == "OUT_OF_SERVICE"))
        })
        .map(drop)
    }

    /// A full batch is answered in time, also when it renews, overrides and registers.
    fn batch(&mut self) -> anyhow::Result<()> {
        let at = self.at(MUSTER);
        let mut took: Vec<Duration> = Vec::with_capacity(BATCHES);
        for round in 0..BATCHES {
            let items: Vec<_> = (0..250).map(|number| item(&format!("b-{number}"), round)).collect();
            let body = json!({"replicationList": items}).to_string();
            let began = Instant::now();
            let (status, answer) = message::ask(at, "POST", "/eureka/peerreplication/batch/", &body)?;
            took.push(began.elapsed());
            let answers = String::from_utf8_lossy(&answer).matches("\"statusCode\":200").count();
            if status != 200 || answers != 250 {
                bail!("batch {round}: {status}, {answers} items of 250 answered 200");
            }
        }
        took.sort_unstable();
        let (median, p99) = (took[BATCHES / 2], took[BATCHES * 99 / 100]);
        println!("   {NAME} batch: 250 items in {median:.1?} (median), {p99:.1?} (p99)");
        if p99 >= BATCH_WITHIN {
            bail!("a batch of 250 items took {p99:?} (p99)");
        }
        Ok(())
    }
}

/// An item of a batch: the first round registers, later ones do a bit of everything.
fn item(id: &str, round: usize) -> serde_json::Value {
    let head = |action: &str, status: &str| {
        json!({"appName": APP, "id": id, "lastDirtyTimestamp": 1_700_000_000_000_u64 + round as u64,
               "status": status, "action": action})
    };
    match round % 5 {
        0 => {
            let mut item = head("Register", "UP");
            item["instanceInfo"] = json!({
                "instanceId": id, "hostName": id, "app": APP, "ipAddr": "10.0.0.9", "status": "UP",
                "port": {"$": 8080, "@enabled": "true"}, "securePort": {"$": 443, "@enabled": "false"},
                "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
                "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 90},
                "metadata": {"round": round.to_string()}, "vipAddress": "peer-test", "secureVipAddress": "peer-test",
                "lastDirtyTimestamp": (1_700_000_000_000_u64 + round as u64).to_string(),
            });
            item
        }
        1 => head("StatusUpdate", "OUT_OF_SERVICE"),
        3 => head("DeleteStatusOverride", "UP"),
        _ => {
            let mut item = head("Heartbeat", "UP");
            // As old as the registration or the override, whichever came last.
            item["lastDirtyTimestamp"] = json!(1_700_000_000_000_u64 + (round - 1) as u64);
            item
        }
    }
}

/// The first differences between lists that should be equal, for people.
fn difference(lists: &[BTreeMap<String, Seen>], count: usize) -> String {
    let sizes: Vec<usize> = lists.iter().map(BTreeMap::len).collect();
    let mut text = format!("{sizes:?} instances at {NAMES:?}, expected {count}");
    let ids: std::collections::BTreeSet<&String> = lists.iter().flat_map(BTreeMap::keys).collect();
    for id in ids {
        let seen: Vec<Option<&Seen>> = lists.iter().map(|list| list.get(id)).collect();
        if seen.iter().any(|one| *one != seen[0]) && text.len() < 2_000 {
            text.push_str(&format!("\n     {id}: {seen:?}"));
        }
    }
    text
}
