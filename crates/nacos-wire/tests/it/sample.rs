//! Values the tests share.

use muster_model::{
    ClusterName, GroupName, Host, Instance, Metadata, Namespace, ServiceKey, ServiceName, Weight,
};
use muster_nacos_wire::{HostView, ServiceInfoView, Shape, grpc::Payload, write_service_info};

pub(crate) fn service(group: &str, name: &str) -> ServiceKey {
    ServiceKey::new(Namespace::default(), GroupName::new(group).unwrap(), ServiceName::new(name).unwrap())
}

pub(crate) fn instance(host: &str, port: u16, metadata: &[(&str, &str)]) -> Instance {
    Instance {
        host: Host::new(host).unwrap(),
        port,
        cluster: ClusterName::default(),
        weight: Weight::default(),
        enabled: true,
        healthy: true,
        metadata: Metadata::new(metadata.iter().copied()),
    }
}

pub(crate) fn view(instance: &Instance) -> HostView<'_> {
    HostView { instance, healthy: instance.healthy, ephemeral: true }
}

pub(crate) fn info(shape: Shape, service: &ServiceKey, hosts: &[Instance]) -> Vec<u8> {
    let mut out = Vec::new();
    let about = ServiceInfoView {
        service,
        clusters: Some(""),
        last_ref_time: 1_795_253_250_276,
        protected: false,
        cache_millis: 10_000,
    };
    write_service_info(&mut out, shape, &about, hosts.iter().map(view));
    out
}

pub(crate) fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The type and the body of a payload.
pub(crate) fn typed(payload: &Payload) -> (&str, serde_json::Value) {
    (payload.kind(), json(payload.json()))
}
