//! What one writer knows about what it wrote: acknowledged, or under way when the node was killed.

use crate::client::{BETA_IP, Seen, Session};
use muster_model::Md5;
use std::collections::BTreeMap;

/// A value that was acknowledged, and one that may or may not have come after it.
#[derive(Clone, Debug)]
pub(crate) struct Known<T> {
    pub(crate) acknowledged: T,
    pub(crate) under_way: Option<T>,
}

impl<T: Default> Default for Known<T> {
    fn default() -> Self {
        Self { acknowledged: T::default(), under_way: None }
    }
}

impl<T: Clone + std::fmt::Debug> Known<T> {
    /// A write begins.
    pub(crate) fn begin(&mut self, value: T) {
        assert!(self.under_way.is_none(), "one write at a time");
        self.under_way = Some(value);
    }

    /// The write under way was acknowledged.
    pub(crate) fn acknowledge(&mut self) {
        self.acknowledged = self.under_way.take().unwrap();
    }

    /// Settles what is true by what `is` says of a value; nothing else may be there.
    pub(crate) fn settle(&mut self, name: &str, seen: &dyn std::fmt::Debug, is: impl Fn(&T) -> bool) {
        let under_way = self.under_way.take();
        if is(&self.acknowledged) {
            return;
        }
        match under_way {
            Some(value) if is(&value) => self.acknowledged = value,
            under_way => panic!(
                "{name}: acknowledged was {:?}, under way was {under_way:?}, found is {seen:?}",
                self.acknowledged
            ),
        }
    }
}

/// History entries that a node keeps of a config; few, so that old ones go all the time.
pub(crate) const HISTORY_MAX: usize = 20;

/// One entry of a config's history: letter, gray name ("" is the formal version), digest of the content it has.
pub(crate) type Past = (&'static str, String, Md5);

/// A config as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigState {
    /// Content by gray name; "" is the formal version.
    pub(crate) variants: BTreeMap<String, String>,
    /// Type of the formal version.
    pub(crate) kind: String,
    /// Description and tag of the formal version.
    pub(crate) about: String,
    /// What was done, oldest first, as far as it is kept.
    pub(crate) history: Vec<Past>,
}

impl ConfigState {
    /// A version is published; `kind` and `about` count for the formal one.
    pub(crate) fn publish(&mut self, gray: &str, content: &str, kind: &str, about: &str) {
        let old = self.variants.insert(gray.to_owned(), content.to_owned());
        let (letter, shown) = match &old {
            Some(old) => ("U", old.as_str()),
            None => ("I", content),
        };
        self.history.push((letter, gray.to_owned(), Md5::of(shown.as_bytes())));
        self.forget();
        if gray.is_empty() {
            kind.clone_into(&mut self.kind);
            about.clone_into(&mut self.about);
        }
    }

    /// A gray version, or with "" all of them, is removed.
    pub(crate) fn remove(&mut self, gray: &str) {
        let names: Vec<String> =
            self.variants.keys().filter(|name| gray.is_empty() || *name == gray).cloned().collect();
        for name in names {
            let content = self.variants.remove(&name).unwrap();
            self.history.push(("D", name, Md5::of(content.as_bytes())));
        }
        self.forget();
        if self.variants.is_empty() {
            self.kind.clear();
            self.about.clear();
        }
    }

    fn forget(&mut self) {
        let old = self.history.len().saturating_sub(HISTORY_MAX);
        self.history.drain(..old);
    }
}

/// The tag that tag versions are for.
pub(crate) const TAG: &str = "blue";
/// The gray names that are used, with "" for the formal version.
pub(crate) const VERSIONS: [&str; 3] = ["", "beta", "tag_blue"];

/// The two connections it takes to see every version.
pub(crate) struct Readers {
    plain: Session,
    beta: Session,
}

impl Readers {
    pub(crate) async fn open(address: &str) -> Self {
        Self {
            plain: Session::open(address).await.unwrap(),
            beta: Session::open_as(address, BETA_IP).await.unwrap(),
        }
    }

    pub(crate) fn session(&self) -> &Session {
        &self.plain
    }

    /// Every version of a config that clients can see, by gray name.
    pub(crate) async fn versions(&self, data_id: &str) -> BTreeMap<String, Seen> {
        let formal = self.plain.read(data_id, "").await.unwrap();
        let beta = self.beta.read(data_id, "").await.unwrap().filter(|seen| seen.beta);
        let tag = self.plain.read(data_id, TAG).await.unwrap();
        VERSIONS
            .into_iter()
            .zip([formal, beta, tag])
            .filter_map(|(name, seen)| Some((name.to_owned(), seen?)))
            .collect()
    }
}

/// Whether clients see a config exactly as it should be.
pub(crate) fn is_seen(state: &ConfigState, seen: &BTreeMap<String, Seen>) -> bool {
    seen.len() == state.variants.len()
        && seen.iter().all(|(name, seen)| {
            let Some(content) = state.variants.get(name) else { return false };
            let kind_is_right = !state.variants.contains_key("") || seen.kind == state.kind;
            seen.content == *content
                && seen.md5 == Md5::of(content.as_bytes()).to_string()
                && kind_is_right
                && seen.beta == (name == "beta")
        })
}
