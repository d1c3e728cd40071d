//! Why a use case did not do what it was asked for.

use crate::EnsembleError;
use muster_config::{ConfigError, FieldError};
use muster_consensus::{ChangeError, ProposeError};
use muster_model::{ErrorCode, NameError, SwitchError};
use muster_registry::RegistryError;
use muster_storage::state::StateError;
use muster_watch::{FuzzyError, PatternError, WatchError};

/// An error of a use case. Edges map [`NodeError::code`], or look at the variants whose texts their protocol knows.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The node is starting: what was acknowledged is not all in memory yet.
    #[error("the node is starting")]
    Starting,
    /// A name was refused.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The registry refused.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The config core refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A field of a publication was refused.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The operation was not written, or its result is unknown.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// The state store failed.
    #[error("read the state: {0}")]
    State(#[from] StateError),
    /// As many searches of this kind run as may.
    #[error("server limit match.")]
    Busy,
    /// The contents of a page are more than an answer may have.
    #[error("the contents of this page have more than {bytes_max} bytes, ask for a smaller pageSize")]
    PageTooLarge {
        /// The most.
        bytes_max: u64,
    },
    /// Files besides the state store can't be read or written.
    #[error("{0}")]
    Files(String),
    /// The value of a switch was refused.
    #[error(transparent)]
    Switch(#[from] SwitchError),
    /// The watch was refused.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// A pattern is malformed.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The fuzzy watch was refused.
    #[error(transparent)]
    Fuzzy(#[from] FuzzyError),
    /// Nodes of the version before could not read it, and may still be gone back to.
    #[error(
        "this needs format level {needed}, and level {in_force} is in force, so that nodes can go back to the version before: \
         when all of them run this version, run `muster cluster upgrade`"
    )]
    NeedsLevel {
        /// The level it needs.
        needed: u32,
        /// The level in force.
        in_force: u32,
    },
    /// The ensemble refused.
    #[error(transparent)]
    Ensemble(#[from] EnsembleError),
    /// The members were not changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A defect of ours.
    #[error("defect: {0}")]
    Defect(&'static str),
}

impl NodeError {
    /// What a caller can do about it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Starting => ErrorCode::Unavailable,
            Self::Name(NameError::Blank(_)) => ErrorCode::ParameterMissing,
            Self::Name(NameError::TooLong { .. } | NameError::IllegalCharacters(_))
            | Self::Pattern(_)
            | Self::PageTooLarge { .. }
            | Self::Switch(_) => ErrorCode::InvalidParameter,
            Self::Registry(error) => error.code(),
            Self::Config(error) => error.code(),
            Self::Field(error) => error.code(),
            Self::Propose(error) | Self::Change(ChangeError::Propose(error)) => error.code(),
            Self::Ensemble(EnsembleError::NotFounded) | Self::Change(ChangeError::Busy) => {
                ErrorCode::Unavailable
            }
            Self::Ensemble(EnsembleError::UnknownNode(_) | EnsembleError::UnknownToken)
            | Self::Change(ChangeError::UnknownNode(_)) => ErrorCode::NotFound,
            Self::Ensemble(_) | Self::NeedsLevel { .. } | Self::Change(ChangeError::NoVoters) => {
                ErrorCode::Conflict
            }
            Self::Watch(WatchError::UnknownWatcher) => ErrorCode::Disconnected,
            Self::Watch(WatchError::TooManyKeys { .. }) | Self::Fuzzy(_) | Self::Busy => {
                ErrorCode::LimitExceeded
            }
            Self::State(_) | Self::Files(_) | Self::Defect(_) => ErrorCode::Internal,
        }
    }
}
