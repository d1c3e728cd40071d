//! The first generation.

mod beat;
mod config;
mod config_search;
mod console;
mod instance;
mod listener;
mod metadata_batch;
mod service;

pub(super) use config::{PublishNames, V1_NAMES, text_of};
pub(super) use console::{auth, login, server_state};
pub(super) use instance::address_of;

use super::{Http, call::Call, reply::Reply, trouble::Trouble};

impl Http {
    /// `/v1/ns`. Its unknown methods are unknown paths.
    pub(super) async fn v1_naming(&self, call: &Call, path: &str) -> Result<Reply, Trouble> {
        if matches!(path, "/operator/metrics" | "/ops/metrics") && call.exact_method() == "GET" {
            return Ok(self.naming_metrics(call));
        }
        self.ready()?;
        match (call.exact_method(), path) {
            ("POST", "/instance") => self.register_instance(call).await,
            ("DELETE", "/instance") => self.deregister_instance(call).await,
            ("PUT", "/instance") => self.update_instance(call).await,
            ("PATCH", "/instance") => self.patch_instance(call).await,
            ("GET", "/instance") => self.read_instance(call),
            ("GET", "/instance/list") => self.list_instances(call),
            ("GET", "/instance/statuses") => self.instance_statuses(call),
            ("PUT", "/instance/metadata/batch") => self.merge_metadata(call).await,
            ("DELETE", "/instance/metadata/batch") => self.remove_metadata(call).await,
            ("PUT", "/instance/beat") => self.beat(call),
            ("GET", "/service/list") => self.list_service_names(call),
            _ => Err(Trouble::NoPath),
        }
    }

    /// `/v1/cs`.
    pub(super) async fn v1_config(&self, call: &Call, path: &str) -> Result<Reply, Trouble> {
        match (path, call.method()) {
            ("/configs", "GET") => self.get_config(call),
            ("/configs", "POST") => self.publish_config(call, V1_NAMES).await,
            ("/configs", "DELETE") => self.delete_config(call).await,
            ("/configs/listener", "POST") => self.listen_to_configs(call).await,
            ("/configs" | "/configs/listener", _) => Err(Trouble::NoMethod),
            _ => Err(Trouble::NoPath),
        }
    }
}
