//! The hosts of a service: publications put together, and what operators and the other protocol say of each.

use crate::{
    EurekaShown, InstanceKey, Override, ServiceParts, ShownHost,
    eureka::takes_calls,
    overrides::Overrides,
    parts::{Published, by_content},
    publish::by_address,
    select::is_protected,
};
use muster_model::{EurekaStatus, HashMap, HashSet, Host, Instance};
use std::{cmp::Reverse, sync::Arc};

/// A place in [`ServiceParts`]: the publication and the instance in it.
type Place = (u32, u32);

/// What operators laid over one instance, from all overrides that are for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Laid<'a> {
    over: Option<&'a Override>,
    status: Option<EurekaStatus>,
}

/// One host as Nacos clients see it.
#[derive(Debug)]
pub(crate) struct MergedHost<'a> {
    pub(crate) shown: ShownHost,
    /// What was registered, before overrides.
    pub(crate) registered: &'a Instance,
    /// Its publication in the parts.
    pub(crate) number: u32,
    pub(crate) laid: Laid<'a>,
    /// Registered over Nacos; a facet of it is then no host of its own.
    pub(crate) is_nacos: bool,
}

/// All hosts of a service.
#[derive(Debug)]
pub(crate) struct Hosts<'a> {
    /// By cluster, address and port.
    pub(crate) list: Vec<MergedHost<'a>>,
    /// The Nacos host that each facet is one with, by the facet's publication.
    siblings: HashMap<u32, usize>,
    with_facets: HashSet<usize>,
    pub(crate) is_protected: bool,
    pub(crate) overlay: Overlay<'a>,
}

/// The overrides of a service, to be found by address and by Eureka id.
#[derive(Debug, Default)]
pub(crate) struct Overlay<'a> {
    by_address: Option<&'a Overrides>,
    statuses: HashMap<&'a str, EurekaStatus>,
}

impl<'a> Overlay<'a> {
    fn of(overrides: Option<&'a Overrides>) -> Self {
        let of_facets = overrides.into_iter().flatten();
        let statuses = of_facets.filter_map(|(key, over)| Some((key.eureka.as_deref()?, over.status?)));
        Self { by_address: overrides, statuses: statuses.collect() }
    }

    /// What is laid over an instance: by its address, and by the Eureka ids that are at it.
    pub(crate) fn over<'f>(
        &self,
        instance: Option<&Instance>,
        facets: impl Iterator<Item = &'f Arc<EurekaShown>>,
    ) -> Laid<'a> {
        let Some(by_address) = self.by_address else { return Laid::default() };
        let over = instance.and_then(|instance| by_address.get(&InstanceKey::of(instance)));
        let own = facets.filter_map(|facet| self.statuses.get(&**facet.id()).copied());
        let all = own.chain(over.and_then(|over| over.status));
        Laid { over, status: all.min_by_key(|status| restriction(*status)) }
    }
}

impl<'a> Laid<'a> {
    /// The operator's status, where that is one.
    pub(crate) fn status(&self) -> Option<EurekaStatus> {
        let disabled = self.enabled() == Some(false);
        self.status.or(disabled.then_some(EurekaStatus::OutOfService))
    }

    pub(crate) fn enabled(&self) -> Option<bool> {
        self.over.and_then(|over| over.enabled)
    }

    pub(crate) fn over(&self) -> Option<&'a Override> {
        self.over
    }

    /// The instance as it is shown; `is_out` if another facet of it declared that it takes no calls.
    fn over_instance(&self, instance: &Instance, is_out: bool) -> Option<Instance> {
        if self.over.is_none() && self.status.is_none() && !(is_out && instance.enabled) {
            return None;
        }
        let mut shown = instance.clone();
        shown.enabled &= !is_out;
        if let Some(over) = self.over {
            shown.weight = over.weight.unwrap_or(shown.weight);
            shown.enabled = over.enabled.unwrap_or(shown.enabled);
            shown.metadata = shown.metadata.overlaid(&over.metadata);
        }
        match self.status {
            None => {}
            Some(EurekaStatus::OutOfService) => shown.enabled = false,
            Some(EurekaStatus::Up) => (shown.enabled, shown.healthy) = (true, true),
            Some(EurekaStatus::Down | EurekaStatus::Starting | EurekaStatus::Unknown) => {
                (shown.enabled, shown.healthy) = (true, false);
            }
        }
        Some(shown)
    }
}

