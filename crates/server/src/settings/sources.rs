//! Where values come from, and which one wins: flags, then environment, then file, then defaults.

use super::{
    Settings,
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
    /// Key and text of each flag that was given.
    pub(crate) values: Vec<(String, String)>,
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
    let mut merge = Merge { settings: Settings::default(), sources: BTreeMap::new(), problems: Vec::new() };
    merge.file(&table, flags.file.as_deref());
    merge.environment(&table, environment);
    for (key, text) in &flags.values {
        merge.set(&table, key, text, "flag");
    }
    if merge.problems.is_empty() { Ok(merge.finish(&table)) } else { Err(Problems(merge.problems)) }
}

struct Merge {
    settings: Settings,
    sources: BTreeMap<&'static str, String>,
    problems: Vec<String>,
}

impl Merge {
    fn set(&mut self, table: &[Setting], key: &str, text: &str, source: &str) {
        let Some(setting) = table.iter().find(|setting| setting.key == key) else {
            let hint = nearest(key, table.iter().map(|s| s.key))
                .map_or(String::new(), |known| format!("; did you mean {known:?}?"));
            self.problems.push(format!("{source}: there is no setting {key:?}{hint}"));
            return;
        };
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
        self.nacos_port(table, environment);
        for (name, text) in environment {
            let Some(key) = name.strip_prefix("MUSTER_") else { continue };
            // `MUSTER_BUILD_…` belongs to the build, not to the server.
            if !key.starts_with("BUILD_") {
                self.set(table, &key.to_ascii_lowercase(), text, name);
            }
        }
        if environment.get("NACOS_AUTH_ENABLE").is_some_and(|value| value == "true") {
            self.problems.push(
                "NACOS_AUTH_ENABLE: access control does not exist in this version; unset it to start without"
                    .into(),
            );
        }
    }

    /// The original takes the port alone; here it changes the port of the address in force.
    fn nacos_port(&mut self, table: &[Setting], environment: &BTreeMap<String, String>) {
        for name in ["NACOS_APPLICATION_PORT", "NACOS_SERVER_PORT"] {
            if let Some(port) = environment.get(name) {
                let address = format!("{}:{port}", super::values::show_ip(self.settings.listen.ip()));
                self.set(table, "listen", &address, name);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn flags(values: &[(&str, &str)], file: Option<PathBuf>) -> Flags {
        Flags { file, values: values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() }
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
        assert_eq!(source("write_timeout"), "flag");
        assert_eq!(source("listen"), "default");
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
    fn the_port_of_the_original_is_understood() {
        let (settings, _) =
            load(&Flags::default(), &environment(&[("NACOS_APPLICATION_PORT", "9999")])).unwrap();
        assert_eq!(settings.listen.port(), 9999);
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
