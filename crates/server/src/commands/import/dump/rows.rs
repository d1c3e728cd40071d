//! What the rows of Nacos's tables are.

use super::{
    super::collected::{
        AccountItem, Collected, GrayItem, HistoryItem, NamespaceItem, VersionItem, canonical, describe,
    },
    Value,
};
use anyhow::{Context, anyhow, bail};
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use std::collections::{BTreeMap, HashMap};

/// The time zone of the dates in a dump.
pub(in super::super) type Zone = TimeZone;

/// A zone by its distance from UTC: `UTC`, `+08:00`.
pub(in super::super) fn zone(text: &str) -> Option<Zone> {
    if text.eq_ignore_ascii_case("UTC") {
        return Some(Zone::UTC);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours * 3_600 + minutes * 60;
    let is_distance = (0..=14).contains(&hours) && (0..60).contains(&minutes);
    match sign {
        "+" if is_distance => Some(Offset::from_seconds(seconds).ok()?.to_time_zone()),
        "-" if is_distance => Some(Offset::from_seconds(-seconds).ok()?.to_time_zone()),
        _ => None,
    }
}

/// Values of a row by the names of their columns.
type Fields = HashMap<String, Value>;

/// The rows that matter, by table.
#[derive(Debug, Default)]
pub(super) struct Tables(HashMap<String, Vec<Row>>);

/// The tables that are taken over.
const WANTED: [&str; 10] = [
    "tenant_info",
    "config_info",
    "config_tags_relation",
    "config_info_gray",
    "config_info_beta",
    "config_info_tag",
    "his_config_info",
    "users",
    "roles",
    "permissions",
];

/// Tables whose rows are counted and told of.
const TOLD: [(&str, &str); 3] = [
    ("config_info_aggr", "parts of aggregated configs, which Nacos itself dropped in 2.3"),
    ("tenant_capacity", "capacities of namespaces: set them again where they matter"),
    ("group_capacity", "capacities of groups: set them again where they matter"),
];

#[derive(Debug)]
struct Row(Fields);

impl Row {
    fn get(&self, column: &str) -> anyhow::Result<Option<String>> {
        match self.0.get(column) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => bail!("column {column} is not UTF-8: dump with --default-character-set=utf8mb4"),
            },
        }
    }

    fn text(&self, column: &str) -> anyhow::Result<String> {
        Ok(self.get(column)?.unwrap_or_default())
    }

    fn some(&self, column: &str) -> anyhow::Result<Option<String>> {
        Ok(self.get(column)?.filter(|text| !text.is_empty()))
    }

    /// Namespace, group and data id.
    fn key(&self) -> anyhow::Result<(String, String, String)> {
        Ok((canonical(&self.text("tenant_id")?), self.text("group_id")?, self.text("data_id")?))
    }

    /// Content and what is said of it, as most tables have it.
    fn version(&self) -> anyhow::Result<VersionItem> {
        Ok(VersionItem {
            content: self.text("content")?,
            r#type: self.some("type")?,
            app_name: self.some("app_name")?,
            tags: None,
            description: self.some("c_desc")?,
            purpose: self.some("c_use")?,
            effect: self.some("effect")?,
            schema: self.some("c_schema")?,
            encrypted_data_key: self.text("encrypted_data_key")?,
            user: self.some("src_user")?,
            address: self.text("src_ip")?,
            gray: None,
        })
    }

    fn time(&self, column: &str, zone: &Zone) -> anyhow::Result<u64> {
        let text = self.text(column)?;
        let date: DateTime = text.parse().with_context(|| format!("{column} is no date: {text}"))?;
        let moment = date.to_zoned(zone.clone())?.timestamp().as_millisecond();
        u64::try_from(moment).map_err(|_| anyhow!("{column} is before 1970: {text}"))
    }
}

impl Tables {
    pub(super) fn wants(table: &str) -> bool {
        WANTED.contains(&table) || TOLD.iter().any(|(told, _)| *told == table)
    }

    pub(super) fn add(&mut self, table: &str, fields: Fields) {
        self.0.entry(table.to_owned()).or_default().push(Row(fields));
    }

    fn take(&mut self, table: &str) -> Vec<Row> {
        self.0.remove(table).unwrap_or_default()
    }

