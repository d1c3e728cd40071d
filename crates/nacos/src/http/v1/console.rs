//! What is asked about the server: health, state, namespaces; and logins, which an open server grants.

use crate::http::{Http, call::Call, reply::Reply, trouble::Trouble};
use muster_model::Namespace;
use muster_nacos_wire::http::{
    Answer, NamespaceInfo, Refusal, ServerState, login_answer, rest_result, write_json, write_server_state,
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

/// `/v1/auth`.
pub(crate) fn auth(call: &Call, path: &str) -> Result<Reply, Trouble> {
    match (path, call.method()) {
        ("/login" | "/users/login", "POST") => login(call),
        ("/login" | "/users/login", _) => Err(Trouble::NoMethod),
        _ => Err(Trouble::NoPath),
    }
}

/// A login at a server without access control: anyone is welcome.
pub(crate) fn login(call: &Call) -> Result<Reply, Trouble> {
    let required = |name| call.parameters.get(name).ok_or(Refusal::Missing { name, of_type: "String" });
    let username = required("username")?;
    required("password")?;
    let reply = Reply::from(login_answer(NO_TOKEN, TOKEN_TTL, username));
    Ok(reply.with_headers([("Authorization", format!("Bearer {NO_TOKEN}"))]))
}

/// Writes the map of `server/state`.
pub(crate) fn server_state(http: &Http, out: &mut Vec<u8>) {
    let settings = http.node.settings();
    write_server_state(
        out,
        &ServerState {
            version: &http.settings.version,
            port: http.settings.main_port,
            content_bytes_max: settings.limits.content_bytes_max,
            history_days: settings.history.history_retention_ms / 86_400_000,
        },
    );
}

impl Http {
    /// `/v1/console`. Answered while the server starts, too.
    pub(crate) fn v1_console(&self, call: &Call, path: &str) -> Result<Reply, Trouble> {
        let answer = match (path, call.method()) {
            ("/health/liveness", "GET") => Answer::text(200, "OK"),
            ("/health/readiness", "GET") => self.v1_readiness(),
            ("/server/state", "GET") => {
                let mut body = Vec::with_capacity(1024);
                server_state(self, &mut body);
                Answer::json(body)
            }
            ("/server/announcement", "GET") => {
                let text = announcement(call.parameters.get("language").unwrap_or("zh-CN"));
                rest_result(200, None, |out| write_json(out, &text))
            }
            ("/server/guide", "GET") => rest_result(200, None, |out| write_json(out, "")),
            ("/namespaces", "GET") => {
                self.ready()?;
                self.v1_namespaces()
            }
            ("/health/liveness" | "/health/readiness" | "/server/state" | "/namespaces", _)
            | ("/server/announcement" | "/server/guide", _) => return Err(Trouble::NoMethod),
            _ => return Err(Trouble::NoPath),
        };
        Ok(answer.into())
    }

    fn v1_readiness(&self) -> Answer {
        if self.node.is_ready() {
            Answer::text(200, "OK")
        } else {
            Answer::text(500, "config and naming not in readiness")
        }
    }

    fn v1_namespaces(&self) -> Answer {
        self.with_namespaces("", 2, |namespaces| rest_result(200, None, |out| write_json(out, namespaces)))
    }

    /// All namespaces as a generation shows them: how it spells `public`, and the number of the others' type.
    pub(crate) fn with_namespaces(
        &self,
        public: &str,
        custom_type: u32,
        answer: impl FnOnce(&[NamespaceInfo<'_>]) -> Answer,
    ) -> Answer {
        let created = self.node.namespaces();
        let mut shown = vec![NamespaceInfo {
            namespace: public,
            namespace_show_name: Namespace::PUBLIC,
            namespace_desc: Some("Default Namespace"),
            quota: 200,
            config_count: self.node.config_count_in(&Namespace::default()),
            r#type: 0,
        }];
        shown.extend(created.iter().map(|(id, spec)| NamespaceInfo {
            namespace: id.as_str(),
            namespace_show_name: &spec.name,
            namespace_desc: Some(&*spec.description).filter(|text| !text.is_empty()),
            quota: 200,
            config_count: self.node.config_count_in(id),
            r#type: custom_type,
        }));
        answer(&shown)
    }
}
