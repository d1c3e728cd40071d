//! Who watches what, and what each watcher was last told: the one mechanism behind subscriptions, config
//! listeners, long polls and fuzzy watches.
//!
//! The rules: the first change goes out at once; a watcher that is slow gets the newest state and never a queue
//! of old ones; a missing acknowledgement never delays a newer state; suppression is by revision. A watcher
//! *pulls*: the task that writes to it asks [`Watch::next`] when its transport can take a message, and renders
//! the newest state then. So nothing here holds state of what is watched, and memory is bounded by the number of
//! watched keys.
//!
//! This crate reads no clock, does no IO and knows no wire format; it keeps keys and revisions, never values.
//! Start at [`Watch`]; [`Fuzzy`] is the same for patterns over names.

mod delivery;
mod fuzzy;
mod interest;
mod key;
mod pattern;
mod policy;
mod watch;
mod watcher;

pub use delivery::{Delivery, Expired, NotAPushId, PushId, WatcherId};
pub use fuzzy::{
    Fuzzy, FuzzyDelivery, FuzzyError, FuzzyMessage, FuzzyPolicy, FuzzyPush, FuzzyStart, Presence, SyncKind,
};
pub use key::FuzzyKey;
pub use pattern::{Pattern, PatternError};
pub use policy::{Policy, PushIds};
pub use watch::{Watch, WatchError, Watched};
