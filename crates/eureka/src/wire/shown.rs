//! An instance as it is shown.

use muster_model::{EurekaAction, EurekaInstance, EurekaStatus, EurekaTimes};

/// Everything that a body says of an instance, borrowed from wherever it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What the client declared; its status and last change are not shown, those below are.
    pub instance: &'a EurekaInstance,
    /// The status to show.
    pub status: EurekaStatus,
    /// The override in force; `UNKNOWN` for none.
    pub overridden: EurekaStatus,
    /// What last happened to it.
    pub action: EurekaAction,
    /// When what happened to its lease.
    pub times: EurekaTimes,
    /// When it last changed, by its client's clock or by that of whoever overrode it.
    pub last_dirty: i64,
}

/// The name of an action on the wire.
pub(super) fn action_name(action: EurekaAction) -> &'static str {
    match action {
        EurekaAction::Added => "ADDED",
        EurekaAction::Modified => "MODIFIED",
        EurekaAction::Deleted => "DELETED",
    }
}
