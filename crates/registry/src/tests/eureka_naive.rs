//! Random registrations over both protocols, and operators, against a model that is too simple to be wrong.

use super::{eureka::*, *};
use proptest::prelude::*;
use std::collections::BTreeMap;

const APPS: [&str; 2] = ["ORDER", "PAY"];
/// The first and the last are at one address.
const IDS: [&str; 4] = ["a", "b", "c", "d"];
const HOSTS: u64 = 3;
const DURATION_MS: u64 = 30_000;

fn host_of(id: usize) -> u64 {
    id as u64 % HOSTS + 1
}

#[derive(Clone)]
struct NaiveFacet {
    declared: EurekaStatus,
    dirty: i64,
    renewed_at: u64,
    is_renewed: bool,
}

#[derive(Default)]
struct Naive {
    facets: BTreeMap<(usize, usize), NaiveFacet>,
    /// Weight and enabled, by application and host.
    nacos: BTreeMap<(usize, u64), (u8, bool)>,
    statuses: BTreeMap<(usize, usize), EurekaStatus>,
    enabled: BTreeMap<(usize, u64), bool>,
    now: u64,
}

impl Naive {
    fn is_lost(&self, facet: &NaiveFacet) -> bool {
        self.now - facet.renewed_at >= DURATION_MS
    }

    fn expire(&mut self) {
        let now = self.now;
        self.facets.retain(|_, facet| {
            let kept = if facet.is_renewed { 2 * DURATION_MS } else { DURATION_MS };
            now - facet.renewed_at < kept
        });
    }

    fn facets_at(&self, app: usize, host: u64) -> impl Iterator<Item = (usize, &NaiveFacet)> {
        let at = self.facets.iter().filter(move |((of, id), _)| (*of, host_of(*id)) == (app, host));
        at.map(|((_, id), facet)| (*id, facet))
    }

    /// Address, enabled and healthy of each host.
    fn nacos_view(&self, app: usize) -> Vec<String> {
        let hosts = (1..=HOSTS).filter_map(|host| {
            let facets: Vec<_> = self.facets_at(app, host).collect();
            let (mut enabled, mut healthy, facets) = match self.nacos.get(&(app, host)) {
                Some((_, enabled)) => {
                    let is_out = facets.iter().any(|(_, facet)| facet.declared == EurekaStatus::OutOfService);
                    (*enabled && !is_out, true, facets)
                }
                None => {
                    let newest = facets.into_iter().max_by_key(|(_, facet)| facet.dirty)?;
                    let is_out = newest.1.declared == EurekaStatus::OutOfService;
                    let is_up = is_out || newest.1.declared == EurekaStatus::Up;
                    (!is_out, is_up && !self.is_lost(newest.1), vec![newest])
                }
            };
            enabled = self.enabled.get(&(app, host)).copied().unwrap_or(enabled);
            let set: Vec<_> = facets.iter().filter_map(|(id, _)| self.statuses.get(&(app, *id))).collect();
            let order = [
                EurekaStatus::OutOfService,
                EurekaStatus::Down,
                EurekaStatus::Starting,
                EurekaStatus::Unknown,
                EurekaStatus::Up,
            ];
            match order.into_iter().find(|status| set.contains(&status)) {
                None => {}
                Some(EurekaStatus::OutOfService) => enabled = false,
                Some(status) => (enabled, healthy) = (true, status == EurekaStatus::Up),
            }
            Some(format!("10.0.0.{host} {enabled} {healthy}"))
        });
        hosts.collect()
    }

    fn eureka_view(&self, app: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for ((_, id), facet) in self.facets.iter().filter(|((of, _), _)| *of == app) {
            let host = host_of(*id);
            let nacos = self.nacos.get(&(app, host));
            let enabled = self.enabled.get(&(app, host)).copied();
            let mut overridden = self.statuses.get(&(app, *id)).copied();
            if enabled == Some(false) && overridden.is_none() {
                overridden = Some(EurekaStatus::OutOfService);
            }
            let is_out =
                facet.declared == EurekaStatus::OutOfService || nacos.is_some_and(|(_, enabled)| !enabled);
            let weight = nacos.map_or(1, |(weight, _)| *weight);
            let mut status = facet.declared;
            if is_out && enabled != Some(true) {
                status = EurekaStatus::OutOfService;
            } else if matches!(status, EurekaStatus::Up | EurekaStatus::OutOfService) {
                status = match (weight, self.is_lost(facet) && nacos.is_none()) {
                    (0, _) => EurekaStatus::OutOfService,
                    (_, true) => EurekaStatus::Down,
                    (_, false) => EurekaStatus::Up,
                };
            }
            let status = overridden.unwrap_or(status);
            lines.push(line_of(APPS[app], IDS[*id], status, overridden, false));
        }
        for ((_, host), (weight, enabled)) in self.nacos.iter().filter(|((of, _), _)| *of == app) {
            if self.facets_at(app, *host).next().is_some() {
                continue;
            }
            let over = self.enabled.get(&(app, *host)).copied();
            let overridden = (over == Some(false)).then_some(EurekaStatus::OutOfService);
            let is_up = over.unwrap_or(*enabled) && *weight > 0;
            let status = if is_up { EurekaStatus::Up } else { EurekaStatus::OutOfService };
            let id = format!("10.0.0.{host}:{}:80", APPS[app].to_lowercase());
            lines.push(line_of(APPS[app], &id, status, overridden, true));
        }
        lines.sort();
        lines
    }
}

