//! Deliberate defects, to prove that the simulation finds such ones.
//!
//! Without the feature `mutations`, which only the simulation switches on, [`is_on`] is a constant and nothing of them is
//! in the program.

/// One defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// Entries of the log are acknowledged without a sync.
    SkipSync,
    /// A follower says that it has what the leader sent before its log has it, so a leader answers before a majority has.
    AcknowledgeEarly,
    /// A mirror that was told that it must begin anew keeps what it has and goes on.
    ForgetResync,
    /// A change on its way to a mirror is lost, and counted as sent.
    DropDelta,
    /// A node answers before it has caught up.
    AnswerEarly,
    /// A node begins a life with the epoch of the one before.
    ReuseEpoch,
    /// A node whose disk was wiped votes under its old identity.
    WipedVote,
    /// Leases run out although the brake holds.
    ExpireBraked,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SkipSync,
        Self::AcknowledgeEarly,
        Self::ForgetResync,
        Self::DropDelta,
        Self::AnswerEarly,
        Self::ReuseEpoch,
        Self::WipedVote,
        Self::ExpireBraked,
    ];
}

#[cfg(feature = "mutations")]
mod switched {
    use super::Mutation;
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    /// Switches one on for this thread, or all off.
    pub fn set(mutation: Option<Mutation>) {
        ON.set(mutation);
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_on(mutation: Mutation) -> bool {
        ON.get() == Some(mutation)
    }
}

#[cfg(feature = "mutations")]
pub use switched::{is_on, set};

/// Whether it is on: never in this build.
#[cfg(not(feature = "mutations"))]
#[inline(always)]
#[must_use]
pub const fn is_on(_mutation: Mutation) -> bool {
    false
}
