//! Active checks of persistent instances: a TCP connection to each every few seconds, as Nacos does
//! (naming `TcpHealthCheckProcessor`). What a check found is ephemeral state of this node, never in the log.
//!
//! Clusters whose checker is HTTP or MYSQL are not checked here yet; their instances keep the health they have.

use crate::Node;
use foldhash::HashMap;
use muster_model::{Actor, Cause, ClientId, Kind, Monotonic, Reason, ServiceKey};
use muster_registry::{CheckTarget, Checker, Op, SetHealth};
use muster_runtime::Rng;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpStream, lookup_host},
    sync::{Notify, Semaphore},
    time::timeout,
};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// Equal results in a row that flip the health; a refused connection flips it at once.
const CONSECUTIVE: u8 = 3;
/// The first check of an instance comes within this time of its registration.
const FIRST_WITHIN_MS: u64 = 1_000;
/// Between two checks of one instance.
const EVERY_MS: std::ops::Range<u64> = 1_000..5_000;
/// Checks at one moment at most; those that are due beyond it wait.
const CONCURRENT_MAX: usize = 64;
/// Names that are looked up at one moment at most; the others' checks come later. A lookup holds a thread until the
/// resolver gives up, whatever the time-out of the check.
const LOOKUPS_MAX: usize = 8;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Reachable,
    Silent,
    Refused,
}

/// The instances to check: when each is next, and its latest results.
#[derive(Debug)]
pub(crate) struct HealthChecks {
    state: Mutex<State>,
    wake: Notify,
    permits: Arc<Semaphore>,
    lookups: Semaphore,
}

#[derive(Debug)]
struct State {
    due: BTreeMap<(Monotonic, u64), (ClientId, ServiceKey)>,
    streaks: HashMap<(ClientId, ServiceKey), Streak>,
    sequence: u64,
    rng: Rng,
}

/// Equal findings in a row.
#[derive(Clone, Copy, Debug)]
struct Streak {
    healthy: bool,
    length: u8,
}

impl HealthChecks {
    pub(crate) fn new(rng: Rng) -> Self {
        let state = State { due: BTreeMap::new(), streaks: HashMap::default(), sequence: 0, rng };
        Self {
            state: Mutex::new(state),
            wake: Notify::new(),
            permits: Arc::new(Semaphore::new(CONCURRENT_MAX)),
            lookups: Semaphore::new(LOOKUPS_MAX),
        }
    }

    /// Takes up an instance that was registered; one that is checked already is left as it is.
    pub(crate) fn begin(&self, client: &ClientId, service: &ServiceKey, now: Monotonic) {
        let mut state = self.state.lock();
        let key = (client.clone(), service.clone());
        if !state.streaks.contains_key(&key) {
            state.streaks.insert(key.clone(), Streak { healthy: true, length: 0 });
            let after = state.rng.below(FIRST_WITHIN_MS);
            state.plan(key, now.plus(after));
            self.wake.notify_one();
        }
    }

