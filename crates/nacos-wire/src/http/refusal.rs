//! Why a request is refused, in the words of each API generation (nacos-http.md 0.5).

use super::{Answer, MetadataError, ResultCode, error_page, result_error, result_text};
use crate::ParamError;
use muster_model::{ErrorCode, Timestamp};

/// Who words a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `/v1/ns`: the status says it, the body is the plain text.
    V1Naming,
    /// `/v1/cs`: `caused: <text>;`.
    V1Config,
    /// `/v2`, `/v3`: a `Result`.
    V3,
    /// `/v3/client/cs`: a `Result`, but missing parameters are told as a text.
    V3ClientConfig,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The check filter, before any handler.
    Filter(ParamError),
    /// A parameter that must be there is absent or blank.
    Missing {
        /// Its name.
        name: &'static str,
        /// Its Java type: `String`, `Integer`, `Boolean`.
        of_type: &'static str,
    },
    /// A parameter is absent that Spring binds, which has other words for it than Nacos's own check.
    Unbound {
        /// Its name.
        name: &'static str,
        /// Its Java type: `String`, `Integer`, `Boolean`.
        of_type: &'static str,
    },
    /// A parameter that Spring can't make a number or a flag of; carries the value.
    Unconvertible {
        /// Its name.
        name: &'static str,
        /// What came.
        value: String,
        /// Its Java type: `float`, `int`.
        of_type: &'static str,
    },
    /// A number is absent whose default the original forgot.
    NoPrimitive {
        /// Its name.
        name: &'static str,
    },
    /// Metadata in neither of its forms.
    Metadata(MetadataError),
    /// A parameter (`beat`, `instances`) is not the JSON it should be; carries what the parser says.
    Json(String),
    /// A parameter that should be a number or a flag; carries name and value.
    BadValue {
        /// Its name.
        name: &'static str,
        /// What came.
        value: String,
    },
    /// A weight outside 0 to 10,000.
    Weight,
    /// An instance that naming refuses: cluster characters, timing.
    Instance(ParamError),
    /// `serviceName` with a blank side of `@@`; whether it is the group's.
    GroupedName {
        /// The group is blank, not the name.
        no_group: bool,
    },
    /// The operation failed.
    Failed {
        /// What the client can do about it; decides the status.
        error: ErrorCode,
        /// The code of v2 and v3.
        code: ResultCode,
        /// The text.
        detail: String,
    },
}

impl Refusal {
    /// A failure with the code that v2 and v3 give to errors without one of their own.
    pub fn failed(error: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Failed { error, code: code_of(error), detail: detail.into() }
    }

    /// The answer. `path` and `at` are for the error page, which some refusals are.
    pub fn answer(&self, dialect: Dialect, path: &str, at: Timestamp) -> Answer {
        match self {
            Self::Filter(error) => filtered(dialect, error),
            Self::Missing { name, of_type } => missing(dialect, name, of_type),
            Self::Unbound { name, of_type } => unbound(dialect, name, of_type),
            Self::Unconvertible { name, value, of_type } => unconvertible(dialect, name, value, of_type),
            Self::NoPrimitive { name } => {
                worded(dialect, 500, ResultCode::ServerError, &no_primitive(dialect, name))
            }
            Self::Metadata(error) => error_page(500, &metadata_text(dialect, error), path, at),
            Self::Json(detail) => error_page(500, &format!("Server failed, caused: {detail};"), path, at),
            Self::BadValue { name, value } => bad_value(dialect, name, value),
            Self::Weight => worded(
                dialect,
                400,
                ResultCode::Weight,
                "instance format invalid: The weights range from 0.0 to 10000.0",
            ),
            Self::Instance(error) => worded(dialect, 400, ResultCode::Instance, &error.to_string()),
            Self::GroupedName { no_group } => {
                let text = if *no_group {
                    "groupName can't be empty"
                } else {
                    "it should be format as 'groupName@@serviceName'"
                };
                let text =
                    format!("Service name filter error,caused: Param 'serviceName' is illegal, {text};");
                error_page(400, &text, path, at)
            }
            Self::Failed { error, code, detail } => worded(dialect, status_of(*error), *code, detail),
        }
    }
}

impl From<MetadataError> for Refusal {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}

/// The check filter's line, with the line end that Java's `println` gives it.
fn filtered(dialect: Dialect, error: &ParamError) -> Answer {
    let line = format!("{error}\r\n");
    if dialect == Dialect::V1Config { Answer::config(400, line) } else { Answer::untyped(400, line) }
}

