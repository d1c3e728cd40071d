//! The settings of how many configs groups and namespaces may have.

use super::{Settings, table::Setting, values};

macro_rules! quota {
    ($key:literal, $field:ident, $about:literal, $nacos:expr) => {
        Setting {
            key: $key,
            about: $about,
            nacos: $nacos,
            set: |settings, text| {
                let number = values::number(text, 1, u64::from(u32::MAX))?;
                settings.quota.defaults.$field = u32::try_from(number).map_err(|error| error.to_string())?;
                Ok(())
            },
            show: |settings| settings.quota.defaults.$field.to_string(),
        }
    };
}

/// The settings of quotas, in the order in which they are shown.
pub(super) fn quotas() -> Vec<Setting> {
    vec![
        Setting {
            key: "config_quota",
            about: "refuse configs beyond what their group or namespace may have",
            nacos: &[],
            set: |settings: &mut Settings, text| {
                settings.quota.enforced = values::boolean(text)?;
                Ok(())
            },
            show: |settings| settings.quota.enforced.to_string(),
        },
        quota!(
            "config_quota_total",
            configs_max,
            "configs of all namespaces together, where quotas are enforced",
            &[]
        ),
        quota!(
            "config_quota_group",
            group_configs_max,
            "configs of one group of public for which nothing else was set",
            &[]
        ),
        quota!(
            "config_quota_namespace",
            namespace_configs_max,
            "configs of another namespace for which nothing else was set",
            &[]
        ),
        quota!(
            "config_quota_content_bytes",
            content_bytes_max,
            "bytes of one content where nothing else was set",
            &[]
        ),
    ]
}
