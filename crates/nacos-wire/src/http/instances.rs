//! Instances in the small answers of v1, and lists of them in parameters.

use super::Refusal;
use crate::{
    Text,
    json::{self, Object},
    lenient,
};
use serde::Deserialize;

/// One element of the `instances` parameter of `instance/metadata/batch`:
/// `{"ip":"10.0.0.1","port":"80","ephemeral":"true","clusterName":"DEFAULT"}`. What `ephemeral` says is not heeded: a
/// service is of one kind.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NamedInstance<'a> {
    /// Address.
    #[serde(borrow)]
    pub ip: Text<'a>,
    /// Port, as number or text.
    #[serde(deserialize_with = "lenient::scalar")]
    pub port: i64,
    /// Cluster; `DEFAULT` when blank.
    #[serde(borrow)]
    pub cluster_name: Text<'a>,
}

/// Reads the `instances` parameter; `None` (absent or blank) means all of the service.
pub fn named_instances(text: &str) -> Result<Option<Vec<NamedInstance<'_>>>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text).map(Some).map_err(|error| Refusal::Json(error.to_string()))
}

/// The body of `GET instance/statuses`: `{"ips":["10.0.0.1:8080_true"]}`, of address, port and health.
pub fn statuses<'a>(out: &mut Vec<u8>, hosts: impl IntoIterator<Item = (&'a str, u16, bool)>) {
    let mut object = Object::open(out);
    json::array(object.key("ips"), hosts, |out, (ip, port, healthy)| {
        json::string(out, &format!("{ip}:{port}_{healthy}"));
    });
    object.close();
}

/// The body of `instance/metadata/batch`: `{"updated":["10.0.0.1:80:unknown:DEFAULT:ephemeral"]}`, of address, port,
/// cluster and whether it is ephemeral.
pub fn updated<'a>(out: &mut Vec<u8>, hosts: impl IntoIterator<Item = (&'a str, u16, &'a str, bool)>) {
    let mut object = Object::open(out);
    json::array(object.key("updated"), hosts, |out, (ip, port, cluster, ephemeral)| {
        let kind = if ephemeral { "ephemeral" } else { "persist" };
        json::string(out, &format!("{ip}:{port}:unknown:{cluster}:{kind}"));
    });
    object.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_instances_are_read_leniently() {
        let text =
            r#"[{"ip":"10.0.0.1","port":"80","ephemeral":"true","clusterName":"c"},{"ip":"h","port":1}]"#;
        let named = named_instances(text).unwrap().unwrap();
        assert_eq!((&*named[0].ip, named[0].port, &*named[0].cluster_name), ("10.0.0.1", 80, "c"));
        assert_eq!((&*named[1].ip, named[1].port, &*named[1].cluster_name), ("h", 1, ""));
        assert_eq!(named_instances(" "), Ok(None));
        assert!(named_instances("oops").is_err());
    }

    #[test]
    fn answers_are_as_recorded() {
        let mut out = Vec::new();
        statuses(&mut out, [("10.0.0.1", 8080, true)]);
        assert_eq!(out, br#"{"ips":["10.0.0.1:8080_true"]}"#);
        out.clear();
        updated(&mut out, [("10.0.0.1", 80, "DEFAULT", true)]);
        assert_eq!(out, br#"{"updated":["10.0.0.1:80:unknown:DEFAULT:ephemeral"]}"#);
    }
}
