//! Active checks of persistent instances, as Nacos makes them (nacos-server `naming/healthcheck`): a TCP connection, a
//! GET or a MySQL greeting, every few seconds, as the instance's cluster says. What a check found is ephemeral state of
//! this node, never in the log. In an ensemble each instance is checked by one node, and the others hear of what it found.

mod http;
mod mysql;
mod owner;
mod pace;
mod probe;
mod schedule;

use crate::Node;
use muster_model::{
    Actor, Cause, ClientId, HealthParams, Kind, Monotonic, NodeId, Reason, ServiceKey, Switches,
};
use muster_registry::{CheckTarget, Checker, Op, SetHealth};
use muster_runtime::Rng;
use pace::Pace;
use parking_lot::Mutex;
use probe::{Finding, probe};
use schedule::{Key, Schedule};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Names that are looked up at one moment at most; the others' checks come later. A lookup holds a thread until the
/// resolver gives up, whatever the time-out of the check.
const LOOKUPS_MAX: usize = 8;
/// Checks that are due within this time are begun together: fewer wake-ups for many instances.
const TOGETHER: Duration = Duration::from_millis(20);
/// How often it is looked for due checks at least; no kind of check has a shorter pause.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// As long as there is nothing to check.
const IDLE: Duration = Duration::from_secs(60);
/// Pause of an instance whose cluster has no checker, until it is looked at again.
const UNCHECKED: Duration = Duration::from_secs(5);

/// How checks are made: the values of Nacos's switches.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// Whether checks change anything.
    enabled: bool,
    /// Equal findings in a row that decide.
    check_times: u32,
    tcp: Pace,
    http: Pace,
    mysql: Pace,
}

impl Rules {
    /// What operators switched.
    fn of(switches: &Switches) -> Self {
        let pace = |params: HealthParams| Pace {
            max: Duration::from_millis(params.max.unsigned_abs()),
            min: Duration::from_millis(params.min.unsigned_abs()),
            factor: params.factor,
        };
        Self {
            enabled: switches.health_check,
            check_times: switches.check_times,
            tcp: pace(switches.tcp_health),
            http: pace(switches.http_health),
            mysql: pace(switches.mysql_health),
        }
    }
}

/// The instances to check.
#[derive(Debug)]
pub(crate) struct HealthChecks {
    schedule: Mutex<Schedule>,
    wake: Notify,
    permits: Arc<Semaphore>,
    lookups: Semaphore,
    stopping: CancellationToken,
}

impl HealthChecks {
    /// No instances yet; at most so many checks are made at one moment, those that are due beyond it wait.
    pub(crate) fn new(rng: Rng, own: NodeId, concurrent_max: usize, stopping: CancellationToken) -> Self {
        Self {
            schedule: Mutex::new(Schedule::new(rng, own)),
            wake: Notify::new(),
            permits: Arc::new(Semaphore::new(concurrent_max)),
            lookups: Semaphore::new(LOOKUPS_MAX),
            stopping,
        }
    }

    /// Takes up an instance that was registered; one that is checked already is left as it is.
    pub(crate) fn begin(&self, client: &ClientId, service: &ServiceKey, now: Monotonic) {
        let begun = self.schedule.lock().begin(&(client.clone(), service.clone()), now);
        if begun.is_some() {
            self.wake.notify_one();
        }
    }

    /// How many instances are checked.
    pub(crate) fn count(&self) -> usize {
        self.schedule.lock().len()
    }

