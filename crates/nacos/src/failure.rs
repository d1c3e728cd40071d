//! Errors of the use cases in the words of Nacos's gRPC.

use muster_model::Kind;
use muster_nacos_wire::{grpc::Failure, http::ResultCode};
use muster_node::NodeError;
use muster_node::config::{ConfigError, FieldError, QuotaOf};
use muster_node::registry::RegistryError;

/// The failure of an error, told to the log where it is ours.
pub(crate) fn failure_of(error: &NodeError) -> Failure {
    match error {
        NodeError::Starting => Failure::starting(),
        NodeError::Config(ConfigError::Conflict) => Failure::cas_mismatch(),
        NodeError::Fuzzy(_) => Failure::too_many_patterns(),
        NodeError::State(_) | NodeError::Files(_) | NodeError::Defect(_) => {
            tracing::error!(%error, "request failed");
            Failure::of(error.code(), "internal error, see the log of the server")
        }
        NodeError::Config(ConfigError::QuotaReached { of, .. }) => {
            let code = match of {
                QuotaOf::Everything => ResultCode::ClusterQuota,
                QuotaOf::Group => ResultCode::GroupQuota,
                QuotaOf::Namespace => ResultCode::TenantQuota,
            };
            Failure::typed(grpc_code(code), error.to_string())
        }
        NodeError::Config(ConfigError::ContentOverQuota { .. }) => {
            Failure::typed(grpc_code(ResultCode::ContentSize), error.to_string())
        }
        NodeError::Field(error) => Failure::typed(field_code(error), error.to_string()),
        NodeError::Name(_)
        | NodeError::Registry(_)
        | NodeError::Config(_)
        | NodeError::Propose(_)
        | NodeError::Ensemble(_)
        | NodeError::Change(_)
        | NodeError::NeedsLevel { .. }
        | NodeError::Watch(_)
        | NodeError::Busy
        | NodeError::PageTooLarge { .. }
        | NodeError::Switch(_)
        | NodeError::Pattern(_) => Failure::of(error.code(), error.to_string()),
    }
}

/// The code of a full quota, the same over gRPC and HTTP.
fn grpc_code(code: ResultCode) -> i32 {
    i32::try_from(code.number()).expect("the codes are small")
}

/// What is checked of a content is answered with 400, of every other field with 500 (recording config-publish-invalid).
fn field_code(error: &FieldError) -> i32 {
    match error {
        FieldError::ContentBlank | FieldError::ContentNotUtf8 | FieldError::ContentTooLong { .. } => 400,
        FieldError::TooLong { .. }
        | FieldError::TooManyTags { .. }
        | FieldError::InvalidTag(_)
        | FieldError::InvalidGrayName(_)
        | FieldError::InvalidGrayRule(_)
        | FieldError::InvalidGrayVersion(_) => 500,
    }
}

/// As [`failure_of`], for registrations: a clash of kinds has a text that clients know.
pub(crate) fn kind_aware(error: &NodeError, batch: bool) -> Failure {
    if let NodeError::Registry(RegistryError::KindClash { service, kind }) = error {
        return Failure::kind_clash(&service.grouped_name(), *kind == Kind::Persistent, batch);
    }
    failure_of(error)
}
