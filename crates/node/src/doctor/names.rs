//! Naming what is different in a mirror: the owner and the holder are asked what they have in the buckets that differ.

use super::{
    diagnose::Asked,
    mirrors::{self, NamedMirror},
    wire::{NamesQuestion, Question},
};
use crate::Node;
use muster_model::{NodeId, Origin};
use std::time::Duration;

/// Buckets of which names are asked for at once.
const BUCKETS_MAX: usize = 8;
/// Names of one answer.
const NAMES_MAX: usize = 5_000;
/// How often both are asked until they answer as of the same change.
const TRIES: usize = 5;
/// Between two of them.
const TRY_AGAIN: Duration = Duration::from_millis(100);

impl Node {
    /// What is in some buckets of the digest of an origin here. `None`: there is no digest of it, or it changed meanwhile.
    pub(super) fn mirror_names(&self, origin: Origin, buckets: &[u8]) -> Option<NamedMirror> {
        let mut named: Option<NamedMirror> = None;
        let mut from = Some(0);
        while let Some(at) = from {
            // The lock is taken anew for each page.
            let page = self.registry.lock().mirror_names(origin, buckets, at)?;
            let named = named.get_or_insert(NamedMirror { sequence: page.sequence, names: Vec::new() });
            if named.sequence != page.sequence {
                return None;
            }
            named.names.extend(page.names);
            if named.names.len() > NAMES_MAX {
                return None;
            }
            from = page.next;
        }
        named
    }

    /// What is different in a mirror, by name; `None` if that moves too fast, or too much is different to tell.
    pub(super) async fn name_differences(
        &self,
        asked: &[Asked],
        holder: NodeId,
        origin: Origin,
    ) -> Option<String> {
        let buckets = mirrors::differing_buckets(asked, holder, origin);
        let buckets: Vec<u8> = buckets.into_iter().take(BUCKETS_MAX).collect();
        if buckets.is_empty() {
            return None;
        }
        let names = NamesQuestion::new(origin, &buckets);
        let question = Question { mark: 0, names: Some(names) };
        let address = |node| asked.iter().find(|asked| asked.node == node).map(|asked| asked.address.clone());
        let (of_owner, of_holder) = (address(origin.node)?, address(holder)?);
        for _ in 0..TRIES {
            let own = self.ask_report(origin.node, of_owner.clone(), &question);
            let held = self.ask_report(holder, of_holder.clone(), &question);
            let (own, held) = tokio::join!(own, held);
            let pair =
                own.answer.ok().and_then(|own| own.names).zip(held.answer.ok().and_then(|held| held.names));
            if let Some(named) = pair.and_then(|(own, held)| mirrors::differences(&own, &held)) {
                return Some(named);
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        None
    }
}
