//! Config items, their gray releases and their history, as a pure state machine: [`Configs::apply`] takes an op
//! that has its place in the log and gives effects, among them the rows to store.
//!
//! Held in memory: key, digest, type and dates of every variant, and a mark for each history entry. Contents are
//! only in rows, each under a key of its own that is never overwritten ([`ContentKey`]): a reader that chose a
//! variant reads exactly the content with that digest, or finds the row gone and chooses again. History rows
//! refer to contents, they do not repeat them; a content goes when neither a variant nor the history needs it.
//!
//! What depends on settings is decided before an op is proposed ([`Publish::check`]) or carried in the op
//! ([`Bounds`]), so that every node that applies the log has the same state. This crate reads no clock, does no IO
//! and knows no wire format. Start at [`Configs`] and [`Config`].

mod capacity;
mod codec;
mod configs;
mod content;
mod effect;
mod error;
mod gray;
mod history;
mod item;
mod labels;
mod op;
mod row;
mod text;

pub use capacity::{Capacity, CapacityChange, CapacityOf, QuotaDefaults};
pub use codec::{decode_result, encode_result};
pub use configs::{Configs, HistoryRef};
pub use content::{Content, ContentKey};
pub use effect::{Effect, Outcome, VariantName};
pub use error::{ConfigError, FieldError, LoadError, QuotaOf};
pub use gray::{Gray, GrayName, GrayRule, RuleKind};
pub use history::{HistoryOp, HistoryRow, TakeOver};
pub use item::{Config, Details, Selection, Variant};
pub use labels::ClientLabels;
pub use op::{
    At, Author, Bounds, Condition, Describe, ExpireHistory, Op, Publish, Remove, RemoveTarget, Settings,
};
