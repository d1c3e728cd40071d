//! How instances of a cluster are checked, in parameters and answers (nacos-http.md 3.1).

use super::Refusal;
use crate::{Text, json::Object, lenient};
use muster_model::ErrorCode;
use serde::Deserialize;

/// A health checker: `{"type":"TCP"}`,
/// `{"type":"HTTP","path":"/health","headers":"A:b|C:d","expectedResponseCode":204}`,
/// `{"type":"MYSQL","user":"u","pwd":"p","cmd":"select 1"}`, `{"type":"NONE"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthChecker<'a> {
    /// A connection is made.
    Tcp,
    /// A GET is sent.
    Http {
        /// The path.
        path: Text<'a>,
        /// Headers, `name:value|name:value`.
        headers: Text<'a>,
        /// The status that means healthy.
        expected_status: u16,
    },
    /// MySQL greets.
    Mysql {
        /// The user.
        user: Text<'a>,
        /// The password.
        password: Text<'a>,
        /// The query.
        command: Text<'a>,
    },
    /// Nothing: health is set by hand.
    None,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CheckerBody<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    headers: Text<'a>,
    #[serde(deserialize_with = "lenient::optional")]
    expected_response_code: Option<i64>,
    #[serde(borrow)]
    user: Text<'a>,
    #[serde(borrow)]
    pwd: Text<'a>,
    #[serde(borrow)]
    cmd: Text<'a>,
}

impl<'a> HealthChecker<'a> {
    /// Reads the `healthChecker` parameter. A type nobody knows checks nothing, as in the original; what is no JSON is
    /// refused (the original breaks the connection off).
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let refused = |detail: String| Refusal::failed(ErrorCode::InvalidParameter, detail);
        let body: CheckerBody<'a> = serde_json::from_str(text)
            .map_err(|error| refused(format!("healthChecker is no JSON: {error}")))?;
        Ok(match body.r#type.as_str() {
            "TCP" => Self::Tcp,
            "HTTP" => {
                let status = body.expected_response_code.unwrap_or(200);
                let expected_status = u16::try_from(status)
                    .map_err(|_| refused(format!("expectedResponseCode is no status: {status}")))?;
                Self::Http { path: body.path, headers: body.headers, expected_status }
            }
            "MYSQL" => Self::Mysql { user: body.user, password: body.pwd, command: body.cmd },
            _ => Self::None,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        match self {
            Self::Tcp => {
                object.string("type", "TCP");
            }
            Self::Http { path, headers, expected_status } => {
                object.string("type", "HTTP").string("path", path).string("headers", headers);
                object.value("expectedResponseCode", expected_status);
            }
            Self::Mysql { user, password, command } => {
                object.string("type", "MYSQL").string("user", user).string("pwd", password);
                object.string("cmd", command);
            }
            Self::None => {
                object.string("type", "NONE");
            }
        }
        object.close();
    }
}

/// The JSON of `health/checkers`: each type with its empty fields.
pub const CHECKERS: &str = r#"{"TCP":{},"HTTP":{"path":"","headers":"","expectedResponseCode":200},"MYSQL":{"user":null,"pwd":null,"cmd":null},"NONE":{}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkers_are_read_and_shown_as_recorded() {
        for text in [
            r#"{"type":"TCP"}"#,
            r#"{"type":"HTTP","path":"/health","headers":"A:b|C:d","expectedResponseCode":204}"#,
            r#"{"type":"MYSQL","user":"u","pwd":"p","cmd":"select 1"}"#,
            r#"{"type":"NONE"}"#,
        ] {
            let mut out = Vec::new();
            HealthChecker::parse(text).unwrap().write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        assert_eq!(HealthChecker::parse(r#"{"type":"MAGIC"}"#), Ok(HealthChecker::None));
        assert!(HealthChecker::parse("oops").is_err());
        assert!(HealthChecker::parse(r#"{"type":"HTTP","expectedResponseCode":70000}"#).is_err());
    }
}
