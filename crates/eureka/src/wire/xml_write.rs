//! Instances into XML: what JSON says, in elements; ports and data center have attributes that Python's client reads
//! without a default.

use super::{
    Shown,
    escape::{integer, xml},
    json_write::COMPACT_MACHINE,
    names,
    shown::action_name,
};
use muster_model::{DataCenter, EurekaPort, Metadata};
use std::sync::Arc;

/// Everything.
pub(super) fn full(out: &mut Vec<u8>, shown: &Shown<'_>) {
    let instance = shown.instance;
    put(out, "<instance>");
    optional(out, "instanceId", &instance.instance_id);
    element(out, "hostName", &instance.host_name);
    element(out, "app", &instance.app);
    element(out, "ipAddr", &instance.ip_addr);
    optional(out, "sid", &instance.sid);
    element(out, "status", shown.status.as_str());
    element(out, "overriddenstatus", shown.overridden.as_str());
    port(out, "port", instance.port);
    port(out, "securePort", instance.secure_port);
    number(out, "countryId", i64::from(instance.country_id));
    data_center(out, &instance.data_center, |_| true);
    lease(out, shown);
    if instance.metadata.is_empty() {
        put(out, "<metadata class=\"java.util.Collections$EmptyMap\"/>");
    } else {
        labels(out, &instance.metadata, |_| true);
    }
    optional(out, "appGroupName", &instance.app_group);
    optional(out, "homePageUrl", &instance.home_page_url);
    optional(out, "statusPageUrl", &instance.status_page_url);
    optional(out, "healthCheckUrl", &instance.health_check_url);
    optional(out, "secureHealthCheckUrl", &instance.secure_health_check_url);
    optional(out, "vipAddress", &instance.vip_address);
    optional(out, "secureVipAddress", &instance.secure_vip_address);
    element(out, "isCoordinatingDiscoveryServer", "false");
    number(out, "lastUpdatedTimestamp", shown.times.updated.0 as i64);
    number(out, "lastDirtyTimestamp", shown.last_dirty);
    element(out, "actionType", action_name(shown.action));
    optional(out, "asgName", &instance.asg_name);
    put(out, "</instance>");
}

/// The compact form.
pub(super) fn compact(out: &mut Vec<u8>, shown: &Shown<'_>) {
    let instance = shown.instance;
    put(out, "<instance>");
    optional(out, "instanceId", &instance.instance_id);
    element(out, "app", &instance.app);
    element(out, "ipAddr", &instance.ip_addr);
    optional(out, "vipAddress", &instance.vip_address);
    optional(out, "secureVipAddress", &instance.secure_vip_address);
    data_center(out, &instance.data_center, |key| COMPACT_MACHINE.contains(&key));
    element(out, "hostName", &instance.host_name);
    element(out, "status", shown.status.as_str());
    number(out, "lastUpdatedTimestamp", shown.times.updated.0 as i64);
    element(out, "actionType", action_name(shown.action));
    optional(out, "asgName", &instance.asg_name);
    port(out, "port", instance.port);
    port(out, "securePort", instance.secure_port);
    put(out, "</instance>");
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn open(out: &mut Vec<u8>, name: &str) {
    out.push(b'<');
    put(out, name);
    out.push(b'>');
}

fn close(out: &mut Vec<u8>, name: &str) {
    put(out, "</");
    put(out, name);
    out.push(b'>');
}

fn element(out: &mut Vec<u8>, name: &str, value: &str) {
    open(out, name);
    xml(out, value);
    close(out, name);
}

fn optional(out: &mut Vec<u8>, name: &str, value: &Option<Arc<str>>) {
    if let Some(value) = value {
        element(out, name, value);
    }
}

fn number(out: &mut Vec<u8>, name: &str, value: i64) {
    open(out, name);
    integer(out, value);
    close(out, name);
}

fn port(out: &mut Vec<u8>, name: &str, port: EurekaPort) {
    out.push(b'<');
    put(out, name);
    put(out, if port.enabled { " enabled=\"true\">" } else { " enabled=\"false\">" });
    integer(out, port.number);
    close(out, name);
}

fn data_center(out: &mut Vec<u8>, data_center: &DataCenter, keep: fn(&str) -> bool) {
    const DEFAULT: &str = "<dataCenterInfo class=\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\">";
    match data_center {
        DataCenter::MyOwn => {
            put(out, DEFAULT);
            element(out, "name", "MyOwn");
        }
        DataCenter::Netflix => {
            put(out, DEFAULT);
            element(out, "name", "Netflix");
        }
        DataCenter::Amazon(machine) => {
            put(out, "<dataCenterInfo class=\"com.netflix.appinfo.AmazonInfo\">");
            element(out, "name", "Amazon");
            labels(out, machine, keep);
        }
    }
    close(out, "dataCenterInfo");
}

fn lease(out: &mut Vec<u8>, shown: &Shown<'_>) {
    let (lease, times) = (shown.instance.lease, shown.times);
    open(out, "leaseInfo");
    number(out, "renewalIntervalInSecs", i64::from(lease.renewal_secs));
    number(out, "durationInSecs", i64::from(lease.duration_secs));
    number(out, "registrationTimestamp", times.registered.0 as i64);
    number(out, "lastRenewalTimestamp", times.renewed.0 as i64);
    number(out, "evictionTimestamp", times.evicted.0 as i64);
    number(out, "serviceUpTimestamp", times.service_up.0 as i64);
    close(out, "leaseInfo");
}

/// An element a label. A label without a key cannot be an element and is left out.
fn labels(out: &mut Vec<u8>, labels: &Metadata, keep: fn(&str) -> bool) {
    open(out, "metadata");
    for (key, value) in labels.iter().filter(|(key, _)| !key.is_empty() && keep(key)) {
        element(out, &names::encode(key), value);
    }
    close(out, "metadata");
}
