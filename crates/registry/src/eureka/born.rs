//! The Eureka instance that a Nacos registration is (`eureka.md` 5.3, `load-balancing.md` 8).

use muster_model::{
    ClusterName, DataCenter, EurekaInstance, EurekaLease, EurekaPort, EurekaStatus, Instance, Metadata,
    ServiceName, Timing,
};
use std::sync::Arc;

/// The TLS port that is shown where there is none.
const NO_SECURE_PORT: i32 = 443;

/// The id under which an instance is shown: a function of its address and its service alone, because clients key their
/// statistics by it.
pub(crate) fn derived_id(instance: &Instance, service: &ServiceName) -> String {
    let (host, port, cluster) = (&instance.host, instance.port, instance.cluster.as_str());
    match cluster {
        ClusterName::DEFAULT => format!("{host}:{service}:{port}"),
        _ => format!("{host}:{service}:{port}:{cluster}"),
    }
}

/// What Eureka clients see of a Nacos registration. `beats` tells whether it is kept by beats: then its lease is theirs.
///
/// An instance with metadata `secure=true` has its port as the TLS port; the plain one is disabled and has the same
/// number, which Ribbon calls over TLS and the JavaScript client keys by.
pub(crate) fn eureka_instance(
    app: &Arc<str>,
    service: &ServiceName,
    instance: &Instance,
    beats: bool,
) -> EurekaInstance {
    let metadata = &instance.metadata;
    let is_secure = metadata.get("secure").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let number = i32::from(instance.port);
    let host_name = ["hostName", "hostname"].into_iter().find_map(|key| metadata.get(key));
    let host_name = host_name.filter(|name| !name.is_empty()).unwrap_or(instance.host.as_str());
    let ip = instance.host.as_str();
    let scheme = if is_secure { "https" } else { "http" };
    let management = metadata.get("management.port").filter(|port| port.parse::<u16>().is_ok());
    let management = management.map_or_else(|| number.to_string(), ToOwned::to_owned);
    let path = metadata.get("management.context-path").unwrap_or_default().trim_end_matches('/');
    let page = |page: &str| Some(Arc::from(format!("{scheme}://{ip}:{management}{path}/actuator/{page}")));
    EurekaInstance {
        app: app.clone(),
        instance_id: Some(Arc::from(derived_id(instance, service))),
        host_name: Arc::from(host_name),
        ip_addr: Arc::from(ip),
        sid: None,
        status: declared(instance),
        port: EurekaPort { number, enabled: !is_secure },
        secure_port: EurekaPort {
            number: if is_secure { number } else { NO_SECURE_PORT },
            enabled: is_secure,
        },
        country_id: 1,
        data_center: DataCenter::MyOwn,
        lease: lease(instance, beats),
        metadata: shown_metadata(instance),
        app_group: None,
        home_page_url: Some(Arc::from(format!("{scheme}://{ip}:{number}/"))),
        status_page_url: page("info"),
        health_check_url: page("health"),
        secure_health_check_url: None,
        vip_address: Some(service.shared().clone()),
        secure_vip_address: Some(service.shared().clone()),
        asg_name: None,
        last_dirty: 0,
    }
}

/// The status by what was registered and by the health.
fn declared(instance: &Instance) -> EurekaStatus {
    match instance {
        Instance { enabled: false, .. } => EurekaStatus::OutOfService,
        Instance { healthy: true, .. } => EurekaStatus::Up,
        Instance { healthy: false, .. } => EurekaStatus::Down,
    }
}

/// Eureka's default, unless the instance is kept by beats.
fn lease(instance: &Instance, beats: bool) -> EurekaLease {
    if !beats {
        return EurekaLease::default();
    }
    let timing = Timing::of(&instance.metadata);
    let secs = |ms: u64| u32::try_from((ms / 1_000).max(1)).unwrap_or(u32::MAX);
    EurekaLease { renewal_secs: secs(timing.beat_interval_ms), duration_secs: secs(timing.delete_timeout_ms) }
}

/// The client's labels, and the cluster as the zone where it named none.
fn shown_metadata(instance: &Instance) -> Metadata {
    let cluster = instance.cluster.as_str();
    let zone = (cluster != ClusterName::DEFAULT).then_some(("zone", cluster));
    let own = instance.metadata.iter().filter(|(key, _)| !key.starts_with("preserved."));
    Metadata::new(zone.into_iter().chain(own))
}
