//! The JSON bodies of the requests, in the shape the Java client sends.

use crate::wire::frame;
use bytes::Bytes;
use serde_json::{Value, json};

/// The one group of all services and configs of the bench.
pub(crate) const GROUP: &str = "DEFAULT_GROUP";

/// The instance number `n` (0..16 M): its own address, three metadata pairs, and a mark that a reader finds.
pub(crate) fn instance(n: u32, port: u16, mark: u64) -> Value {
    let [_, a, b, c] = n.to_be_bytes();
    json!({
        "ip": format!("10.{a}.{b}.{c}"), "port": port, "weight": 1.0, "healthy": true, "enabled": true,
        "ephemeral": true, "clusterName": "DEFAULT",
        "metadata": {"mark": mark.to_string(), "zone": "zone-a", "preserved.register.source": "SPRING_CLOUD"},
        "instanceHeartBeatInterval": 5000, "instanceHeartBeatTimeOut": 15000, "ipDeleteTimeout": 30000
    })
}

/// Registers one instance.
pub(crate) fn register(service: &str, instance: &Value) -> Bytes {
    let body = json!({
        "headers": {}, "requestId": "", "namespace": "public", "serviceName": service, "groupName": GROUP,
        "module": "naming", "type": "registerInstance", "instance": instance
    });
    frame("InstanceRequest", &body.to_string())
}

/// Registers a whole batch, replacing what the connection had published for the service.
pub(crate) fn register_batch(service: &str, instances: &[Value]) -> Bytes {
    let body = json!({
        "headers": {}, "requestId": "", "namespace": "public", "serviceName": service, "groupName": GROUP,
        "module": "naming", "type": "batchRegisterInstance", "instances": instances
    });
    frame("BatchInstanceRequest", &body.to_string())
}

/// Asks for all instances of a service.
pub(crate) fn query(service: &str) -> Bytes {
    let body = json!({
        "headers": {}, "requestId": "", "namespace": "public", "serviceName": service, "groupName": GROUP,
        "module": "naming", "cluster": "", "healthyOnly": false, "udpPort": 0
    });
    frame("ServiceQueryRequest", &body.to_string())
}

/// Subscribes to a service.
pub(crate) fn subscribe(service: &str) -> Bytes {
    let body = json!({
        "headers": {}, "requestId": "", "namespace": "public", "serviceName": service, "groupName": GROUP,
        "module": "naming", "subscribe": true, "clusters": ""
    });
    frame("SubscribeServiceRequest", &body.to_string())
}

/// Publishes a config.
pub(crate) fn publish(data_id: &str, content: &str) -> Bytes {
    let body = json!({
        "headers": {}, "requestId": "", "module": "config", "dataId": data_id, "group": GROUP, "tenant": "",
        "content": content, "additionMap": {"appName": "unknown", "type": "properties"}
    });
    frame("ConfigPublishRequest", &body.to_string())
}

/// Reads a config.
pub(crate) fn config_query(data_id: &str) -> Bytes {
    let body = json!({
        "headers": {}, "requestId": "", "module": "config", "dataId": data_id, "group": GROUP, "tenant": ""
    });
    frame("ConfigQueryRequest", &body.to_string())
}

/// Listens to a config whose content the client does not have yet.
pub(crate) fn listen(data_id: &str) -> Bytes {
    let body = json!({
        "headers": {}, "requestId": "", "module": "config", "listen": true, "dataId": "", "group": "", "tenant": "",
        "configListenContexts": [{"group": GROUP, "md5": "", "dataId": data_id, "tenant": ""}]
    });
    frame("ConfigBatchListenRequest", &body.to_string())
}

/// The first message of a connection.
pub(crate) fn setup(module: &str) -> Bytes {
    let body = json!({
        "headers": {}, "requestId": "", "clientVersion": "Nacos-Java-Client:v3.0.3", "tenant": "",
        "labels": {"source": "sdk", "module": module, "AppName": "muster-bench"}, "abilityTable": {}
    });
    frame("ConnectionSetupRequest", &body.to_string())
}

/// 1 KiB of properties that begins with `mark`, so that two marks make two contents.
pub(crate) fn content(mark: u64) -> String {
    let mut text = format!("bench.mark={mark:016}\n");
    let mut line = 0;
    while text.len() < 1024 {
        text.push_str(&format!("bench.setting.{line:03}=value-{line:03}\n"));
        line += 1;
    }
    text.truncate(1024);
    text
}

/// The mark in a JSON body: the number behind `"mark":"`, the largest when there are several.
pub(crate) fn largest_mark(json: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"mark\":\"";
    let mut found = None;
    let mut rest = json;
    while let Some(at) = rest.windows(KEY.len()).position(|window| window == KEY) {
        rest = &rest[at + KEY.len()..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        found = found.max(Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_1_kib_and_differ() {
        assert_eq!(content(1).len(), 1024);
        assert_ne!(content(1), content(2));
    }

    #[test]
    fn the_largest_mark_is_found() {
        let hosts =
            json!({"hosts": [instance(1, 80, 7), instance(2, 80, 123), instance(3, 80, 0)]}).to_string();
        assert_eq!(largest_mark(hosts.as_bytes()), Some(123));
        assert_eq!(largest_mark(b"{}"), None);
    }
}