fn line_of(
    app: &str,
    id: &str,
    status: EurekaStatus,
    overridden: Option<EurekaStatus>,
    derived: bool,
) -> String {
    let overridden = overridden.filter(|status| *status != EurekaStatus::Unknown);
    let overridden = overridden.map_or(String::new(), |status| format!(" overridden {}", status.as_str()));
    format!("{app}/{id} {}{overridden}{}", status.as_str(), if derived { " derived" } else { "" })
}

#[derive(Clone, Debug)]
enum Step {
    Register(usize, usize, EurekaStatus),
    Cancel(usize, usize),
    Renew(usize, usize),
    Status(usize, usize, Option<EurekaStatus>),
    Nacos(usize, u64, u8, bool),
    Withdraw(usize, u64),
    Enable(usize, u64, bool),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (app, id, host) = (|| 0..APPS.len(), || 0..IDS.len(), || 1..=HOSTS);
    let status = || proptest::sample::select(EurekaStatus::ALL.to_vec());
    prop_oneof![
        6 => (app(), id(), status()).prop_map(|(app, id, status)| Step::Register(app, id, status)),
        2 => (app(), id()).prop_map(|(app, id)| Step::Cancel(app, id)),
        4 => (app(), id()).prop_map(|(app, id)| Step::Renew(app, id)),
        3 => (app(), id(), proptest::option::of(status()))
            .prop_map(|(app, id, status)| Step::Status(app, id, status)),
        3 => (app(), host(), 0..3u8, any::<bool>())
            .prop_map(|(app, host, weight, enabled)| Step::Nacos(app, host, weight, enabled)),
        2 => (app(), host()).prop_map(|(app, host)| Step::Withdraw(app, host)),
        2 => (app(), host(), any::<bool>()).prop_map(|(app, host, on)| Step::Enable(app, host, on)),
        4 => (1..40_000u64).prop_map(Step::Pass),
    ]
}

/// Does a step on both.
fn run(world: &mut World, naive: &mut Naive, step: &Step, dirty: i64) {
    match *step {
        Step::Register(app, id, declares) => {
            let instance = EurekaInstance {
                status: declares,
                ip_addr: format!("10.0.0.{}", host_of(id)).into(),
                port: EurekaPort { number: 80, enabled: true },
                lease: EurekaLease { renewal_secs: 10, duration_secs: 30 },
                ..declared(APPS[app], IDS[id], dirty)
            };
            world.ok(eureka_register(instance));
            let facet = NaiveFacet { declared: declares, dirty, renewed_at: naive.now, is_renewed: false };
            naive.facets.insert((app, id), facet);
        }
        Step::Cancel(app, id) => {
            world.ok(cancel(APPS[app], IDS[id]));
            naive.facets.remove(&(app, id));
        }
        Step::Renew(app, id) => {
            let outcome = world.ok(renewal(APPS[app], IDS[id], None, false));
            let now = naive.now;
            let facet = naive.facets.get_mut(&(app, id));
            assert_eq!(outcome == Outcome::UnknownInstance, facet.is_none());
            if let Some(facet) = facet {
                (facet.renewed_at, facet.is_renewed) = (now, true);
            }
        }
        Step::Status(app, id, set) => {
            if !naive.facets.contains_key(&(app, id)) {
                return;
            }
            let change = StatusChange { status: set, ..StatusChange::default() };
            world.ok(status(world, APPS[app], IDS[id], change));
            match set {
                Some(set) => naive.statuses.insert((app, id), set),
                None => naive.statuses.remove(&(app, id)),
            };
            naive.enabled.remove(&(app, host_of(id)));
        }
        Step::Nacos(app, host, weight, enabled) => {
            let weighed = Weight::new(weight.into()).unwrap();
            let registered = Instance { weight: weighed, enabled, ..instance(&format!("10.0.0.{host}:80")) };
            world.ok(register(&connection(host), &APPS[app].to_lowercase(), vec![registered]));
            naive.nacos.insert((app, host), (weight, enabled));
        }
        Step::Withdraw(app, host) => {
            world.ok(deregister(&connection(host), &APPS[app].to_lowercase()));
            naive.nacos.remove(&(app, host));
        }
        Step::Enable(app, host, on) => {
            let change = OverrideChange::Merge(Override { enabled: Some(on), ..Override::default() });
            world.ok(Op::Override {
                service: service(&APPS[app].to_lowercase()),
                instance: InstanceKey::of(&instance(&format!("10.0.0.{host}:80"))),
                change,
                cause: cause(Reason::Operator),
            });
            naive.enabled.insert((app, host), on);
            if on {
                naive.statuses.retain(|(of, id), _| (*of, host_of(*id)) != (app, host));
            }
        }
        Step::Pass(ms) => {
            world.pass(ms);
            naive.now += ms;
            naive.expire();
        }
    }
}

