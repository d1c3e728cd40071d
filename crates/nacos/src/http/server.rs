//! What is asked about the server: health, state, namespaces; and logins, which an open server grants.

use super::{
    Http,
    call::Call,
    reply::{Reply, done},
    route::Handled,
};
use muster_nacos_wire::http::{
    Answer, Refusal, ResultCode, ServerState, login_answer, result_error, write_server_state,
};

/// The token that says there is nothing to authenticate against, as in the original.
const NO_TOKEN: &str = "AUTH_DISABLED";
/// How long it holds, seconds.
const TOKEN_TTL: u64 = 18_000;
/// What the console shows above the login.
const ANNOUNCEMENT: &str =
    "Authentication has not been enabled: whoever reaches this server may read and change everything.";

/// The announcement in a language that the console has.
pub(crate) fn announcement(language: &str) -> Option<&'static str> {
    matches!(language, "zh-CN" | "en-US").then_some(ANNOUNCEMENT)
}

/// What the original's console shows where its own page is switched off: there is nothing to say.
pub(crate) fn guide() -> &'static str {
    ""
}

/// The server is there, as a `Result`.
pub(crate) fn alive() -> Reply {
    done()
}

impl Http {
    /// A login at a server without access control: anyone is welcome.
    pub(crate) fn login(&self, call: &Call) -> Handled {
        let required = |name| call.parameters.get(name).ok_or(Refusal::Missing { name, of_type: "String" });
        let username = required("username")?;
        required("password")?;
        let reply = Reply::from(login_answer(NO_TOKEN, TOKEN_TTL, username));
        Ok(reply.with_headers([("Authorization", format!("Bearer {NO_TOKEN}"))]))
    }

    /// Writes the map of `server/state`.
    pub(crate) fn write_server_state(&self, out: &mut Vec<u8>) {
        let settings = self.node.settings();
        write_server_state(
            out,
            &ServerState {
                version: &self.settings.version,
                port: self.settings.main_port,
                content_bytes_max: settings.limits.content_bytes_max,
                history_days: settings.history.history_retention_ms / 86_400_000,
                is_cluster: self.is_cluster(),
                quota_enforced: settings.quota.enforced,
                quota_total: settings.quota.defaults.configs_max,
                quota_group: settings.quota.defaults.group_configs_max,
                quota_content_bytes: settings.quota.defaults.content_bytes_max,
            },
        );
    }

    /// The map of `server/state` without a wrapper.
    pub(crate) fn raw_server_state(&self, _: &Call) -> Handled {
        let mut body = Vec::with_capacity(1024);
        self.write_server_state(&mut body);
        Ok(Answer::json(body).into())
    }

    /// Whether the server is ready, as a `Result`.
    pub(crate) fn readiness(&self, unready_status: u16) -> Reply {
        if self.node.is_ready() {
            return alive();
        }
        let text = Some("config and naming not in readiness");
        result_error(unready_status, ResultCode::ServerError, text).into()
    }
}