impl<'a> Hosts<'a> {
    /// Puts the publications together.
    pub(crate) fn of(parts: &'a ServiceParts) -> Self {
        let overlay = Overlay::of(parts.overrides.as_deref());
        let order = order(parts);
        let has_facets = parts.publications.iter().any(|published| published.facet.is_some());
        let (order, mut facets) = if has_facets { unite(parts, order) } else { (order, HashMap::default()) };
        let mut list = Vec::with_capacity(order.len());
        let (mut siblings, mut with_facets) = (HashMap::default(), HashSet::default());
        for place in order {
            let (published, registered) = at(parts, place);
            let of_host = if facets.is_empty() { None } else { facets.remove(&place) }.unwrap_or_default();
            for facet in &of_host {
                siblings.insert(*facet, list.len());
                with_facets.insert(list.len());
            }
            let of_host =
                of_host.iter().filter_map(|facet| parts.publications[*facet as usize].facet.as_ref());
            let all = || published.facet.iter().chain(of_host.clone());
            let laid = overlay.over(Some(registered), all());
            let is_out = of_host.clone().any(|facet| facet.instance.status == EurekaStatus::OutOfService);
            let is_declared_up = |facet: &Arc<EurekaShown>| takes_calls(facet.instance.status);
            let is_liftable = laid.status().is_none() && all().all(is_declared_up);
            let (publication, index) = match laid.over_instance(registered, is_out) {
                Some(shown) => (Arc::from([shown]), 0),
                None => (published.instances.clone(), place.1),
            };
            let shown = ShownHost { publication, index, kind: published.kind, is_liftable };
            let is_nacos = published.facet.is_none();
            list.push(MergedHost { shown, registered, number: place.0, laid, is_nacos });
        }
        let enabled = list.iter().map(|host| &host.shown).filter(|host| host.enabled);
        let is_protected = is_protected(parts.protection, enabled);
        Self { list, siblings, with_facets, is_protected, overlay }
    }

    /// Whether a host is one with something that registered over Eureka.
    pub(crate) fn has_facet(&self, host: usize) -> bool {
        self.with_facets.contains(&host)
    }

    /// The Nacos host that a facet is one with.
    pub(crate) fn sibling(&self, facet: u32) -> Option<&MergedHost<'a>> {
        self.siblings.get(&facet).map(|at| &self.list[*at])
    }
}

/// The order of statuses that several set for one instance: whoever takes it out of calls, takes it out.
fn restriction(status: EurekaStatus) -> u8 {
    match status {
        EurekaStatus::OutOfService => 0,
        EurekaStatus::Down => 1,
        EurekaStatus::Starting => 2,
        EurekaStatus::Unknown => 3,
        EurekaStatus::Up => 4,
    }
}

fn at(parts: &ServiceParts, place: Place) -> (&Published, &Instance) {
    let published = &parts.publications[place.0 as usize];
    (published, &published.instances[place.1 as usize])
}

/// What shows first at an address: Nacos before Eureka, and the newest of each.
fn rank(published: &Published) -> impl Ord {
    let dirty = published.facet.as_ref().map(|facet| facet.last_dirty);
    Reverse((dirty.is_none(), dirty, published.sequence, published.node))
}

/// The instances that show, by address.
fn order(parts: &ServiceParts) -> Vec<Place> {
    let total = parts.publications.iter().map(|published| published.instances.len()).sum();
    let mut order: Vec<Place> = Vec::with_capacity(total);
    for (number, published) in parts.publications.iter().enumerate() {
        order.extend((0..published.instances.len() as u32).map(|index| (number as u32, index)));
    }
    order.sort_unstable_by(|a, b| {
        let ((a_of, a), (b_of, b)) = (at(parts, *a), at(parts, *b));
        by_address(a, b).then_with(|| rank(a_of).cmp(&rank(b_of))).then_with(|| by_content(a, b))
    });
    order.dedup_by(|later, kept| {
        let ((later_of, later), (kept_of, kept)) = (at(parts, *later), at(parts, *kept));
        by_address(later, kept).is_eq() && (later_of.client != kept_of.client || later == kept)
    });
    order
}

/// Makes one of what is registered over both protocols: the facets that each Nacos host is one with. A facet is one with
/// the host of its cluster at its address, or else with the only Nacos host there.
fn unite(parts: &ServiceParts, mut order: Vec<Place>) -> (Vec<Place>, HashMap<Place, Vec<u32>>) {
    let mut hosts: HashMap<(&Host, u16), Vec<Place>> = HashMap::default();
    for place in &order {
        let (published, instance) = at(parts, *place);
        if published.facet.is_none() {
            hosts.entry((&instance.host, instance.port)).or_default().push(*place);
        }
    }
    if hosts.is_empty() {
        return (order, HashMap::default());
    }
    let mut facets: HashMap<Place, Vec<u32>> = HashMap::default();
    let mut united = HashSet::default();
    for (number, published) in parts.publications.iter().enumerate() {
        let (Some(_), Some(instance)) = (&published.facet, published.instances.first()) else { continue };
        let Some(there) = hosts.get(&(&instance.host, instance.port)) else { continue };
        let same = there.iter().find(|place| at(parts, **place).1.cluster == instance.cluster);
        let Some(host) = same.or(if there.len() == 1 { there.first() } else { None }) else { continue };
        facets.entry(*host).or_default().push(number as u32);
        united.insert(number as u32);
    }
    order.retain(|place| !united.contains(&place.0));
    (order, facets)
}