fn missing(dialect: Dialect, name: &str, of_type: &str) -> Answer {
    match dialect {
        Dialect::V1Naming => Answer::text(400, format!("Param '{name}' is required.")),
        Dialect::V1Config => Answer::text(
            500,
            format!(
                "caused: Required request parameter &#39;{name}&#39; for method parameter type {of_type} is not present;"
            ),
        ),
        Dialect::V3ClientConfig => {
            Answer::text(400, format!("caused: Required parameter '{name}' type {of_type} is not present;"))
        }
        Dialect::V3 => {
            let detail = format!("Required parameter '{name}' type {of_type} is not present");
            result_error(400, ResultCode::ParameterMissing, Some(&detail))
        }
    }
}

fn unbound(dialect: Dialect, name: &str, of_type: &str) -> Answer {
    match dialect {
        Dialect::V1Naming => Answer::text(400, format!("Parameter '{name}' is missing")),
        Dialect::V1Config | Dialect::V3ClientConfig => missing(dialect, name, of_type),
        Dialect::V3 => {
            let detail = format!(
                "Required request parameter '{name}' for method parameter type {of_type} is not present"
            );
            result_error(400, ResultCode::ParameterMissing, Some(&detail))
        }
    }
}

fn metadata_text(dialect: Dialect, error: &MetadataError) -> String {
    match dialect {
        Dialect::V1Naming | Dialect::V1Config => {
            format!("Server failed, caused: ErrCode:400, ErrMsg:{error};caused: {error};")
        }
        Dialect::V3 | Dialect::V3ClientConfig => format!("ErrCode:400, ErrMsg:{error}"),
    }
}

fn bad_value(dialect: Dialect, name: &str, value: &str) -> Answer {
    match dialect {
        Dialect::V1Naming => Answer::text(400, format!("For input string: \"{value}\"")),
        Dialect::V1Config => Answer::text(400, format!("caused: For input string: \"{value}\";")),
        Dialect::V3 | Dialect::V3ClientConfig => {
            // The text stands where the code's own stands else, as recorded; the original's is Spring's.
            let text = format!("Parameter '{name}' can't be '{value}'");
            Answer { status: 500, ..result_text(ResultCode::ServerError, &text) }
        }
    }
}

fn no_primitive(dialect: Dialect, name: &str) -> String {
    let text = format!(
        "Optional int parameter '{name}' is present but cannot be translated into a null value due to being declared as a primitive type. Consider declaring it as object wrapper for the corresponding primitive type."
    );
    if dialect == Dialect::V1Naming { format!("caused: {text};") } else { text }
}

fn unconvertible(dialect: Dialect, name: &str, value: &str, of_type: &str) -> Answer {
    match dialect {
        Dialect::V1Naming | Dialect::V1Config => {
            let input = format!("For input string: \"{value}\"");
            let text = format!(
                "caused: Failed to convert value of type 'java.lang.String' to required type '{of_type}'; nested exception is java.lang.NumberFormatException: {input};caused: {input};"
            );
            Answer::text(500, text)
        }
        Dialect::V3 | Dialect::V3ClientConfig => bad_value(dialect, name, value),
    }
}

fn worded(dialect: Dialect, status: u16, code: ResultCode, detail: &str) -> Answer {
    match dialect {
        Dialect::V1Naming => Answer::text(status, detail),
        Dialect::V1Config => Answer::text(status, format!("caused: {detail};")),
        Dialect::V3 | Dialect::V3ClientConfig => result_error(status, code, Some(detail)),
    }
}

/// The HTTP status of the one error table: 403 stops a client, 5xx sends it to the next server.
fn status_of(error: ErrorCode) -> u16 {
    match error {
        ErrorCode::ParameterMissing
        | ErrorCode::InvalidParameter
        | ErrorCode::KindClash
        | ErrorCode::AlreadyExists
        | ErrorCode::NotEmpty => 400,
        ErrorCode::Forbidden => 403,
        // Not 5xx: the next server would say the same.
        ErrorCode::QuotaReached => 429,
        ErrorCode::NotFound => 404,
        ErrorCode::Conflict | ErrorCode::Timeout | ErrorCode::Internal => 500,
        ErrorCode::LimitExceeded
        | ErrorCode::Disconnected
        | ErrorCode::Unavailable
        | ErrorCode::StorageFull => 503,
    }
}

fn code_of(error: ErrorCode) -> ResultCode {
    match error {
        ErrorCode::ParameterMissing => ResultCode::ParameterMissing,
        ErrorCode::InvalidParameter => ResultCode::ParameterValidate,
        ErrorCode::NotFound => ResultCode::NotFound,
        ErrorCode::AlreadyExists | ErrorCode::NotEmpty | ErrorCode::Conflict => ResultCode::Conflict,
        ErrorCode::Forbidden => ResultCode::AccessDenied,
        ErrorCode::StorageFull => ResultCode::DataAccess,
        ErrorCode::KindClash
        | ErrorCode::LimitExceeded
        | ErrorCode::QuotaReached
        | ErrorCode::Disconnected
        | ErrorCode::Unavailable
        | ErrorCode::Timeout
        | ErrorCode::Internal => ResultCode::ServerError,
    }
}
