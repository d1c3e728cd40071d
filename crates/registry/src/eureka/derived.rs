//! The Nacos instance that an Eureka registration is.

use super::facet::takes_calls;
use muster_model::{ClusterName, EurekaInstance, EurekaStatus, Host, Instance, Metadata, Weight};

/// The weight an Eureka client may ask for, in its metadata.
const WEIGHT_KEY: &str = "nacos.weight";

/// The weight of an Eureka registration: 1, unless its metadata says otherwise.
pub(crate) fn weight_of(instance: &EurekaInstance) -> Weight {
    let weight = instance.metadata.get(WEIGHT_KEY).and_then(|text| Weight::new(text.parse().ok()?));
    weight.unwrap_or_default()
}

/// What Nacos clients see of an Eureka registration; `None` if its address or port is none that they could call.
///
/// They connect by address, so the plain port goes before the TLS port, whose certificate would name the host.
pub(crate) fn nacos_instance(instance: &EurekaInstance, zone_as_cluster: bool) -> Option<Instance> {
    let is_secure = !instance.port.enabled && instance.secure_port.enabled;
    let port = if is_secure { instance.secure_port.number } else { instance.port.number };
    let host = Host::new(&instance.ip_addr).or_else(|_| Host::new(&instance.host_name)).ok()?;
    let zone = instance.metadata.get("zone").filter(|_| zone_as_cluster);
    Some(Instance {
        host,
        port: u16::try_from(port).ok()?,
        cluster: zone.and_then(|zone| ClusterName::new(zone).ok()).unwrap_or_default(),
        weight: weight_of(instance),
        enabled: instance.status != EurekaStatus::OutOfService,
        healthy: takes_calls(instance.status),
        metadata: nacos_metadata(instance, is_secure),
    })
}

/// The client's metadata over what Nacos clients expect to read of the source and the lease.
fn nacos_metadata(instance: &EurekaInstance, is_secure: bool) -> Metadata {
    let ms = |secs: u32, times: u64| (u64::from(secs) * 1_000 * times).to_string();
    let lease = instance.lease;
    let (interval, timeout, removal) =
        (ms(lease.renewal_secs, 1), ms(lease.duration_secs, 1), ms(lease.duration_secs, 2));
    let given = [
        ("preserved.register.source", "EUREKA"),
        ("preserved.heart.beat.interval", &*interval),
        ("preserved.heart.beat.timeout", &*timeout),
        ("preserved.ip.delete.timeout", &*removal),
    ];
    let secure = is_secure.then_some(("secure", "true"));
    let own = instance.metadata.iter().filter(|(key, _)| *key != "@class");
    Metadata::new(given.into_iter().chain(secure).chain(own))
}
