//! What the environment of an original server says, and what of it cannot be had here.
//!
//! Names that mean one of our settings stand beside it in the settings table. Those here mean something this version
//! does not do; starting as if they were not there would surprise, so the start is refused.

use std::collections::BTreeMap;

/// Variables that hold the main port, the later ones win (nacos-docker; `nacos.server.main.port` of 3.x).
pub(super) const PORTS: [&str; 3] = ["NACOS_APPLICATION_PORT", "NACOS_SERVER_PORT", "NACOS_SERVER_MAIN_PORT"];

/// Why these variables refuse the start, a line each.
pub(super) fn refused(environment: &BTreeMap<String, String>, has_cluster: bool) -> Vec<String> {
    let value = |name: &str| environment.get(name).map(|value| value.trim().to_ascii_lowercase());
    let mut problems = Vec::new();
    for name in ["NACOS_AUTH_ENABLE", "NACOS_CORE_AUTH_ENABLED"] {
        if value(name).is_some_and(|value| value == "true") {
            problems.push(format!("{name}: this version has no access control; unset it to start without"));
        }
    }
    if value("MODE").is_some_and(|mode| mode == "cluster") && !has_cluster {
        let ways = "NACOS_SERVERS (or cluster_peers), --cluster-init, or --join";
        problems.push(format!("MODE: a cluster is begun or joined by {ways}; or say standalone"));
    }
    for name in ["SPRING_DATASOURCE_PLATFORM", "SPRING_SQL_INIT_PLATFORM"] {
        let outside = |platform: &String| !["", "derby", "embedded"].contains(&platform.as_str());
        if let Some(platform) = value(name).filter(outside) {
            problems.push(format!(
                "{name}: everything is stored in data_dir and nothing is read from {platform}; unset it"
            ));
        }
    }
    problems
}
