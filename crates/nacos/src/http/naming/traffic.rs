//! Requests of naming that a switch refuses (naming `TrafficReviseFilter`).

use crate::http::{Http, call::Call, trouble::Trouble};
use muster_model::ServerStatus;
use muster_nacos_wire::http::Answer;

impl Http {
    /// Refuses what the switches `limitedUrlMap` and `overriddenServerStatus` say. What sets switches and what tells of
    /// the status is let through, or there were no way back and no way to see it.
    pub(crate) fn check_traffic(&self, call: &Call) -> Result<(), Trouble> {
        if !self.node.limits_traffic() || is_about_switches(&call.path) {
            return Ok(());
        }
        let switches = self.node.switches();
        let limited = switches.limited_urls.iter().find(|(start, _)| call.full_path.starts_with(*start));
        if let Some((_, status)) = limited {
            return Err(Trouble::Answered(Answer::untyped(*status, "")));
        }
        let is_get = call.exact_method() == "GET";
        let Some(status) = switches.overridden_status else { return Ok(()) };
        match status {
            ServerStatus::Up => Ok(()),
            ServerStatus::ReadOnly if is_get => Ok(()),
            ServerStatus::WriteOnly if !is_get => Ok(()),
            // Without a blank, as in the original.
            ServerStatus::Down | ServerStatus::ReadOnly | ServerStatus::WriteOnly => {
                let text = format!("server is {}now, please try again later!", status.as_str());
                Err(Trouble::Answered(Answer::untyped(503, text)))
            }
        }
    }
}

fn is_about_switches(path: &str) -> bool {
    let is_one =
        |name| path.ends_with(&format!("/operator/{name}")) || path.ends_with(&format!("/ops/{name}"));
    is_one("switches") || is_one("metrics")
}