    /// Checks what is due, for as long as the node runs.
    pub(crate) async fn run(node: Arc<Node>) {
        let checks = &node.health_checks;
        loop {
            let now = node.now().mono;
            let (due, next) = checks.schedule.lock().take_due(now);
            for key in due {
                let permit = checks.stopping.run_until_cancelled(checks.permits.clone().acquire_owned());
                let Some(Ok(permit)) = permit.await else { return };
                let checking = node.clone();
                node.tasks.spawn("health check", async move {
                    let stopping = checking.health_checks.stopping.clone();
                    stopping.run_until_cancelled(check(&checking, key)).await;
                    drop(permit);
                });
            }
            let pause = match next {
                // What is under way plans its next check without waking us, and no sooner than that.
                _ if checks.count() > 0 => next.map_or(LOOK_EVERY, |next| {
                    Duration::from_millis(next.since(now)).clamp(TOGETHER, LOOK_EVERY)
                }),
                _ => IDLE,
            };
            tokio::select! {
                biased;
                () = checks.stopping.cancelled() => return,
                () = checks.wake.notified() => tokio::time::sleep(TOGETHER).await,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Plans the next check of an instance.
    fn again(&self, key: Key, pause: Duration, now: Monotonic) {
        self.schedule.lock().plan(key, now.plus(pause.as_millis() as u64));
    }

    /// The pause after a check that took so long.
    fn pause_after(&self, key: &Key, pace: Pace, took: Duration) -> Duration {
        let mut schedule = self.schedule.lock();
        let instances = schedule.len();
        match schedule.tempo(key) {
            Some((tempo, rng)) => tempo.next(pace, took, instances, rng),
            None => pace.max,
        }
    }

    fn end(&self, key: &Key) {
        self.schedule.lock().end(key);
    }

    /// Leaves an instance to the node that checks it; false: that is this one.
    fn leave(&self, key: &Key) -> bool {
        let mut schedule = self.schedule.lock();
        let is_elsewhere = !schedule.owners.is_ours(key);
        if is_elsewhere {
            schedule.leave(key.clone());
        }
        is_elsewhere
    }
}

impl Node {
    /// How many persistent instances are actively checked.
    pub fn checked_instances(&self) -> usize {
        self.health_checks.count()
    }

    /// Divides the checks anew whenever other nodes are reachable, until the node stops.
    pub(crate) async fn run_check_owners(
        self: Arc<Self>,
        mut reachable: watch::Receiver<Arc<BTreeSet<NodeId>>>,
    ) {
        let checks = &self.health_checks;
        loop {
            let nodes = reachable.borrow_and_update().clone();
            let taken = checks.schedule.lock().divide(nodes, self.now().mono);
            if taken > 0 {
                tracing::info!(instances = taken, "health checks of another node are taken over");
                checks.wake.notify_one();
            }
            tokio::select! {
                biased;
                () = checks.stopping.cancelled() => return,
                changed = reachable.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

async fn check(node: &Node, key: Key) {
    let checks = &node.health_checks;
    let (client, service) = &key;
    let target = node.registry.lock().check_target(client, service);
    let Some(target) = target else {
        checks.end(&key);
        // One that was registered again just before that counted as taken up already.
        if node.registry.lock().check_target(client, service).is_some() {
            checks.begin(client, service, node.now().mono);
        }
        return;
    };
    if checks.leave(&key) {
        return;
    }
    let CheckTarget { instance, checker, port, .. } = target;
    let rules = Rules::of(&node.switches());
    let pace = match checker {
        Checker::Tcp => rules.tcp,
        Checker::Http { .. } => rules.http,
        Checker::Mysql { .. } => rules.mysql,
        Checker::None => return checks.again(key, UNCHECKED, node.now().mono),
    };
    let (Some(instance), true) = (instance.first(), rules.enabled) else {
        return checks.again(key, UNCHECKED, node.now().mono);
    };
    let begun = node.now().mono;
    let finding = probe(checks, &checker, instance.host.as_str(), port).await;
    let now = node.now().mono;
    if let Some(finding) = finding {
        let decided = checks.schedule.lock().note(&key, finding, rules.check_times);
        if let Some(healthy) = decided.filter(|healthy| instance.healthy != *healthy) {
            set_health(node, &key, healthy);
        }
    }
    let pause = checks.pause_after(&key, pace, Duration::from_millis(now.since(begun)));
    checks.again(key, pause, now);
}

fn set_health(node: &Node, (client, service): &Key, healthy: bool) {
    debug_assert!(matches!(client, ClientId::Address(_, _, Kind::Persistent)), "only these are checked");
    let cause = Cause { actor: Actor::default(), reason: Reason::HealthCheck };
    let set = SetHealth { client: client.clone(), service: service.clone(), healthy, cause };
    // Refused only if the instance went meanwhile, which the next check finds.
    if let Err(error) = node.apply_ephemeral(Op::SetHealth(set)) {
        tracing::debug!(%service, %error, "health of an instance that is gone");
    }
}
