//! Which crate may know which: the tiers of the layout, held against the manifests.

use super::{Metadata, Package};

/// What stands before the folder's name in a package's name.
const PREFIX: &str = "muster-";

/// Crate → the crates of ours it may depend on. A crate that is missing here may not exist.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("runtime", &["model"]),
    ("registry", &["model"]),
    ("config", &["model"]),
    ("watch", &["model"]),
    ("storage", &["model", "runtime"]),
    ("peer", &["model", "runtime"]),
    ("consensus", &["model", "runtime", "storage", "peer"]),
    ("mirror", &["model", "runtime", "peer"]),
    ("node", &["model", "runtime", "registry", "config", "watch", "storage", "peer", "consensus", "mirror"]),
    ("transport", &["model", "runtime"]),
    ("nacos-wire", &["model"]),
    ("nacos", &["model", "runtime", "node", "transport", "nacos-wire"]),
    ("eureka", &["model", "runtime", "node", "transport"]),
    ("admin", &["model", "runtime", "node", "transport"]),
    ("client", &["model", "nacos-wire"]),
    ("bench", &["model", "nacos-wire", "client"]),
    (
        "server",
        &[
            "model",
            "runtime",
            "storage",
            "peer",
            "consensus",
            "mirror",
            "node",
            "transport",
            "nacos",
            "nacos-wire",
            "eureka",
            "admin",
            "client",
        ],
    ),
    (
        "simulation",
        &["model", "runtime", "registry", "config", "storage", "peer", "consensus", "mirror", "node"],
    ),
    ("xtask", &[]),
];

/// Crates that are pure, and what they therefore may not know.
const PURE: &[(&str, &[&str])] = &[
    ("model", CORE),
    ("registry", CORE),
    ("config", CORE),
    ("watch", CORE),
    ("nacos-wire", &["tokio", "hyper", "axum", "rusqlite", "openraft"]),
];

/// What no core knows: a runtime, a wire format, a store.
const CORE: &[&str] = &[
    "tokio",
    "tokio-util",
    "hyper",
    "axum",
    "tonic",
    "tower",
    "http",
    "serde",
    "serde_json",
    "rusqlite",
    "openraft",
    "tracing",
];

/// The edges that are not allowed.
pub(super) fn breaches(metadata: &Metadata) -> Vec<String> {
    metadata.members().flat_map(of_package).collect()
}

fn of_package(package: &Package) -> Vec<String> {
    let name = short(&package.name).unwrap_or(&package.name);
    let Some((_, allowed)) = ALLOWED.iter().find(|(krate, _)| *krate == name) else {
        return vec![format!("crates/{name}: not in the layout; add it to the table of edges")];
    };
    let barred = PURE.iter().find(|(krate, _)| *krate == name).map_or(&[][..], |(_, barred)| *barred);
    let mut found = Vec::new();
    for dependency in &package.dependencies {
        let dev = dependency.kind.as_deref() == Some("dev");
        match short(&dependency.name) {
            // Tests may look further than the product, but never up at the binary.
            Some("server") => found.push(format!("crates/{name}: nothing depends on `server`")),
            Some(other) if !dev && !allowed.contains(&other) => {
                found.push(format!("crates/{name}: the edge to `{other}` is not allowed"));
            }
            None if !dev && barred.contains(&dependency.name.as_str()) => {
                found.push(format!("crates/{name}: is pure and may not know {}", dependency.name));
            }
            Some(_) | None => {}
        }
    }
    found
}

fn short(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, dependencies: &[(&str, Option<&str>)]) -> Vec<String> {
        let list: Vec<_> =
            dependencies.iter().map(|(name, kind)| serde_json::json!({"name": name, "kind": kind})).collect();
        let package = serde_json::json!({"id": name, "name": name, "version": "0.0.0", "license": null, "dependencies": list});
        of_package(&serde_json::from_value(package).unwrap())
    }

    #[test]
    fn downward_edges_pass_and_upward_ones_do_not() {
        assert_eq!(check("muster-node", &[("muster-registry", None), ("tokio", None)]), Vec::<String>::new());
        assert_eq!(check("muster-registry", &[("muster-config", None)]).len(), 1);
        assert_eq!(check("muster-nacos", &[("muster-registry", None)]).len(), 1);
    }

    #[test]
    fn tests_may_look_further_but_not_at_the_server() {
        assert_eq!(check("muster-client", &[("muster-node", Some("dev"))]), Vec::<String>::new());
        assert_eq!(check("muster-client", &[("muster-server", Some("dev"))]).len(), 1);
    }

    #[test]
    fn a_core_may_not_know_tokio_and_an_unknown_crate_is_refused() {
        assert_eq!(check("muster-watch", &[("tokio", None)]).len(), 1);
        assert_eq!(check("muster-helpers", &[]).len(), 1);
    }
}
