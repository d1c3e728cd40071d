//! Why an op was refused.

use muster_model::{ErrorCode, Kind, NameError, Namespace, ServiceKey, TimingError};

/// An op was refused; nothing changed and there are no effects.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RegistryError {
    /// The service is of the other kind: use that kind, or wait until the service is empty and gone.
    #[error("service {service} is {kind:?}")]
    KindClash {
        /// The service.
        service: ServiceKey,
        /// The kind it is of.
        kind: Kind,
    },
    /// The batch has more instances than allowed: split it over more clients.
    #[error("{count} instances in one batch, at most {max} are allowed")]
    BatchTooLarge {
        /// Instances in the batch.
        count: usize,
        /// The limit, `Limits::batch_instances_max`.
        max: usize,
    },
    /// The metadata has more characters than allowed.
    #[error("metadata of {size} characters, at most {max} are allowed")]
    MetadataTooLarge {
        /// Characters of all keys and values.
        size: usize,
        /// The limit, `Limits::metadata_chars_max`.
        max: usize,
    },
    /// The client publishes to as many services as it may.
    #[error("the client has {max} publications, the most allowed")]
    TooManyPublications {
        /// The limit, `Limits::publications_per_client_max`.
        max: usize,
    },
    /// The timing in an instance's metadata could never be kept.
    #[error(transparent)]
    Timing(#[from] TimingError),
    /// A client known by its address publishes exactly one instance, at that address.
    #[error("a client known by its address publishes one instance, at that address")]
    NotItsAddress,
    /// What is to be the service's name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The id of an Eureka instance is too long to keep an override under it.
    #[error("the instance id has more than {max} bytes")]
    InstanceIdTooLong {
        /// The limit.
        max: usize,
    },
    /// The names, addresses and pages of an Eureka instance are too long, labels apart.
    #[error("an instance of {size} characters beside its metadata, at most {max} are allowed")]
    EurekaTooLarge {
        /// Characters of all of them.
        size: usize,
        /// The limit.
        max: usize,
    },
    /// As many changes of a status wait to be in the log as may: try later.
    #[error("{max} changes of a status wait to be in the log, the most allowed")]
    TooManyWait {
        /// The limit.
        max: usize,
    },
    /// The service exists.
    #[error("service {0} exists")]
    ServiceExists(ServiceKey),
    /// The service does not exist.
    #[error("service {0} does not exist")]
    ServiceUnknown(ServiceKey),
    /// The service has instances: deregister them first.
    #[error("service {0} is not empty")]
    ServiceNotEmpty(ServiceKey),
    /// The service has no such publication.
    #[error("no such instance in service {0}")]
    InstanceUnknown(ServiceKey),
    /// The namespace exists, as `public` always does.
    #[error("namespace {0} exists")]
    NamespaceExists(Namespace),
    /// The namespace was never created, or is `public`, which can't be changed.
    #[error("namespace {0} does not exist")]
    NamespaceUnknown(Namespace),
}

impl RegistryError {
    /// What a caller can do about it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::KindClash { .. } => ErrorCode::KindClash,
            Self::BatchTooLarge { .. }
            | Self::MetadataTooLarge { .. }
            | Self::EurekaTooLarge { .. }
            | Self::TooManyPublications { .. } => ErrorCode::LimitExceeded,
            Self::TooManyWait { .. } => ErrorCode::Unavailable,
            Self::Timing(_) | Self::NotItsAddress | Self::Name(_) | Self::InstanceIdTooLong { .. } => {
                ErrorCode::InvalidParameter
            }
            Self::ServiceExists(_) | Self::NamespaceExists(_) => ErrorCode::AlreadyExists,
            Self::ServiceUnknown(_) | Self::InstanceUnknown(_) | Self::NamespaceUnknown(_) => {
                ErrorCode::NotFound
            }
            Self::ServiceNotEmpty(_) => ErrorCode::NotEmpty,
        }
    }
}

/// Stored bytes are not what this version writes: damaged, or written by a newer version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The leading version byte is not one this program knows.
    #[error("stored {what} has format version {version}, this program reads up to {known}")]
    Version {
        /// What was read: `service`, `instance`, …
        what: &'static str,
        /// The version found.
        version: u8,
        /// The newest version known.
        known: u8,
    },
    /// The bytes do not decode, or a value in them is out of range.
    #[error("stored {what} is malformed: {detail}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}
