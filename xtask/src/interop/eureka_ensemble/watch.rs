//! Looks at the lists of all servers all the while, and notes each one that is short.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{NAMES, NODES, Servers};
use crate::interop::eureka_peers::message;
use crate::interop::eureka_peers::registry::{self, APP};

/// Between two looks at a server.
const PAUSE: Duration = Duration::from_millis(50);

/// What every server must list, and what was seen.
pub(super) struct Watch {
    servers: [SocketAddr; 5],
    /// By server.
    wanted: Mutex<[BTreeSet<String>; 5]>,
    looks: [AtomicUsize; 5],
    faults: Mutex<Vec<String>>,
    began: Instant,
    stop: AtomicBool,
}

impl Watch {
    pub(super) fn new(servers: &Servers) -> Self {
        Self {
            servers: servers.addresses,
            wanted: Mutex::default(),
            looks: Default::default(),
            faults: Mutex::default(),
            began: Instant::now(),
            stop: AtomicBool::new(false),
        }
    }

    /// From now on these servers list an instance whenever they answer.
    pub(super) fn want(&self, servers: &[usize], id: &str) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        for server in servers {
            wanted[*server].insert(id.to_owned());
        }
    }

    /// An instance may go.
    pub(super) fn release(&self, id: &str) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        for ids in &mut *wanted {
            ids.remove(id);
        }
    }

    /// A server may lack everything; what it had to list.
    pub(super) fn release_all(&self, server: usize) -> BTreeSet<String> {
        std::mem::take(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner)[server])
    }

    fn wanted(&self, server: usize) -> BTreeSet<String> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)[server].clone()
    }

    /// How often each server was looked at while it answered, and the lists that were short.
    pub(super) fn seen(&self) -> ([usize; 5], Vec<String>) {
        let looks = self.looks.each_ref().map(|looks| looks.load(Ordering::Relaxed));
        (looks, self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Looks at one server until [`Watch::end`].
    pub(super) fn run(&self, server: usize) {
        while !self.stop.load(Ordering::Relaxed) {
            let wanted = self.wanted(server);
            let (at, looked) = (self.servers[server], self.began.elapsed());
            // One that is down, or says that it is starting, lists nothing wrong.
            if let Ok(listed) = if NODES.contains(&server) { list(at) } else { those(at, &wanted) } {
                self.looks[server].fetch_add(1, Ordering::Relaxed);
                let still = self.wanted(server);
                let missing: Vec<&String> =
                    wanted.iter().filter(|id| still.contains(*id) && !listed.contains(id)).collect();
                let different: BTreeSet<&String> = listed.iter().collect();
                if !missing.is_empty() || different.len() < listed.len() {
                    let fault = format!("{} {looked:.1?}: lacks {missing:?} in {listed:?}", NAMES[server]);
                    self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
                }
            }
            thread::sleep(PAUSE);
        }
    }

    /// Lets [`Watch::run`] return.
    pub(super) fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The ids that a node lists, in its order.
pub(super) fn list(at: SocketAddr) -> anyhow::Result<Vec<String>> {
    let (status, body) = message::ask(at, "GET", &format!("/eureka/apps/{APP}"), "")?;
    match status {
        404 => Ok(Vec::new()),
        200 => {
            let root: Value = serde_json::from_slice(&body)?;
            let instances = root["application"]["instance"].as_array().map(Vec::as_slice).unwrap_or_default();
            let id = |instance: &Value| instance["instanceId"].as_str().unwrap_or_default().to_owned();
            Ok(instances.iter().map(id).collect())
        }
        _ => anyhow::bail!("a list was answered {status}"),
    }
}

/// Which of these a real server has: its lists may be out of date.
fn those(at: SocketAddr, ids: &BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    registry::held(at, ids).map(|held| held.into_keys().collect())
}
