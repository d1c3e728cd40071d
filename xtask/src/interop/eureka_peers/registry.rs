//! Clients of the servers: what they register, and what each server lists.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::message;

pub(in crate::interop) const APP: &str = "PEER-TEST";

/// What matters of an instance in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::interop) struct Seen {
    pub(in crate::interop) status: String,
    pub(in crate::interop) overridden: String,
    pub(in crate::interop) last_dirty: String,
    pub(in crate::interop) metadata: String,
}

/// The seconds of a lease, as clients declare them.
#[derive(Clone, Copy)]
pub(in crate::interop) struct Lease {
    pub(in crate::interop) renewal: u32,
    pub(in crate::interop) duration: u32,
}

impl Lease {
    /// That of real clients by default.
    pub(in crate::interop) const DEFAULT: Self = Self { renewal: 30, duration: 90 };
}

/// A registration over HTTP; `dirty` is when the client last changed.
pub(in crate::interop) fn register(at: SocketAddr, id: &str, dirty: u64, lease: Lease) -> anyhow::Result<()> {
    // An address of its own, as Nacos shows one host an address.
    let number = id.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let [_, high, middle, low] = number.to_be_bytes();
    let body = json!({"instance": {
        "instanceId": id, "hostName": id, "app": APP, "ipAddr": format!("10.{high}.{middle}.{low}"), "status": "UP",
        "overriddenStatus": "UNKNOWN", "port": {"$": 8080, "@enabled": "true"},
        "securePort": {"$": 443, "@enabled": "false"}, "countryId": 1,
        "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
        "leaseInfo": {"renewalIntervalInSecs": lease.renewal, "durationInSecs": lease.duration},
        "metadata": {"zone": "z1"}, "vipAddress": "peer-test", "secureVipAddress": "peer-test",
        "lastDirtyTimestamp": dirty.to_string(), "lastUpdatedTimestamp": dirty.to_string(),
    }});
    expect(at, "POST", &format!("/eureka/apps/{APP}"), &body.to_string(), 204)
}

/// A request that must be answered with this status.
pub(in crate::interop) fn expect(
    at: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
    status: u16,
) -> anyhow::Result<()> {
    let (answered, _) = message::ask(at, method, path, body)?;
    if answered != status {
        bail!("{method} {path} at {at}: {answered}, expected {status}");
    }
    Ok(())
}

/// The path of an instance.
pub(in crate::interop) fn path(id: &str) -> String {
    format!("/eureka/apps/{APP}/{id}")
}

/// One instance as a server shows it now; `None` if it does not have it.
pub(in crate::interop) fn instance(at: SocketAddr, id: &str) -> anyhow::Result<Option<Seen>> {
    match message::ask(at, "GET", &path(id), "")? {
        (200, body) => {
            let root: Value = serde_json::from_slice(&body).context("read an instance")?;
            Ok(Some(seen(&root["instance"])))
        }
        (404, _) => Ok(None),
        (status, _) => bail!("GET {} at {at}: {status}", path(id)),
    }
}

/// The instances of these ids that a server has. They are read one by one: a real server's list can stay out of date for
/// three minutes when an instance registers while the list is put together (`ResponseCacheImpl` caches what it had).
pub(in crate::interop) fn held(
    at: SocketAddr,
    ids: &BTreeSet<String>,
) -> anyhow::Result<BTreeMap<String, Seen>> {
    let mut held = BTreeMap::new();
    for id in ids {
        held.extend(instance(at, id)?.map(|seen| (id.clone(), seen)));
    }
    Ok(held)
}

fn seen(instance: &Value) -> Seen {
    Seen {
        status: text(&instance["status"]),
        overridden: text(&instance["overriddenStatus"]),
        last_dirty: text(&instance["lastDirtyTimestamp"]),
        metadata: instance["metadata"].to_string(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Milliseconds since 1970.
pub(in crate::interop) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Clients that renew their instances and register anew when they are not known, as real ones do.
pub(in crate::interop) struct Clients {
    /// How often they renew.
    every: Duration,
    lease: Lease,
    homes: Mutex<BTreeMap<String, Home>>,
    /// Every instance there ever was.
    ever: Mutex<BTreeSet<String>>,
    /// Who did not know which instance.
    unknown: Mutex<Vec<String>>,
    stop: AtomicBool,
}

/// Which of its servers a client renews at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::interop) enum Manner {
    /// One, as long as it answers: as real clients do.
    Stays,
    /// Each in turn.
    EachInTurn,
}

/// Whom an instance's client speaks to.
#[derive(Clone)]
struct Home {
    servers: Vec<SocketAddr>,
    /// Which of them is next.
    next: usize,
    manner: Manner,
    /// When it last changed.
    dirty: u64,
}

impl Clients {
    /// Clients that renew so often.
    pub(in crate::interop) fn new(every: Duration, lease: Lease) -> Self {
        let (homes, ever, unknown) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { every, lease, homes, ever, unknown, stop: AtomicBool::new(false) }
    }

    /// Registers an instance at the first of these servers; its client renews it from now on.
    pub(in crate::interop) fn add(
        &self,
        servers: &[SocketAddr],
        manner: Manner,
        id: &str,
    ) -> anyhow::Result<()> {
        let at = *servers.first().context("a client knows a server")?;
        self.note_registered(at, id, &Home { servers: servers.into(), next: 0, manner, dirty: 0 })
    }

    fn note_registered(&self, at: SocketAddr, id: &str, home: &Home) -> anyhow::Result<()> {
        let dirty = now_ms();
        register(at, id, dirty, self.lease)?;
        self.homes().insert(id.to_owned(), Home { dirty, ..home.clone() });
        self.ever.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        Ok(())
    }

    fn homes(&self) -> MutexGuard<'_, BTreeMap<String, Home>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every instance there ever was.
    pub(in crate::interop) fn ever(&self) -> BTreeSet<String> {
        self.ever.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which renewals were answered that the instance is not known.
    pub(in crate::interop) fn unknown(&self) -> Vec<String> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Cancels an instance at a server, whose client ends.
    pub(in crate::interop) fn cancel(&self, at: SocketAddr, id: &str) -> anyhow::Result<()> {
        self.homes().remove(id);
        expect(at, "DELETE", &path(id), "", 200)
    }

    /// Renews until [`Clients::end`].
    pub(in crate::interop) fn run(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let homes = self.homes().clone();
            for (id, home) in homes {
                self.renew(&id, &home);
            }
            let began = std::time::Instant::now();
            while began.elapsed() < self.every && !self.stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// One renewal, at the first server that answers it. One that none answers is for the next round.
    fn renew(&self, id: &str, home: &Home) {
        let renewal = format!("{}?status=UP&lastDirtyTimestamp={}", path(id), home.dirty);
        for step in 0..home.servers.len() {
            let place = (home.next + step) % home.servers.len();
            let at = home.servers[place];
            let status = message::ask(at, "PUT", &renewal, "").map_or(0, |(status, _)| status);
            if !matches!(status, 200 | 404) {
                continue;
            }
            let next = place + usize::from(home.manner == Manner::EachInTurn);
            if let Some(home) = self.homes().get_mut(id) {
                home.next = next % home.servers.len();
            }
            // Its client may have ended meanwhile.
            let home = self.homes().get(id).cloned().filter(|_| status == 404);
            if let Some(home) = home {
                self.unknown.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{id} at {at}"));
                // A server that is away now is asked again in the next round.
                self.note_registered(at, id, &home).ok();
            }
            return;
        }
    }

    /// Lets [`Clients::run`] return.
    pub(in crate::interop) fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
