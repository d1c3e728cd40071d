//! What a client's own version says it can do.

use muster_model::PushVersions;

/// `v1.4.2`, `2.0.4-SNAPSHOT` as numbers; absent parts are 0.
fn parse(text: &str) -> Option<[u32; 3]> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let numbers = text.split(['-', '+', ' ']).next()?;
    let mut version = [0; 3];
    for (place, part) in version.iter_mut().zip(numbers.split('.')) {
        *place = part.parse().ok()?;
    }
    Some(version)
}

/// Whether a client takes UDP pushes, by its `User-Agent` (or `Client-Version`): `Nacos-Java-Client:v1.4.2`. Node
/// poses as Java (nacos-http.md 3.3.4).
pub fn takes_udp_push(agent: &str, since: &PushVersions) -> bool {
    let Some((name, version)) = agent.split_once(':') else { return false };
    let since = match name.trim().to_ascii_lowercase().as_str() {
        "nacos-java-client" => &since.java,
        "nacos-go-client" => &since.go,
        "nacos-dns" => &since.python,
        "nacos-c-client" => &since.c,
        "nacos-csharp-client" => &since.csharp,
        _ => return false,
    };
    parse(version).zip(parse(since)).is_some_and(|(version, since)| version >= since)
}

/// Whether a config listener without long polling wants its answer in the header `Probe-Modify-Response-New` too: no
/// `Client-Version`, or one before 2.0.4.
pub fn wants_probe_header(client_version: Option<&str>) -> bool {
    client_version.and_then(parse).is_none_or(|version| version < [2, 0, 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn udp_is_for_known_agents_of_known_versions() {
        for agent in [
            "Nacos-Java-Client:v1.4.2",
            "Nacos-Java-Client:v1.0.0",
            "Nacos-Go-Client:v1.0.1",
            "Nacos-C-Client:1.0.12",
        ] {
            assert!(takes_udp_push(agent, &PushVersions::default()), "{agent}");
        }
        for agent in [
            "Nacos-C-Client:v1.0.11",
            "curl/8.0",
            "Nacos-Java-Client",
            "Nacos-Java-Client:vX",
            "Nacos-Python-Client:v1.0",
            "",
        ] {
            assert!(!takes_udp_push(agent, &PushVersions::default()), "{agent}");
        }
    }

    #[test]
    fn the_probe_header_is_for_old_listeners() {
        assert!(wants_probe_header(None));
        assert!(wants_probe_header(Some("2.0.3")));
        assert!(!wants_probe_header(Some("2.0.4")));
        assert!(!wants_probe_header(Some("v3.0.3")));
    }
}
