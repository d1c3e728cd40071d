//! What operators switch while the node runs.
//!
//! A value that shall last is an operation of the log and a row (`Table::Meta`, key `switch/` and the entry, value a
//! version byte and the text); one that is for this node only lasts until it stops.

use crate::{Node, NodeError, op::DurableOp};
use bytes::Bytes;
use muster_model::{Row, SwitchError, Switches, Table};
use parking_lot::RwLock;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// What the key of a switch's row begins with.
const KEY: &[u8] = b"switch/";
/// The version of a row's value.
const VERSION: u8 = 1;

/// The values, and those of them that are asked for often.
#[derive(Debug)]
pub(crate) struct SwitchBoard {
    values: RwLock<Arc<Switches>>,
    checks_health: AtomicBool,
    limits_traffic: AtomicBool,
}

impl Default for SwitchBoard {
    fn default() -> Self {
        Self {
            values: RwLock::default(),
            checks_health: AtomicBool::new(true),
            limits_traffic: AtomicBool::new(false),
        }
    }
}

impl SwitchBoard {
    /// Whether lost leases and active checks change anything.
    pub(crate) fn checks_health(&self) -> bool {
        self.checks_health.load(Ordering::Relaxed)
    }

    /// All defaults again, before rows are loaded.
    pub(crate) fn reset(&self) {
        *self.values.write() = Arc::default();
    }

    fn set(&self, entry: &str, value: &str) -> Result<bool, SwitchError> {
        let mut values = self.values.write();
        let mut changed = Switches::clone(&values);
        let is_known = changed.set(entry, value)?;
        *values = Arc::new(changed);
        Ok(is_known)
    }
}

impl Node {
    /// The switches as they are.
    pub fn switches(&self) -> Arc<Switches> {
        self.switches.values.read().clone()
    }

    /// Whether some requests are refused by a switch; cheaper than to look at [`Node::switches`].
    pub fn limits_traffic(&self) -> bool {
        self.switches.limits_traffic.load(Ordering::Relaxed)
    }

    /// Sets a switch from its text ([`Switches::set`]): for good, or on this node until it stops. A name that is none
    /// changes nothing.
    pub async fn set_switch(&self, entry: &str, value: &str, for_good: bool) -> Result<(), NodeError> {
        self.ready()?;
        if !Switches::clone(&self.switches()).set(entry, value)? {
            return Ok(());
        }
        if for_good {
            let op = DurableOp::Switch { entry: entry.to_owned(), value: value.to_owned() };
            self.propose(op).await?;
        } else {
            self.switches.set(entry, value)?;
            self.switched();
        }
        Ok(())
    }

    /// Sets a switch that came through the log. A value that this version refuses stays without effect: it was checked
    /// where it was proposed.
    pub(crate) fn apply_switch(&self, entry: &str, value: &str, rows: &mut Vec<Row>) {
        if let Err(error) = self.switches.set(entry, value) {
            tracing::warn!(entry, value, %error, "a switch in the log is refused");
            return;
        }
        let key = [KEY, entry.as_bytes()].concat();
        let value = [&[VERSION], value.as_bytes()].concat();
        rows.push(Row { table: Table::Meta, key: key.into(), value: Some(value.into()) });
    }

    /// Takes in a row; rows of others in the table are left alone.
    pub(crate) fn load_switch(&self, key: &[u8], value: &Bytes) -> Result<(), String> {
        let Some(entry) = key.strip_prefix(KEY) else { return Ok(()) };
        let Some((&VERSION, text)) = value.split_first() else { return Err("version of a switch".into()) };
        let entry = std::str::from_utf8(entry).map_err(|error| error.to_string())?;
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        self.switches.set(entry, text).map(drop).map_err(|error| error.to_string())
    }

    /// Lets the switches take effect where their values are kept apart.
    pub(crate) fn switched(&self) {
        let values = self.switches();
        let limits = !values.limited_urls.is_empty() || values.overridden_status.is_some();
        self.switches.limits_traffic.store(limits, Ordering::Relaxed);
        self.switches.checks_health.store(values.health_check, Ordering::Relaxed);
        self.views.set_cache_millis(values.push_cache_ms);
        self.watchers.switch_pushes(values.push);
    }
}
