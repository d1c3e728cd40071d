//! Where values come from, and which one wins: flags, then environment, then file, then defaults.

use super::{
    Settings, nacos,
    nearest::nearest,
    table::{Setting, table},
};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// The file that is read when no other is named and it exists.
const DEFAULT_FILE: &str = "muster.toml";

/// What the command line said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// The file to read instead of `muster.toml`.
    pub(crate) file: Option<PathBuf>,
    /// Flag, key and text of each that was given.
    pub(crate) values: Vec<(String, String, String)>,
    /// What was malformed.
    pub(crate) problems: Vec<String>,
}

/// One setting as it came out: key, value, where it came from, what it means.
#[derive(Clone, Debug)]
pub(crate) struct Effective {
    pub(crate) key: &'static str,
    pub(crate) value: String,
    pub(crate) source: String,
    pub(crate) about: &'static str,
    pub(crate) variable: String,
}

/// Everything that was wrong, a line each.
#[derive(Debug)]
pub(crate) struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings have {} problem{}:", self.0.len(), if self.0.len() == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

/// Merges all sources. `environment` is the process environment, as an argument so that tests can set it.
pub(crate) fn load(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
) -> Result<(Settings, Vec<Effective>), Problems> {
    let table = table();
    let mut merge =
        Merge { settings: Settings::default(), sources: BTreeMap::new(), problems: flags.problems.clone() };
    merge.file(&table, flags.file.as_deref());
    merge.environment(&table, environment);
    for (flag, key, text) in &flags.values {
        merge.set(&table, key, text, flag);
    }
    merge.eureka_port();
    merge.settings.default_cluster_listen();
    merge.problems.extend(nacos::refused(environment, merge.settings.cluster.is_asked_for()));
    merge.problems.extend(merge.settings.problems());
    if merge.problems.is_empty() { Ok(merge.finish(&table)) } else { Err(Problems(merge.problems)) }
}

struct Merge {
    settings: Settings,
    sources: BTreeMap<&'static str, String>,
    problems: Vec<String>,
}

impl Merge {
    fn find<'t>(&mut self, table: &'t [Setting], key: &str, source: &str) -> Option<&'t Setting> {
        let found = table.iter().find(|setting| setting.key == key);
        if found.is_none() {
            let hint = nearest(key, table.iter().map(|s| s.key))
                .map_or(String::new(), |known| format!("; did you mean {known:?}?"));
            self.problems.push(format!("{source}: there is no setting {key:?}{hint}"));
        }
        found
    }

    fn set(&mut self, table: &[Setting], key: &str, text: &str, source: &str) {
        let Some(setting) = self.find(table, key, source) else { return };
        match (setting.set)(&mut self.settings, text) {
            Ok(()) => drop(self.sources.insert(setting.key, source.to_owned())),
            Err(problem) => self.problems.push(format!("{source}: {key}: {problem}")),
        }
    }

    fn file(&mut self, table: &[Setting], named: Option<&Path>) {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.problems.push(format!("read {}: {error}", path.display())),
        };
        let values: toml::Table = match text.parse() {
            Ok(values) => values,
            Err(error) => return self.problems.push(format!("parse {}: {error}", path.display())),
        };
        for (key, value) in &values {
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(_) | toml::Value::Boolean(_) => value.to_string(),
                toml::Value::Float(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_)
                | toml::Value::Table(_) => {
                    if self.find(table, key, &path.display().to_string()).is_none() {
                        continue;
                    }
                    self.problems.push(format!(
                        "{}: {key}: expected a text, a whole number or a boolean",
                        path.display()
                    ));
                    continue;
                }
            };
            self.set(table, key, &text, &path.display().to_string());
        }
    }

    fn environment(&mut self, table: &[Setting], environment: &BTreeMap<String, String>) {
        for setting in table {
            for name in setting.nacos {
                if let Some(text) = environment.get(*name) {
                    self.set(table, setting.key, text, name);
                }
            }
        }
        self.nacos_port(environment);
        self.nacos_servers(environment);
        for (name, text) in environment {
            let Some(key) = name.strip_prefix("MUSTER_") else { continue };
            // `MUSTER_BUILD_…` belongs to the build, not to the server.
            if !key.starts_with("BUILD_") && !is_service_link(key, text) {
                self.set(table, &key.to_ascii_lowercase(), text, name);
            }
        }
    }

    /// The original takes the port alone; here it changes the port of the address in force.
    fn nacos_port(&mut self, environment: &BTreeMap<String, String>) {
        for name in nacos::PORTS {
            match environment.get(name).map(|text| super::values::port(text)) {
                Some(Ok(port)) => {
                    self.settings.listen.set_port(port);
                    self.sources.insert("listen", name.to_owned());
                }
                Some(Err(problem)) => self.problems.push(format!("{name}: {problem}")),
                None => {}
            }
        }
    }

    /// The original's list of nodes has their addresses for clients.
    fn nacos_servers(&mut self, environment: &BTreeMap<String, String>) {
        let own_ip = environment.get("NACOS_SERVER_IP").map(String::as_str);
        let Some(servers) = environment.get("NACOS_SERVERS") else { return };
        match self.settings.nacos_servers(servers, own_ip) {
            Ok(()) => drop(self.sources.insert("cluster_peers", "NACOS_SERVERS".to_owned())),
            Err(problem) => self.problems.push(format!("NACOS_SERVERS: {problem}")),
        }
    }

    /// Whoever says where to listen gets those two ports, and Eureka's only if asked for.
    fn eureka_port(&mut self) {
        if let (Some(source), false) =
            (self.sources.get("listen").cloned(), self.sources.contains_key("eureka_port"))
        {
            self.settings.eureka_port = 0;
            self.sources.insert("eureka_port", source);
        }
    }

    fn finish(self, table: &[Setting]) -> (Settings, Vec<Effective>) {
        let effective = table
            .iter()
            .map(|setting| Effective {
                key: setting.key,
                value: (setting.show)(&self.settings),
                source: self.sources.get(setting.key).cloned().unwrap_or_else(|| "default".into()),
                about: setting.about,
                variable: setting.variable(),
            })
            .collect();
        (self.settings, effective)
    }
}

