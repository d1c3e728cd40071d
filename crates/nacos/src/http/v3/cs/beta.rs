//! The beta version of a config.

use crate::http::{
    Http,
    call::Call,
    configs::{V3_NAMES, history::gray_info, search::basic, text_of},
    refuse,
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{ConfigBasic, ConfigGray, V3ConfigDetail, check_filter, result, write_json};
use muster_node::config::{GrayName, RemoveTarget, VariantName};

impl Http {
    /// The beta version, for administration.
    pub(crate) fn v3_beta(&self, call: &Call) -> Result<Reply, Trouble> {
        self.shown_beta(call)?.ok_or_else(|| refuse(ErrorCode::NotFound, "Config is not in beta."))
    }

    /// The beta version, for the console; null if there is none.
    pub(crate) fn v3_console_beta(&self, call: &Call) -> Result<Reply, Trouble> {
        let none = || result(|out| write_json(out, &None::<&str>)).into();
        Ok(self.shown_beta(call)?.unwrap_or_else(none))
    }

    fn shown_beta(&self, call: &Call) -> Result<Option<Reply>, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let Some(config) = self.node.config(&key) else { return Ok(None) };
        let beta = config.grays().find(|(name, ..)| name.is_beta());
        let Some((name, rule, variant)) = beta else { return Ok(None) };
        let found = self.node.config_variant(&key, &VariantName::Gray(name.clone()))?;
        let Some(found) = found else { return Ok(None) };
        let gray = ConfigGray {
            detail: V3ConfigDetail {
                basic: ConfigBasic {
                    md5: Some(found.selection.md5.to_string()),
                    // Gray versions have no type of their own.
                    r#type: None,
                    modify_time: variant.modified.0,
                    ..basic(&config, false)
                },
                content: text_of(&found),
                desc: None,
                encrypted_data_key: Some(&variant.encrypted_data_key),
                create_user: variant.author.user.as_deref(),
                create_ip: Some(&variant.author.ip),
                config_tags: None,
            },
            gray_name: name.as_str(),
            gray_rule: gray_info(name.as_str(), rule).rule(),
        };
        Ok(Some(result(|out| write_json(out, &gray)).into()))
    }

    /// Ends the beta; it is no error if there is none.
    pub(crate) async fn v3_stop_beta(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let target = RemoveTarget::Gray(GrayName::BETA.to_owned());
        self.node.remove_config(key, target, call.author(V3_NAMES.user)).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }
}
