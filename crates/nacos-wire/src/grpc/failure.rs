//! Failures, with the numbers and texts clients know.

use super::{BodyError, Payload, RequestType, answer};
use crate::{ParamError, Text};
use muster_model::ErrorCode;
use std::borrow::Cow;

/// Why a request was not done. Most are answered in the type of the expected answer ("typed"), because clients hop
/// to another server after some `ErrorResponse`s (nacos-grpc T13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `errorCode`; never 0, which Python takes for success.
    pub code: i32,
    /// `message`.
    pub message: Cow<'static, str>,
    /// Answer in the request's own response type.
    pub typed: bool,
}

/// The `errorCode` of the one error table.
pub fn code_of(error: ErrorCode) -> i32 {
    match error {
        ErrorCode::ParameterMissing
        | ErrorCode::InvalidParameter
        | ErrorCode::KindClash
        | ErrorCode::NotEmpty => 400,
        ErrorCode::NotFound => 404,
        ErrorCode::AlreadyExists => 409,
        ErrorCode::Disconnected => -401,
        ErrorCode::Forbidden => 403,
        ErrorCode::Unavailable => 300,
        ErrorCode::LimitExceeded => 503,
        ErrorCode::QuotaReached => 429,
        ErrorCode::Conflict | ErrorCode::StorageFull | ErrorCode::Timeout | ErrorCode::Internal => 500,
    }
}

impl Failure {
    /// A failure in the type of the expected answer.
    pub fn typed(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), typed: true }
    }

    /// A failure as `ErrorResponse`.
    pub fn untyped(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), typed: false }
    }

    /// The failure of an error code: typed, unless the client should try another server.
    pub fn of(error: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let typed = !matches!(error, ErrorCode::Disconnected | ErrorCode::Unavailable);
        Self { code: code_of(error), message: message.into(), typed }
    }

    /// 300: not ready yet.
    pub fn starting() -> Self {
        Self::untyped(300, "Server is starting,please try later.")
    }

    /// 301: the connection has not been set up.
    pub fn unregistered() -> Self {
        Self::untyped(301, "Connection is unregistered.")
    }

    /// 302: unknown type, no type, or a type that is not a request.
    pub fn no_handler() -> Self {
        Self::untyped(302, "RequestHandler Not Found")
    }

    /// 502: a request of cluster members, sent by a client.
    pub fn forbidden_source(kind: RequestType) -> Self {
        Self::untyped(502, format!(" invoke {kind} from sdk is forbidden"))
    }

    /// -401: a naming operation on a connection that is not one for naming; `connection` is the id it was told.
    pub fn no_naming_client(connection: &str) -> Self {
        Self::untyped(
            -401,
            format!(
                "errCode: -401, errMsg: Client [{connection}] connection already disconnect, can't register ephemeral instance. "
            ),
        )
    }

    /// 400: a `type` or `watchType` that is not known.
    pub fn unsupported(kind: &str) -> Self {
        Self::typed(400, format!("Unsupported request type {kind}"))
    }

    /// 400: the service is of the other kind. `grouped` is `group@@service`, `persistent` what the service is.
    pub fn kind_clash(grouped: &str, persistent: bool, batch: bool) -> Self {
        let (is, wanted) = if persistent { ("persistent", "ephemeral") } else { ("ephemeral", "persistent") };
        let register = if batch { "batch register" } else { "register" };
        Self::typed(
            400,
            format!(
                "errCode: 400, errMsg: Current service {grouped} is {is} service, can't {register} {wanted} instance. "
            ),
        )
    }

    /// 400 in a publish or a removal of a config: a name is blank; `given` is what was sent, `null` for nothing.
    pub fn blank_config_name(what: &str, given: &Text<'_>) -> Self {
        Self::typed(400, format!("invalid {what} : {}", given.as_java()))
    }

    /// 400 in a publish of a config: the content is blank.
    pub fn blank_content(given: &Text<'_>) -> Self {
        Self::typed(400, format!("content is blank : {}", given.as_java()))
    }

    /// 500: the compare-and-set condition of a publish did not hold.
    pub fn cas_mismatch() -> Self {
        Self::typed(500, "Cas publish fail, server md5 may have changed.")
    }

    /// 50310: too many fuzzy watch patterns in the server.
    pub fn too_many_patterns() -> Self {
        Self::typed(50310, "fuzzy watch pattern over limit")
    }

    /// 50311: a fuzzy watch pattern matches too much; it is watched, its list truncated.
    pub fn too_many_matches() -> Self {
        Self::typed(50311, "fuzzy watch pattern matched count over limit")
    }

    /// The answer to a request of a type.
    pub fn answer(&self, kind: RequestType) -> Payload {
        if self.typed {
            answer::failure(kind, self.code, &self.message)
        } else {
            answer::error(self.code, &self.message)
        }
    }

    /// The answer to something that is no request of a known type.
    pub fn error(&self) -> Payload {
        answer::error(self.code, &self.message)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Malformed => Self::untyped(502, "errCode: 101, errMsg: Nacos deserialize failed.  "),
            BodyError::Null => Self::untyped(502, "Invalid request"),
        }
    }
}

impl From<ParamError> for Failure {
    fn from(error: ParamError) -> Self {
        Self::typed(400, error.grpc_message())
    }
}