/// Whether Kubernetes set a variable for a Service named `muster` (or `muster-…`): `MUSTER_SERVICE_HOST`,
/// `MUSTER_SERVICE_PORT[_NAME]`, `MUSTER_PORT=tcp://…`, `MUSTER_PORT_8848_TCP[_ADDR|_PORT|_PROTO]`.
fn is_service_link(key: &str, text: &str) -> bool {
    let is_url = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme));
    let of_port = ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| key.contains(protocol));
    key.ends_with("SERVICE_HOST")
        || key.contains("SERVICE_PORT")
        || (key.ends_with("PORT") && is_url)
        || (key.contains("PORT_") && of_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn flags(values: &[(&str, &str)], file: Option<PathBuf>) -> Flags {
        Flags {
            file,
            values: values
                .iter()
                .map(|(k, v)| ("--set".to_owned(), (*k).to_owned(), (*v).to_owned()))
                .collect(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn flags_beat_environment_beats_file_beats_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        std::fs::write(&file, "history_days = 1\ndrain = \"1s\"\nwrite_timeout = \"1s\"\n").unwrap();
        let environment = environment(&[("MUSTER_DRAIN", "2s"), ("MUSTER_WRITE_TIMEOUT", "2s")]);
        let (settings, effective) =
            load(&flags(&[("write_timeout", "3s")], Some(file.clone())), &environment).unwrap();
        assert_eq!(settings.history_days, 1);
        assert_eq!(settings.drain.as_secs(), 2);
        assert_eq!(settings.write_timeout.as_secs(), 3);
        let source = |key| effective.iter().find(|e| e.key == key).unwrap().source.clone();
        assert_eq!(source("history_days"), file.display().to_string());
        assert_eq!(source("drain"), "MUSTER_DRAIN");
        assert_eq!(source("write_timeout"), "--set");
        assert_eq!(source("listen"), "default");
    }

    #[test]
    fn eureka_s_own_port_is_open_unless_somebody_says_where_to_listen() {
        let port = |values: &[(&str, &str)]| {
            let file = tempfile::NamedTempFile::new().unwrap();
            let flags = flags(values, Some(file.path().to_owned()));
            load(&flags, &BTreeMap::new()).unwrap().0.eureka_port
        };
        assert_eq!(port(&[]), 8761);
        assert_eq!(port(&[("listen", "127.0.0.1:20")]), 0);
        assert_eq!(port(&[("listen", "127.0.0.1:20"), ("eureka_port", "8761")]), 8761);
        assert_eq!(port(&[("eureka_port", "0")]), 0);
    }

    #[test]
    fn all_problems_come_at_once_and_name_the_nearest_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        std::fs::write(&file, "lisen = \"127.0.0.1:1\"\nhistory_days = \"many\"\n").unwrap();
        let problems = load(&flags(&[("drain", "10")], Some(file)), &environment(&[("MUSTER_X", "1")]))
            .unwrap_err()
            .to_string();
        for part in [
            "4 problems",
            "did you mean \"listen\"?",
            "history_days: expected",
            "MUSTER_X",
            "drain: expected",
        ] {
            assert!(problems.contains(part), "{part} is missing in: {problems}");
        }
    }

    #[test]
    fn names_of_the_original_are_understood() {
        let variables = [
            ("NACOS_APPLICATION_PORT", "9999"),
            ("SERVER_SERVLET_CONTEXTPATH", "/registry"),
            ("NACOS_CONFIG_RETENTION_DAYS", "7"),
            ("NACOS_AUTH_ENABLE", "false"),
            ("MODE", "standalone"),
        ];
        let (settings, _) = load(&Flags::default(), &environment(&variables)).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:9999");
        assert_eq!(settings.context_path, "/registry");
        assert_eq!(settings.history_days, 7);
        let bad = environment(&[("NACOS_APPLICATION_PORT", "http")]);
        assert!(
            load(&Flags::default(), &bad)
                .unwrap_err()
                .to_string()
                .contains("NACOS_APPLICATION_PORT: the port")
        );
    }

    #[test]
    fn what_the_original_does_and_this_does_not_refuses_the_start() {
        for (name, value) in [
            ("NACOS_AUTH_ENABLE", "TRUE"),
            ("NACOS_CORE_AUTH_ENABLED", "true"),
            ("MODE", "cluster"),
            ("SPRING_DATASOURCE_PLATFORM", "mysql"),
        ] {
            let problems = load(&Flags::default(), &environment(&[(name, value)])).unwrap_err().to_string();
            assert!(problems.contains("1 problem") && problems.contains(name), "{problems}");
        }
    }

    #[test]
    fn an_address_others_reach_is_opened_only_on_purpose() {
        for open in ["0.0.0.0:8848", "[::]:8848", "10.0.0.7:8848"] {
            let problems = load(&flags(&[("listen", open)], None), &BTreeMap::new()).unwrap_err().to_string();
            assert!(problems.contains("--open-client-api"), "{problems}");
            load(&flags(&[("listen", open), ("open_client_api", "true")], None), &BTreeMap::new()).unwrap();
        }
        load(&flags(&[("listen", "[::1]:8848")], None), &BTreeMap::new()).unwrap();
    }

    #[test]
    fn no_value_that_is_taken_makes_transport_panic() {
        let wanted = [("header_bytes_max", "8 KiB"), ("header_timeout", "1ms"), ("connections_max", "1")];
        let (settings, _) = load(&flags(&wanted, None), &BTreeMap::new()).unwrap();
        assert_eq!(settings.transport().problems(), []);
        for (key, value) in [("header_bytes_max", "10"), ("header_timeout", "0s"), ("idle_timeout", "0")] {
            assert!(load(&flags(&[(key, value)], None), &BTreeMap::new()).is_err(), "{key}");
        }
    }

    #[test]
    fn a_section_in_the_file_is_an_unknown_setting() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        std::fs::write(&file, "[server]\nport = 1\n[listen]\nx = 1\n").unwrap();
        let problems = load(&flags(&[], Some(file)), &BTreeMap::new()).unwrap_err().to_string();
        assert!(problems.contains("no setting \"server\""), "{problems}");
        assert!(problems.contains("listen: expected a text"), "{problems}");
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_is_no_setting() {
        let links = [
            ("MUSTER_SERVICE_HOST", "10.0.0.1"),
            ("MUSTER_SERVICE_PORT", "8848"),
            ("MUSTER_SERVICE_PORT_HTTP", "8848"),
            ("MUSTER_PORT", "tcp://10.0.0.1:8848"),
            ("MUSTER_PORT_8848_TCP", "tcp://10.0.0.1:8848"),
            ("MUSTER_PORT_8848_TCP_ADDR", "10.0.0.1"),
            ("MUSTER_PORT_8848_TCP_PORT", "8848"),
            ("MUSTER_PORT_8848_TCP_PROTO", "tcp"),
        ];
        load(&Flags::default(), &environment(&links)).unwrap();
        let meant = load(&Flags::default(), &environment(&[("MUSTER_PORT", "8848")]));
        assert!(meant.is_err(), "what somebody may have meant is refused");
    }

    #[test]
    fn every_default_reads_back_as_itself() {
        let (_, effective) = load(&Flags::default(), &BTreeMap::new()).unwrap();
        for Effective { key, value, .. } in effective {
            let (_, again) = load(&flags(&[(key, &value)], None), &BTreeMap::new()).unwrap();
            assert_eq!(again.iter().find(|e| e.key == key).unwrap().value, value, "{key}");
        }
    }
}
