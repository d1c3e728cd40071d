//! The OpenAPI description of Muster's own API and of Nacos's v3, as it is checked in and served.

/// The description. A test holds that it is what the routes say.
pub(crate) const OPENAPI: &str = include_str!("../openapi.json");

#[cfg(test)]
mod tests {
    use super::OPENAPI;
    use serde_json::{Value, json};

    fn generated() -> String {
        let mut document: Value = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Muster",
                "version": "1",
                "description": "Muster's own API, and the v3 API of Nacos as it is served under the default context \
                    path. The console's paths are also found without the context path. Parameters that are not \
                    described are ignored. Nacos v1 and v2 and Eureka are served, too, and described by those they \
                    are of.",
                "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            },
            "servers": [{ "url": "http://127.0.0.1:8848" }],
        });
        let nacos = muster_nacos::openapi("/nacos");
        let mut paths = muster_admin::openapi_paths();
        paths.extend(nacos["paths"].as_object().unwrap().clone());
        document["paths"] = paths.into();
        document["components"] = nacos["components"].clone();
        let mut text = serde_json::to_string_pretty(&document).unwrap();
        text.push('\n');
        text
    }

    /// `MUSTER_WRITE_OPENAPI=1 cargo test -p muster-server openapi` writes it.
    #[test]
    fn what_is_checked_in_is_what_the_routes_say() {
        let generated = generated();
        if std::env::var_os("MUSTER_WRITE_OPENAPI").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
            std::fs::write(path, &generated).unwrap();
            return;
        }
        let differs = OPENAPI.lines().zip(generated.lines()).position(|(old, new)| old != new);
        assert!(
            OPENAPI == generated,
            "openapi.json is not current from line {}: MUSTER_WRITE_OPENAPI=1 cargo test -p muster-server openapi",
            differs.map_or(0, |line| line + 1)
        );
    }
}
