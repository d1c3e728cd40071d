//! What comes of an op.

use crate::GrayName;
use muster_model::{ConfigKey, Revision, Row};

/// A variant of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariantName {
    /// What everyone sees that no gray rule selects.
    Formal,
    /// A gray version.
    Gray(GrayName),
}

/// What to do after an op was applied. Keys and revisions, never state: whoever runs late reads the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write or delete a row, in the transaction of the op's entry.
    Persist(Row),
    /// A config changed: replace its snapshot (after the rows are committed).
    Changed {
        /// The config.
        key: ConfigKey,
        /// Its revision now.
        revision: Revision,
        /// The variants that were published or removed.
        touched: Vec<VariantName>,
        /// Whether a client may see another content, type or cipher key than before: tell the watchers.
        visible: bool,
    },
    /// A config exists that did not.
    Appeared(ConfigKey),
    /// A config is gone, with all its variants.
    Vanished(ConfigKey),
}

/// The result of an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was published.
    Published {
        /// The config's revision now.
        revision: Revision,
        /// Whether the variant did not exist before.
        created: bool,
    },
    /// It is removed.
    Removed {
        /// Whether there was anything to remove.
        existed: bool,
    },
    /// It is described anew, or the capacity is set.
    Done,
    /// History entries were removed.
    HistoryExpired {
        /// How many.
        removed: u32,
        /// Whether there are more to remove.
        more: bool,
    },
}
