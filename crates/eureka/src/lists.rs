//! The lists that everybody fetches, rendered and packed once a revision.
//!
//! For each view, form and kind of list there is one newest rendering. Whoever finds it out of date brings it up to date:
//! one at a time, the others wait for it and share it, and what is large is done on a thread that may block. Nobody else
//! waits: other requests, and fetches of other lists, go on. What did not change is taken over instance by instance
//! ([`render`]) and chunk by chunk ([`pack`]).

mod pack;
mod render;

use crate::wire::Form;
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use muster_model::HashMap;
use muster_node::{
    EurekaSnapshot, Node, NodeError,
    registry::{EurekaApp, EurekaBase},
};
use pack::Packer;
use parking_lot::RwLock;
use render::Rendered;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Instances in changed applications above which a list is rendered on a thread that may block. Below, handing it over
/// costs more than it does.
const INLINE_MAX: usize = 128;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Everything.
    Whole,
    /// What changed of late.
    Delta,
}

/// One list in one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    base: EurekaBase,
    kind: Kind,
    form: Form,
}

/// What a list is rendered from: all of it of one moment.
pub(crate) struct Source {
    pub(crate) kind: Kind,
    pub(crate) snapshot: Arc<EurekaSnapshot>,
    delta: Option<Arc<[Arc<EurekaApp>]>>,
    /// Differs from that of every other content of the same list, and is greater for what is newer.
    pub(crate) stamp: (u64, u64),
}

impl Source {
    pub(crate) fn apps(&self) -> &[Arc<EurekaApp>] {
        self.delta.as_deref().unwrap_or(&self.snapshot.apps)
    }
}

/// The newest rendering of one list.
#[derive(Default)]
struct Cell {
    current: ArcSwapOption<Rendered>,
    /// Held by whoever renders.
    turn: Arc<tokio::sync::Mutex<()>>,
    used: AtomicU64,
}

impl Cell {
    fn ready(&self, stamp: (u64, u64), packed: bool) -> Option<Bytes> {
        self.current.load().as_ref().filter(|rendered| rendered.stamp == stamp)?.body(packed)
    }

    /// A rendering that was made since the content of `stamp` was the newest, of that or of newer content.
    fn made_since(&self, stamp: (u64, u64), packed: bool) -> Option<Bytes> {
        self.current.load().as_ref().filter(|rendered| rendered.stamp >= stamp)?.body(packed)
    }

    fn size(&self) -> usize {
        self.current.load().as_ref().map_or(0, |rendered| rendered.size)
    }
}

/// All lists.
pub(crate) struct Lists {
    node: Arc<Node>,
    /// Packs whole lists, and deltas.
    packers: [Packer; 2],
    bytes_max: usize,
    cells: RwLock<HashMap<Key, Arc<Cell>>>,
    ticks: AtomicU64,
}

