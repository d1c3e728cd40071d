//! Clients of the servers: what they register, and what each server lists.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::message;

/// How often clients renew: real ones do each 30 s.
const RENEWAL: Duration = Duration::from_secs(5);

pub(super) const APP: &str = "PEER-TEST";

/// What matters of an instance in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) status: String,
    pub(super) overridden: String,
    pub(super) last_dirty: String,
    pub(super) metadata: String,
}

/// A registration over HTTP; `dirty` is when the client last changed.
pub(super) fn register(at: SocketAddr, id: &str, dirty: u64) -> anyhow::Result<()> {
    let body = json!({"instance": {
        "instanceId": id, "hostName": id, "app": APP, "ipAddr": "10.0.0.1", "status": "UP",
        "overriddenStatus": "UNKNOWN", "port": {"$": 8080, "@enabled": "true"},
        "securePort": {"$": 443, "@enabled": "false"}, "countryId": 1,
        "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
        "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 90},
        "metadata": {"zone": "z1"}, "vipAddress": "peer-test", "secureVipAddress": "peer-test",
        "lastDirtyTimestamp": dirty.to_string(), "lastUpdatedTimestamp": dirty.to_string(),
    }});
    expect(at, "POST", &format!("/eureka/apps/{APP}"), &body.to_string(), 204)
}

/// A request that must be answered with this status.
pub(super) fn expect(
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
pub(super) fn path(id: &str) -> String {
    format!("/eureka/apps/{APP}/{id}")
}

/// One instance as a server shows it now; `None` if it does not have it.
pub(super) fn instance(at: SocketAddr, id: &str) -> anyhow::Result<Option<Seen>> {
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
pub(super) fn held(at: SocketAddr, ids: &BTreeSet<String>) -> anyhow::Result<BTreeMap<String, Seen>> {
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
pub(super) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Clients that renew their instances and register anew when they are not known, as real ones do.
#[derive(Default)]
pub(super) struct Clients {
    /// Where each instance's client speaks to, and when it last changed.
    homes: Mutex<BTreeMap<String, (SocketAddr, u64)>>,
    /// Every instance there ever was.
    ever: Mutex<BTreeSet<String>>,
    stop: AtomicBool,
}

impl Clients {
    /// Registers an instance, which is renewed from now on.
    pub(super) fn add(&self, at: SocketAddr, id: &str) -> anyhow::Result<()> {
        let dirty = now_ms();
        register(at, id, dirty)?;
        self.homes.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), (at, dirty));
        self.ever.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        Ok(())
    }

    /// Every instance there ever was.
    pub(super) fn ever(&self) -> BTreeSet<String> {
        self.ever.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Cancels an instance at a server, whose client ends.
    pub(super) fn cancel(&self, at: SocketAddr, id: &str) -> anyhow::Result<()> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        expect(at, "DELETE", &path(id), "", 200)
    }

    /// Renews until [`Clients::end`].
    pub(super) fn run(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for (id, (at, dirty)) in homes {
                let renewal = format!("{}?status=UP&lastDirtyTimestamp={dirty}", path(&id));
                let answer = message::ask(at, "PUT", &renewal, "");
                let is_there = || self.homes.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&id);
                if answer.is_ok_and(|(status, _)| status == 404) && is_there() {
                    // A server that is away now is asked again in the next round.
                    self.add(at, &id).ok();
                }
            }
            let began = std::time::Instant::now();
            while began.elapsed() < RENEWAL && !self.stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// Lets [`Clients::run`] return.
    pub(super) fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