    /// Checks what is due, for as long as the node runs.
    pub(crate) async fn run(node: Arc<Node>) {
        let checks = &node.health_checks;
        let stopping = node.tasks.stopping();
        loop {
            let now = node.now().mono;
            let (due, next) = checks.state.lock().take_due(now);
            for (client, service) in due {
                let Ok(permit) = checks.permits.clone().acquire_owned().await else { return };
                let checking = node.clone();
                node.tasks.spawn("health check", async move {
                    check(&checking, client, service).await;
                    drop(permit);
                });
            }
            let pause = Duration::from_millis(next.map_or(60_000, |next| next.since(now).max(1)));
            tokio::select! {
                () = stopping.cancelled() => return,
                () = checks.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Notes a finding; gives the health to set, if this finding decides one.
    fn note(&self, client: &ClientId, service: &ServiceKey, finding: Finding) -> Option<bool> {
        let mut state = self.state.lock();
        let streak = state.streaks.get_mut(&(client.clone(), service.clone()))?;
        let healthy = finding == Finding::Reachable;
        if streak.healthy != healthy {
            *streak = Streak { healthy, length: 0 };
        }
        streak.length = streak.length.saturating_add(1);
        (finding == Finding::Refused || streak.length >= CONSECUTIVE).then_some(healthy)
    }

    fn again(&self, key: (ClientId, ServiceKey), now: Monotonic) {
        let mut state = self.state.lock();
        let after = EVERY_MS.start + state.rng.below(EVERY_MS.end - EVERY_MS.start);
        state.plan(key, now.plus(after));
        self.wake.notify_one();
    }

    fn end(&self, key: &(ClientId, ServiceKey)) {
        self.state.lock().streaks.remove(key);
    }
}

impl State {
    fn plan(&mut self, key: (ClientId, ServiceKey), at: Monotonic) {
        self.sequence += 1;
        self.due.insert((at, self.sequence), key);
    }

    fn take_due(&mut self, now: Monotonic) -> (Vec<(ClientId, ServiceKey)>, Option<Monotonic>) {
        let later = self.due.split_off(&(now.plus(1), 0));
        let due = std::mem::replace(&mut self.due, later).into_values().collect();
        (due, self.due.keys().next().map(|(at, _)| *at))
    }
}

async fn check(node: &Node, client: ClientId, service: ServiceKey) {
    let target = node.registry.lock().check_target(&client, &service);
    let Some(CheckTarget { instance, checker, port, .. }) = target else {
        node.health_checks.end(&(client.clone(), service.clone()));
        // One that was registered again just before that counted as taken up already.
        if node.registry.lock().check_target(&client, &service).is_some() {
            node.health_checks.begin(&client, &service, node.now().mono);
        }
        return;
    };
    let (Checker::Tcp, Some(instance)) = (checker, instance.first()) else {
        return node.health_checks.again((client, service), node.now().mono);
    };
    let finding = probe(node, instance.host.as_str(), port).await;
    if let Some(finding) = finding
        && let Some(healthy) = node.health_checks.note(&client, &service, finding)
        && instance.healthy != healthy
    {
        debug_assert!(matches!(client, ClientId::Address(_, _, Kind::Persistent)), "only these are checked");
        let cause = Cause { actor: Actor::default(), reason: Reason::HealthCheck };
        let set = SetHealth { client: client.clone(), service: service.clone(), healthy, cause };
        // Refused only if the instance went meanwhile, which the next check finds.
        if let Err(error) = node.apply_ephemeral(Op::SetHealth(set)) {
            tracing::debug!(%service, %error, "health of an instance that is gone");
        }
    }
    node.health_checks.again((client, service), node.now().mono);
}

/// What a connection to a host finds; `None` if its name could not be looked up now.
async fn probe(node: &Node, host: &str, port: u16) -> Option<Finding> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(connect((address, port).into()).await);
    }
    let permit = node.health_checks.lookups.try_acquire().ok()?;
    let stopping = node.tasks.stopping();
    let found = stopping.run_until_cancelled(lookup_host((host, port))).await?;
    drop(permit);
    match found.ok().and_then(|mut addresses| addresses.next()) {
        Some(address) => Some(connect(address).await),
        None => Some(Finding::Silent),
    }
}

async fn connect(address: SocketAddr) -> Finding {
    match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Finding::Reachable,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Finding::Refused,
        Ok(Err(_)) | Err(_) => Finding::Silent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{GroupName, Host, Namespace, ServiceName};

    fn key() -> (ClientId, ServiceKey) {
        let service =
            ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new("s").unwrap());
        (ClientId::Address(Host::new("10.0.0.1").unwrap(), 80, Kind::Persistent), service)
    }

    #[test]
    fn three_equal_findings_or_a_refusal_decide() {
        let checks = HealthChecks::new(Rng::seeded(1));
        let (client, service) = key();
        checks.begin(&client, &service, Monotonic(0));
        let note = |finding| checks.note(&client, &service, finding);
        assert_eq!(note(Finding::Silent), None);
        assert_eq!(note(Finding::Silent), None);
        assert_eq!(note(Finding::Silent), Some(false));
        assert_eq!(note(Finding::Reachable), None);
        assert_eq!(note(Finding::Refused), Some(false));
    }

    #[test]
    fn an_instance_is_planned_once_however_often_it_registers() {
        let checks = HealthChecks::new(Rng::seeded(1));
        let (client, service) = key();
        checks.begin(&client, &service, Monotonic(0));
        checks.begin(&client, &service, Monotonic(0));
        let (due, next) = checks.state.lock().take_due(Monotonic(FIRST_WITHIN_MS));
        assert_eq!((due.len(), next), (1, None));
    }

    #[tokio::test]
    async fn a_closed_port_is_refused_and_an_open_one_reachable() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(connect(address).await, Finding::Reachable);
        drop(listener);
        assert_eq!(connect(address).await, Finding::Refused);
    }
}
