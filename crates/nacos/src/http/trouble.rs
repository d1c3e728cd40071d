//! What goes wrong, and how each generation says it.

use super::{call::Call, reply::Reply};
use muster_model::{ErrorCode, Kind, Timestamp};
use muster_nacos_wire::{
    ParamError,
    grpc::Failure,
    http::{Answer, Dialect, Refusal, ResultCode, error_page, rest_result, result_error},
};
use muster_node::{
    NodeError,
    config::{ConfigError, FieldError, QuotaOf},
    registry::RegistryError,
};

/// What the error page of an unknown path says.
pub(crate) const NO_MESSAGE: &str = "No message available";

/// Why a request is not done.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It is refused.
    Refused(Refusal),
    /// The path is known, the method is none of its own.
    NoMethod,
    /// There is no such path.
    NoPath,
    /// The listener does not show it: 404, whatever the original says to paths it does not know.
    NotHere,
    /// The gate of 3.x is closed; carries what it says.
    Gone(String),
    /// The original has it and we don't, for a reason in words.
    Lacking(&'static str),
    /// It is answered so in every generation.
    Answered(Answer),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ParamError> for Trouble {
    fn from(error: ParamError) -> Self {
        Self::Refused(if error.is_filter() { Refusal::Filter(error) } else { Refusal::Instance(error) })
    }
}

impl From<NodeError> for Trouble {
    fn from(error: NodeError) -> Self {
        Self::Refused(refusal_of(&error))
    }
}

impl From<FieldError> for Trouble {
    fn from(error: FieldError) -> Self {
        NodeError::Field(error).into()
    }
}

/// The node is not ready: 503 sends clients to the next server.
pub(crate) fn starting() -> Refusal {
    Refusal::failed(ErrorCode::Unavailable, "server is STARTING now, please try again later!")
}

fn refusal_of(error: &NodeError) -> Refusal {
    let text = error.to_string();
    match error {
        NodeError::Starting => starting(),
        NodeError::Registry(RegistryError::ServiceExists(service)) => Refusal::Failed {
            error: ErrorCode::AlreadyExists,
            code: ResultCode::ServiceExists,
            detail: format!("specified service {} already exists!", service.grouped_name()),
        },
        NodeError::Registry(RegistryError::ServiceUnknown(service)) => Refusal::Failed {
            error: ErrorCode::InvalidParameter,
            code: ResultCode::ServiceNotExist,
            detail: format!("service {} not found!", service.grouped_name()),
        },
        NodeError::Registry(RegistryError::ServiceNotEmpty(service)) => Refusal::Failed {
            error: ErrorCode::InvalidParameter,
            code: ResultCode::ServiceDelete,
            detail: format!(
                "Service {} is not empty, can't be delete. Please unregister instance first",
                service.grouped_name()
            ),
        },
        NodeError::Registry(RegistryError::KindClash { service, kind }) => {
            let text = Failure::kind_clash(&service.grouped_name(), *kind == Kind::Persistent, false).message;
            Refusal::failed(ErrorCode::KindClash, text)
        }
        NodeError::Config(ConfigError::TooManyGrays { .. }) => Refusal::Failed {
            error: ErrorCode::InvalidParameter,
            code: ResultCode::GrayOverMax,
            detail: text,
        },
        NodeError::Config(ConfigError::QuotaReached { of, .. }) => {
            let code = match of {
                QuotaOf::Everything => ResultCode::ClusterQuota,
                QuotaOf::Group => ResultCode::GroupQuota,
                QuotaOf::Namespace => ResultCode::TenantQuota,
            };
            Refusal::Failed { error: error.code(), code, detail: text }
        }
        NodeError::Config(ConfigError::ContentOverQuota { .. }) => {
            Refusal::Failed { error: error.code(), code: ResultCode::ContentSize, detail: text }
        }
        NodeError::State(_) | NodeError::Files(_) | NodeError::Defect(_) => {
            tracing::error!(%error, "request failed");
            Refusal::failed(error.code(), "internal error, see the log of the server")
        }
        NodeError::Name(_)
        | NodeError::Registry(_)
        | NodeError::Config(_)
        | NodeError::Field(_)
        | NodeError::Propose(_)
        | NodeError::Ensemble(_)
        | NodeError::Change(_)
        | NodeError::NeedsLevel { .. }
        | NodeError::Watch(_)
        | NodeError::Switch(_)
        | NodeError::Pattern(_)
        | NodeError::Busy
        | NodeError::PageTooLarge { .. }
        | NodeError::Fuzzy(_) => Refusal::failed(error.code(), text),
    }
}

/// Which words an area of paths uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V1Naming,
    /// All else of v1.
    V1Config,
    V2,
    V3ClientConfig,
    V3,
}

impl Family {
    fn dialect(self) -> Dialect {
        match self {
            Self::V1Naming => Dialect::V1Naming,
            Self::V1Config => Dialect::V1Config,
            Self::V3ClientConfig => Dialect::V3ClientConfig,
            Self::V2 | Self::V3 => Dialect::V3,
        }
    }
}

impl Trouble {
    /// The answer to a request of a family.
    pub(crate) fn reply(&self, family: Family, call: &Call, at: Timestamp) -> Reply {
        match self {
            Self::Refused(refusal) => refusal.answer(family.dialect(), &call.full_path, at),
            Self::NoMethod => no_method(family, call, at),
            Self::NoPath => no_path(family, call, at),
            Self::NotHere => error_page(404, NO_MESSAGE, &call.full_path, at),
            Self::Gone(hint) => error_page(410, hint, &call.full_path, at),
            Self::Lacking(why) => lacking(family, why),
            Self::Answered(answer) => answer.clone(),
        }
        .into()
    }
}

fn no_method(family: Family, call: &Call, at: Timestamp) -> Answer {
    let method = call.exact_method();
    let text = format!("caused: Request method &#39;{method}&#39; not supported;");
    match family {
        Family::V1Naming => no_path(family, call, at),
        Family::V1Config => Answer::text(500, text),
        Family::V2 => {
            Answer { status: 500, ..rest_result(500, Some(&text), |out| out.extend_from_slice(b"null")) }
        }
        Family::V3ClientConfig | Family::V3 => {
            error_page(405, &format!("Method '{method}' is not supported."), &call.full_path, at)
        }
    }
}

fn lacking(family: Family, why: &str) -> Answer {
    match family {
        Family::V1Naming | Family::V1Config => Answer::text(501, why),
        Family::V2 | Family::V3ClientConfig | Family::V3 => {
            result_error(501, ResultCode::ApiDisabled, Some(why))
        }
    }
}

fn no_path(family: Family, call: &Call, at: Timestamp) -> Answer {
    let path = &call.full_path;
    match family {
        Family::V1Naming => error_page(501, &format!("no such api:{}:{path}", call.exact_method()), path, at),
        Family::V1Config | Family::V2 => error_page(404, NO_MESSAGE, path, at),
        Family::V3ClientConfig | Family::V3 => {
            error_page(404, &format!("No endpoint {} {path}.", call.exact_method()), path, at)
        }
    }
}
