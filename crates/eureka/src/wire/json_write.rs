//! Instances into JSON, in the order of `EurekaJacksonCodec` and with its types: flags, time stamps of the instance and
//! `isCoordinatingDiscoveryServer` are texts, all of the lease is numbers, what is absent stays absent.
//!
//! ```json
//! {"instanceId":"h1:order:8080","hostName":"h1.example","app":"ORDER","ipAddr":"10.0.0.5","status":"UP",
//!  "overriddenStatus":"UNKNOWN","port":{"$":8080,"@enabled":"true"},"securePort":{"$":443,"@enabled":"false"},
//!  "countryId":1,"dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},
//!  "leaseInfo":{"renewalIntervalInSecs":30,"durationInSecs":90,"registrationTimestamp":1700000000000, …},
//!  "metadata":{"zone":"z1"},"vipAddress":"order","secureVipAddress":"order",
//!  "isCoordinatingDiscoveryServer":"false","lastUpdatedTimestamp":"1700000000456",
//!  "lastDirtyTimestamp":"1700000000123","actionType":"ADDED"}
//! ```

use super::{
    Shown,
    escape::{integer, json},
    shown::action_name,
};
use muster_model::{DataCenter, EurekaPort, Metadata};
use std::sync::Arc;

/// The parts of Amazon's metadata that the compact form keeps.
pub(super) const COMPACT_MACHINE: [&str; 5] =
    ["instance-id", "public-ipv4", "public-hostname", "local-ipv4", "availability-zone"];

/// Everything.
pub(super) fn full(out: &mut Vec<u8>, shown: &Shown<'_>) {
    let instance = shown.instance;
    out.push(b'{');
    if let Some(id) = &instance.instance_id {
        member(out, "\"instanceId\":", id);
        out.push(b',');
    }
    member(out, "\"hostName\":", &instance.host_name);
    member(out, ",\"app\":", &instance.app);
    member(out, ",\"ipAddr\":", &instance.ip_addr);
    optional(out, ",\"sid\":", &instance.sid);
    plain(out, ",\"status\":\"", shown.status.as_str());
    plain(out, "\",\"overriddenStatus\":\"", shown.overridden.as_str());
    port(out, "\",\"port\":{\"$\":", instance.port);
    port(out, ",\"securePort\":{\"$\":", instance.secure_port);
    number(out, ",\"countryId\":", i64::from(instance.country_id));
    data_center(out, &instance.data_center, |_| true);
    lease(out, shown);
    plain(out, ",\"metadata\":", "");
    if instance.metadata.is_empty() {
        plain(out, "{\"@class\":\"java.util.Collections$EmptyMap\"}", "");
    } else {
        labels(out, &instance.metadata, |_| true);
    }
    optional(out, ",\"appGroupName\":", &instance.app_group);
    optional(out, ",\"homePageUrl\":", &instance.home_page_url);
    optional(out, ",\"statusPageUrl\":", &instance.status_page_url);
    optional(out, ",\"healthCheckUrl\":", &instance.health_check_url);
    optional(out, ",\"secureHealthCheckUrl\":", &instance.secure_health_check_url);
    optional(out, ",\"vipAddress\":", &instance.vip_address);
    optional(out, ",\"secureVipAddress\":", &instance.secure_vip_address);
    plain(out, ",\"isCoordinatingDiscoveryServer\":\"false\",\"lastUpdatedTimestamp\":\"", "");
    integer(out, shown.times.updated.0);
    plain(out, "\",\"lastDirtyTimestamp\":\"", "");
    integer(out, shown.last_dirty);
    plain(out, "\",\"actionType\":\"", action_name(shown.action));
    out.push(b'"');
    optional(out, ",\"asgName\":", &instance.asg_name);
    out.push(b'}');
}

/// The compact form (`MiniInstanceInfoMixIn`): here the time stamp is a number.
pub(super) fn compact(out: &mut Vec<u8>, shown: &Shown<'_>) {
    let instance = shown.instance;
    out.push(b'{');
    if let Some(id) = &instance.instance_id {
        member(out, "\"instanceId\":", id);
        out.push(b',');
    }
    member(out, "\"app\":", &instance.app);
    member(out, ",\"ipAddr\":", &instance.ip_addr);
    optional(out, ",\"vipAddress\":", &instance.vip_address);
    optional(out, ",\"secureVipAddress\":", &instance.secure_vip_address);
    data_center(out, &instance.data_center, |key| COMPACT_MACHINE.contains(&key));
    member(out, ",\"hostName\":", &instance.host_name);
    plain(out, ",\"status\":\"", shown.status.as_str());
    plain(out, "\",\"lastUpdatedTimestamp\":", "");
    integer(out, shown.times.updated.0);
    plain(out, ",\"actionType\":\"", action_name(shown.action));
    out.push(b'"');
    optional(out, ",\"asgName\":", &instance.asg_name);
    port(out, ",\"port\":{\"$\":", instance.port);
    port(out, ",\"securePort\":{\"$\":", instance.secure_port);
    out.push(b'}');
}

/// Two texts that need no escape.
fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(value.as_bytes());
}

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    json(out, value);
}

fn optional(out: &mut Vec<u8>, name: &str, value: &Option<Arc<str>>) {
    if let Some(value) = value {
        member(out, name, value);
    }
}

fn number(out: &mut Vec<u8>, name: &str, value: i64) {
    out.extend_from_slice(name.as_bytes());
    integer(out, value);
}

fn port(out: &mut Vec<u8>, name: &str, port: EurekaPort) {
    number(out, name, i64::from(port.number));
    plain(out, ",\"@enabled\":\"", if port.enabled { "true\"}" } else { "false\"}" });
}

fn data_center(out: &mut Vec<u8>, data_center: &DataCenter, keep: fn(&str) -> bool) {
    const DEFAULT: &str = ",\"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\",\"name\":\"";
    match data_center {
        DataCenter::MyOwn => plain(out, DEFAULT, "MyOwn\"}"),
        DataCenter::Netflix => plain(out, DEFAULT, "Netflix\"}"),
        DataCenter::Amazon(machine) => {
            plain(out, ",\"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.AmazonInfo\",", "");
            plain(out, "\"name\":\"Amazon\",\"metadata\":", "");
            labels(out, machine, keep);
            out.push(b'}');
        }
    }
}

fn lease(out: &mut Vec<u8>, shown: &Shown<'_>) {
    let (lease, times) = (shown.instance.lease, shown.times);
    number(out, ",\"leaseInfo\":{\"renewalIntervalInSecs\":", i64::from(lease.renewal_secs));
    number(out, ",\"durationInSecs\":", i64::from(lease.duration_secs));
    for (name, time) in [
        (",\"registrationTimestamp\":", times.registered),
        (",\"lastRenewalTimestamp\":", times.renewed),
        (",\"evictionTimestamp\":", times.evicted),
        (",\"serviceUpTimestamp\":", times.service_up),
    ] {
        plain(out, name, "");
        integer(out, time.0);
    }
    out.push(b'}');
}

fn labels(out: &mut Vec<u8>, labels: &Metadata, keep: fn(&str) -> bool) {
    out.push(b'{');
    for (at, (key, value)) in labels.iter().filter(|(key, _)| keep(key)).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json(out, key);
        out.push(b':');
        json(out, value);
    }
    out.push(b'}');
}