impl Lists {
    /// No list yet; together they keep at most `bytes_max` bytes.
    pub(crate) fn new(node: Arc<Node>, bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            node,
            packers: [Packer::thorough(), Packer::quick()],
            bytes_max,
            cells: RwLock::new(HashMap::default()),
            ticks: AtomicU64::new(0),
        })
    }

    /// The body of a list as of now; `None` for a delta that is not complete.
    pub(crate) async fn body(
        self: &Arc<Self>,
        base: &EurekaBase,
        kind: Kind,
        form: Form,
        packed: bool,
    ) -> Result<Option<Bytes>, NodeError> {
        let Some(source) = self.source(base, kind)? else { return Ok(None) };
        let key = Key { base: base.clone(), kind, form };
        if source.apps().is_empty() {
            self.forget(&key);
            let rendered = Rendered::new(None, &source, form, packed, self.packer(kind));
            return Ok(rendered.body(packed));
        }
        let cell = self.cell(key);
        if let Some(body) = cell.ready(source.stamp, packed) {
            return Ok(Some(body));
        }
        let turn = cell.turn.clone().lock_owned().await;
        // Whoever had the turn before rendered what was newest when this request came, or newer: that is as good, and all
        // who waited share it. Otherwise each would render what changed while it waited, one after the other.
        if let Some(body) = cell.made_since(source.stamp, packed) {
            return Ok(Some(body));
        }
        let Some(source) = self.source(base, kind)? else { return Ok(None) };
        if let Some(body) = cell.ready(source.stamp, packed) {
            return Ok(Some(body));
        }
        let old = cell.current.load_full();
        let work = render::changed_instances(old.as_deref(), &source, packed);
        let lists = self.clone();
        let render = move || {
            let rendered = Arc::new(Rendered::new(old.as_deref(), &source, form, packed, lists.packer(kind)));
            lists.keep(&cell, rendered.clone());
            // The turn ends with the work, also if nobody waits for it any more.
            drop(turn);
            rendered.body(packed)
        };
        if work <= INLINE_MAX {
            return Ok(render());
        }
        tokio::task::spawn_blocking(render).await.map_err(|error| {
            tracing::error!(%error, "rendering a list ended badly");
            NodeError::Defect("rendering a list ended badly")
        })
    }

    fn packer(&self, kind: Kind) -> &Packer {
        &self.packers[kind as usize]
    }

    fn source(&self, base: &EurekaBase, kind: Kind) -> Result<Option<Source>, NodeError> {
        match kind {
            Kind::Whole => {
                let snapshot = self.node.eureka_snapshot(base)?;
                let stamp = (snapshot.revision.0, 0);
                Ok(Some(Source { kind, snapshot, delta: None, stamp }))
            }
            Kind::Delta => {
                let delta = self.node.eureka_delta(base)?;
                let stamp = (delta.snapshot.revision.0, delta.number);
                let source = Source { kind, snapshot: delta.snapshot, delta: Some(delta.apps), stamp };
                Ok(delta.complete.then_some(source))
            }
        }
    }

    fn cell(&self, key: Key) -> Arc<Cell> {
        let found = self.cells.read().get(&key).cloned();
        let cell = found.unwrap_or_else(|| self.cells.write().entry(key).or_default().clone());
        cell.used.store(self.ticks.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        cell
    }

    /// Drops a list that is empty now: it takes no time to render.
    fn forget(&self, key: &Key) {
        let is_kept = self.cells.read().contains_key(key);
        if is_kept {
            self.cells.write().remove(key);
        }
    }

    /// Puts a rendering in place, and drops those used longest ago while all together are too large. One that is too large
    /// by itself is served and not kept.
    fn keep(&self, cell: &Arc<Cell>, rendered: Arc<Rendered>) {
        if rendered.size > self.bytes_max {
            tracing::debug!(bytes = rendered.size, "a list is larger than all that may be kept");
            cell.current.store(None);
            return;
        }
        cell.current.store(Some(rendered));
        let mut cells = self.cells.write();
        let mut total: usize = cells.values().map(|cell| cell.size()).sum();
        while total > self.bytes_max {
            let others = cells.iter().filter(|(_, other)| !Arc::ptr_eq(other, cell));
            let Some((key, size)) = others
                .min_by_key(|(_, other)| other.used.load(Ordering::Relaxed))
                .map(|(key, other)| (key.clone(), other.size()))
            else {
                return;
            };
            cells.remove(&key);
            total -= size.min(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Amount, Format};

    #[test]
    fn who_waited_takes_what_was_rendered_since_it_came() {
        let form = Form { format: Format::Json, amount: Amount::Full };
        let (kind, snapshot) = (Kind::Whole, Arc::new(EurekaSnapshot::default()));
        let source = Source { kind, snapshot, delta: None, stamp: (5, 2) };
        let cell = Cell::default();
        assert!(cell.made_since((1, 0), false).is_none());
        let rendered = Rendered::new(None, &source, form, false, &Packer::quick());
        cell.current.store(Some(Arc::new(rendered)));
        for (stamp, is_new_enough) in
            [((4, 9), true), ((5, 1), true), ((5, 2), true), ((5, 3), false), ((6, 0), false)]
        {
            assert_eq!(cell.made_since(stamp, false).is_some(), is_new_enough, "{stamp:?}");
        }
        assert!(cell.made_since((5, 2), true).is_none(), "it was not packed");
        assert!(cell.ready((5, 1), false).is_none());
    }
}
