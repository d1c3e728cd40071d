//! `audit`: what the dependencies are: their licences, versions that are built twice, crates that are barred,
//! and known vulnerabilities where a database is at hand. Reads `cargo metadata`; installs nothing.

mod advisories;
mod duplicates;
mod licences;

use crate::report::Outcome;
use crate::tidy::{Metadata, Package};

/// Crates that may not be built, not even for another feature set: the workspace has one crypto backend.
const BANNED: &[(&str, &str)] = &[
    ("ring", "aws-lc-rs is the only crypto backend"),
    ("rsa", "has a known timing weakness (Marvin) without a fixed release"),
    ("openssl", "no system dependencies to build"),
    ("openssl-sys", "no system dependencies to build"),
    ("native-tls", "no system dependencies to build"),
];

/// Runs the four checks; the note says what the last one came to.
pub(crate) fn audit() -> anyhow::Result<Outcome> {
    let metadata = Metadata::read()?;
    let packages = metadata.foreign();
    let mut breaches = banned(&packages);
    breaches.extend(licences::breaches(&packages));
    breaches.extend(duplicates::breaches(&packages));
    let advised = match advisories::database() {
        Some(folder) => {
            breaches.extend(advisories::breaches(&folder, &packages)?);
            "advisories read"
        }
        None => "SKIPPED advisories: no database at hand (MUSTER_ADVISORY_DB)",
    };
    for breach in &breaches {
        println!("audit: {breach}");
    }
    Ok(match breaches.len() {
        0 => Outcome::Passed(format!("{} crates; {advised}", packages.len())),
        count => Outcome::Failed(format!("{count} breaches")),
    })
}

fn banned(packages: &[&Package]) -> Vec<String> {
    let reasons = packages.iter().filter_map(|package| BANNED.iter().find(|(name, _)| *name == package.name));
    reasons.map(|(name, why)| format!("{name} is barred: {why}")).collect()
}

#[cfg(test)]
pub(crate) fn package(name: &str, version: &str, license: Option<&str>) -> Package {
    let value = serde_json::json!(
        {"id": name, "name": name, "version": version, "license": license, "dependencies": []}
    );
    serde_json::from_value(value).expect("the shape of a package is given above")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_barred_crate_is_found() {
        let (ring, fine) = (package("ring", "0.17.0", None), package("bytes", "1.0.0", None));
        assert_eq!(banned(&[&fine]), Vec::<String>::new());
        assert_eq!(banned(&[&ring, &fine]).len(), 1);
    }
}