    pub(super) fn collect(mut self, zone: &Zone) -> anyhow::Result<Collected> {
        if self.0.is_empty() {
            bail!("there is no row of a table of Nacos in it");
        }
        let mut collected = Collected::default();
        for row in self.take("tenant_info") {
            collected.namespaces.push(NamespaceItem {
                id: row.text("tenant_id")?,
                name: row.text("tenant_name")?,
                description: row.text("tenant_desc")?,
            });
        }
        self.formal(&mut collected).context("table config_info")?;
        self.grays(&mut collected)?;
        self.history(&mut collected, zone).context("table his_config_info")?;
        self.accounts(&mut collected)?;
        for (table, what) in TOLD {
            let rows = self.take(table).len();
            if rows > 0 {
                collected.notes.push(format!("{table}: {rows} rows are left out, {what}"));
            }
        }
        Ok(collected)
    }

    fn formal(&mut self, collected: &mut Collected) -> anyhow::Result<()> {
        let mut tags: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
        for row in self.take("config_tags_relation") {
            tags.entry(row.key()?).or_default().push(row.text("tag_name")?);
        }
        let mut dates: BTreeMap<(String, String, String), String> = BTreeMap::new();
        for row in self.take("config_info") {
            let key = row.key()?;
            let modified = row.text("gmt_modified")?;
            // 3.x keeps a config of the public namespace twice for a while, under '' and 'public'.
            if let Some(other) = dates.get(&key) {
                let (namespace, group, data_id) = &key;
                let name = format!("{namespace}/{group}/{data_id}");
                collected.notes.push(format!("{name} is there twice, the newer one is taken"));
                if *other >= modified {
                    continue;
                }
            }
            let mut version = row.version()?;
            version.tags = Some(tags.get(&key).cloned().unwrap_or_default());
            collected.config(&key.0, &key.1, &key.2).versions = vec![version];
            dates.insert(key, modified);
        }
        Ok(())
    }

    /// The gray versions: those of 2.5 and later first, whose copies in the older tables are the same.
    fn grays(&mut self, collected: &mut Collected) -> anyhow::Result<()> {
        for table in ["config_info_gray", "config_info_beta", "config_info_tag"] {
            for row in self.take(table) {
                let (namespace, group, data_id) = row.key()?;
                let gray = match table {
                    "config_info_gray" => {
                        let (name, rule) = (row.text("gray_name")?, row.text("gray_rule")?);
                        let what = format!("the rule of {name} of {data_id} can't be read: {rule}");
                        GrayItem::of_rule(&name, &rule).with_context(|| format!("table {table}: {what}"))?
                    }
                    "config_info_beta" => GrayItem::beta(&row.text("beta_ips")?),
                    _ => GrayItem::tag(&row.text("tag_id")?),
                };
                let config = collected.config(&namespace, &group, &data_id);
                let is_known = |version: &VersionItem| {
                    version.gray.as_ref().is_some_and(|known| known.name == gray.name)
                };
                if !config.versions.iter().any(is_known) {
                    let version = row.version().with_context(|| format!("table {table}"))?;
                    config.versions.push(VersionItem { gray: Some(gray), ..version });
                }
            }
        }
        Ok(())
    }

    fn history(&mut self, collected: &mut Collected, zone: &Zone) -> anyhow::Result<()> {
        let mut without_rule = 0_usize;
        let mut rows = self.take("his_config_info");
        let number = |row: &Row| row.text("nid").ok().and_then(|nid| nid.parse::<u64>().ok());
        rows.sort_by_key(number);
        for row in rows {
            let (namespace, group, data_id) = row.key()?;
            let mut version = row.version()?;
            let (by_user, by_address) = (version.user.clone(), version.address.clone());
            describe(&mut version, &row.text("ext_info")?);
            if row.text("publish_type")?.trim() == "gray" && version.gray.is_none() {
                without_rule += 1;
                continue;
            }
            collected.config(&namespace, &group, &data_id).history.push(HistoryItem {
                op: row.text("op_type")?.trim().to_owned(),
                time: row.time("gmt_modified", zone)?,
                by_user,
                by_address,
                version,
            });
        }
        if without_rule > 0 {
            let what = "entries of gray versions do not say their rule and are left out";
            collected.notes.push(format!("his_config_info: {without_rule} {what}"));
        }
        Ok(())
    }

    fn accounts(&mut self, collected: &mut Collected) -> anyhow::Result<()> {
        for row in self.take("users") {
            collected.accounts.push(AccountItem::User {
                name: row.text("username")?,
                hash: row.text("password")?,
                enabled: matches!(row.text("enabled")?.as_str(), "1" | "\u{1}" | "true" | "TRUE"),
            });
        }
        for row in self.take("roles") {
            collected
                .accounts
                .push(AccountItem::Role { user: row.text("username")?, role: row.text("role")? });
        }
        for row in self.take("permissions") {
            collected.accounts.push(AccountItem::Permission {
                role: row.text("role")?,
                resource: row.text("resource")?,
                action: row.text("action")?,
            });
        }
        Ok(())
    }
}