fn nacos_view(world: &World, app: usize) -> Vec<String> {
    match world.registry.parts(&service(&APPS[app].to_lowercase())) {
        Some(parts) => {
            let view = parts.build();
            let hosts = view.hosts.iter();
            hosts.map(|host| format!("{} {} {}", host.host, host.enabled, host.healthy)).collect()
        }
        None => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn both_views_are_as_the_naive_model_has_them(steps in proptest::collection::vec(step(), 1..80)) {
        let (mut world, mut naive, mut viewer) = (World::new(), Naive::default(), Viewer::new());
        world.registry.set_self_preservation(false);
        let mut rows = BTreeMap::new();
        for (dirty, step) in steps.iter().enumerate() {
            let before: Vec<_> = (0..APPS.len()).map(|app| (nacos_view(&world, app), viewer.lines(&mut world))).collect();
            run(&mut world, &mut naive, step, dirty as i64);
            super::stored::write(&mut rows, world.rows());
            let shown = viewer.lines(&mut world);
            for (app, (nacos, eureka)) in before.iter().enumerate() {
                prop_assert_eq!(nacos_view(&world, app), naive.nacos_view(app), "{:?}", step);
                let of_app: Vec<_> =
                    shown.iter().filter(|line| line.starts_with(APPS[app])).cloned().collect();
                prop_assert_eq!(&of_app, &naive.eureka_view(app), "{:?}", step);
                let is_told = world.effects.iter().any(|effect| matches!(
                    effect,
                    Effect::ServiceChanged { service, .. } if service.name().as_str() == APPS[app].to_lowercase()
                ));
                let eureka_before: Vec<_> = eureka.iter().filter(|line| line.starts_with(APPS[app])).cloned().collect();
                if *nacos != nacos_view(&world, app) || eureka_before != of_app {
                    prop_assert!(is_told, "{} changed without a word", APPS[app]);
                }
            }
        }
        super::stored::check_loaded(&world, &rows);
    }

    /// What an Eureka client declares is what every Eureka client sees of it, whatever else there is.
    #[test]
    fn eureka_to_the_model_and_back_loses_nothing(
        texts in proptest::collection::vec(proptest::option::of("\\PC{0,12}"), 8),
        (status, ports, flags) in (0..5usize, any::<(i32, i32)>(), any::<(bool, bool, bool)>()),
        (renewal_secs, duration_secs, country_id, last_dirty) in (1..u32::MAX, 1..u32::MAX, any::<i32>(), any::<i64>()),
        metadata in proptest::collection::vec(("\\PC{0,8}", "\\PC{0,8}"), 0..4),
        (ip, host) in ("\\PC{1,12}", "\\PC{1,12}"),
        data_center in 0..3u8,
    ) {
        let text = |at: usize| texts[at].as_deref().map(std::sync::Arc::from);
        let metadata = Metadata::new(metadata.iter().map(|(key, value)| (key, value)));
        let instance = EurekaInstance {
            instance_id: text(0).filter(|id: &std::sync::Arc<str>| !id.is_empty()),
            host_name: host.as_str().into(),
            ip_addr: ip.as_str().into(),
            sid: text(1),
            status: EurekaStatus::ALL[status],
            port: EurekaPort { number: ports.0, enabled: flags.0 },
            secure_port: EurekaPort { number: ports.1, enabled: flags.1 },
            country_id,
            data_center: match data_center {
                0 => DataCenter::MyOwn,
                1 => DataCenter::Netflix,
                _ => DataCenter::Amazon(metadata.clone()),
            },
            lease: EurekaLease { renewal_secs, duration_secs },
            metadata: metadata.clone(),
            app_group: text(2),
            home_page_url: text(3),
            status_page_url: text(4),
            health_check_url: text(5),
            secure_health_check_url: text(6),
            vip_address: text(7),
            secure_vip_address: text(1),
            asg_name: text(2),
            last_dirty,
            ..declared("ORDER", "", 0)
        };
        // A weight is meant to change what is shown.
        prop_assume!(metadata.get("nacos.weight").is_none());
        let (mut world, mut viewer) = (World::new(), Viewer::new());
        if flags.2 {
            world.ok(register(&connection(1), "order", vec![super::instance("10.0.0.1:80")]));
        }
        world.ok(eureka_register(instance.clone()));
        let shown = viewer.shown(&mut world, "ORDER", instance.id()).unwrap();
        prop_assert_eq!(&*shown.instance, &instance);
        prop_assert_eq!((shown.status, shown.last_dirty), (instance.status, last_dirty));
    }
}
