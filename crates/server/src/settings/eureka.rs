//! The settings of Eureka: what is found where, and how it and Nacos see each other.

use super::{Settings, table::Setting, values};
use muster_model::{GroupName, Namespace};
use std::sync::Arc;

fn row(
    key: &'static str,
    about: &'static str,
    set: fn(&mut Settings, &str) -> Result<(), String>,
    show: fn(&Settings) -> String,
) -> Setting {
    Setting { key, about, nacos: &[], set, show }
}

/// `/` and segments, or nothing.
fn path(text: &str) -> Result<String, String> {
    let path = text.trim().trim_end_matches('/');
    let legal = path.is_empty()
        || (path.starts_with('/')
            && !path.contains("//")
            && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte)));
    if legal {
        Ok(path.to_owned())
    } else {
        Err(format!("expected a path such as \"/registry\", found {text:?}"))
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    values::bytes_in(text, 64 << 10, 1 << 30).map(|bytes| bytes as usize)
}

fn show_bytes(bytes: usize) -> String {
    values::show_bytes(bytes as u64)
}

fn patterns(text: &str) -> Vec<Arc<str>> {
    text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).map(Arc::from).collect()
}

/// All of them.
pub(super) fn table() -> Vec<Setting> {
    let mut all = places();
    all.extend(rules());
    all
}

fn places() -> Vec<Setting> {
    vec![
        row(
            "eureka_namespace",
            "namespace that Eureka clients see without naming one",
            |settings, text| {
                settings.eureka.base.namespace =
                    Namespace::canonical(text).map_err(|error| error.to_string())?;
                Ok(())
            },
            |settings| settings.eureka.base.namespace.to_string(),
        ),
        row(
            "eureka_group",
            "group that Eureka clients see without naming one",
            |settings, text| {
                settings.eureka.base.group = GroupName::new(text).map_err(|error| error.to_string())?;
                Ok(())
            },
            |settings| settings.eureka.base.group.to_string(),
        ),
        row(
            "eureka_path",
            "one more path with all that is below /eureka; nothing for none",
            |settings, text| {
                settings.eureka.extra_path = path(text)?;
                Ok(())
            },
            |settings| settings.eureka.extra_path.clone(),
        ),
        row(
            "eureka_body_bytes_max",
            "bytes of one body that an Eureka client or peer sends",
            |settings, text| {
                settings.eureka.body_bytes_max = bytes(text)?;
                Ok(())
            },
            |settings| show_bytes(settings.eureka.body_bytes_max),
        ),
        row(
            "eureka_rendered_bytes_max",
            "memory for rendered and packed Eureka lists; the least recently used are dropped",
            |settings, text| {
                settings.eureka.rendered_bytes_max = values::bytes(text)? as usize;
                Ok(())
            },
            |settings| show_bytes(settings.eureka.rendered_bytes_max),
        ),
    ]
}

fn rules() -> Vec<Setting> {
    vec![
        row(
            "eureka_compat_eviction",
            "show an Eureka instance UP until it is removed, not DOWN once its lease is over",
            |settings, text| {
                settings.eureka_rules.compat_eviction = values::boolean(text)?;
                Ok(())
            },
            |settings| settings.eureka_rules.compat_eviction.to_string(),
        ),
        row(
            "eureka_zone_as_cluster",
            "register Eureka instances into the Nacos cluster that their metadata zone names",
            |settings, text| {
                settings.eureka_rules.zone_as_cluster = values::boolean(text)?;
                Ok(())
            },
            |settings| settings.eureka_rules.zone_as_cluster.to_string(),
        ),
        row(
            "eureka_hidden",
            "names of Nacos services that Eureka clients do not see, separated by commas; * is any text",
            |settings, text| {
                settings.eureka_rules.hidden = patterns(text);
                Ok(())
            },
            |settings| settings.eureka_rules.hidden.join(","),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_the_same() {
        let mut settings = Settings::default();
        for setting in table() {
            let shown = (setting.show)(&settings);
            (setting.set)(&mut settings, &shown)
                .unwrap_or_else(|problem| panic!("{}: {problem}", setting.key));
            assert_eq!((setting.show)(&settings), shown, "{}", setting.key);
        }
    }

    #[test]
    fn paths_begin_with_a_slash() {
        assert_eq!(path("/registry/").as_deref(), Ok("/registry"));
        assert_eq!(path("").as_deref(), Ok(""));
        for text in ["registry", "/a b", "/{x}", "//a", "/a?b"] {
            assert!(path(text).is_err(), "{text}");
        }
    }
}
