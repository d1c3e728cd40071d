//! What came of an import: counts, what differs, and what can't be here.

use crate::commands::output;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What came of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Created,
    Same,
    /// It was left as it is here.
    Differs(Vec<String>),
    Replaced(Vec<String>),
    Refused(String),
    /// An entry of a history older than what is kept.
    TooOld,
    /// Left out for a reason that stands in the notes.
    Left(String),
}

impl Outcome {
    /// Reads what the node told.
    pub(super) fn of(told: &Value) -> Self {
        let fields = || {
            let fields = told["fields"].as_array().into_iter().flatten();
            fields.filter_map(|field| field.as_str().map(str::to_owned)).collect()
        };
        match told["result"].as_str() {
            Some("created") => Self::Created,
            Some("same") => Self::Same,
            Some("differs") => Self::Differs(fields()),
            Some("replaced") => Self::Replaced(fields()),
            _ => Self::Refused(told["why"].as_str().unwrap_or("the node gave no reason").to_owned()),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Same => "same",
            Self::Differs(_) => "differs",
            Self::Replaced(_) => "replaced",
            Self::Refused(_) => "refused",
            Self::TooOld => "too old",
            Self::Left(_) => "left out",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Created | Self::Same | Self::TooOld => String::new(),
            Self::Differs(fields) | Self::Replaced(fields) => fields.join(", "),
            Self::Refused(why) | Self::Left(why) => why.clone(),
        }
    }

    /// Whether the source still has what is not here.
    fn is_open(&self) -> bool {
        matches!(self, Self::Differs(_) | Self::Refused(_) | Self::Left(_))
    }
}

#[derive(Debug)]
pub(super) struct Report {
    dry_run: bool,
    /// By kind and outcome.
    counts: BTreeMap<(&'static str, &'static str), usize>,
    /// Kind, name, outcome and detail of everything that was not the same before.
    lines: Vec<(&'static str, String, &'static str, String)>,
    open: usize,
    pub(super) notes: Vec<String>,
}

impl Report {
    pub(super) fn new(dry_run: bool) -> Self {
        Self { dry_run, counts: BTreeMap::new(), lines: Vec::new(), open: 0, notes: Vec::new() }
    }

    pub(super) fn add(&mut self, kind: &'static str, name: &str, outcome: Outcome) {
        self.count(kind, &outcome, 1);
        if outcome != Outcome::Same {
            self.lines.push((kind, name.to_owned(), outcome.name(), outcome.detail()));
        }
    }

    pub(super) fn count(&mut self, kind: &'static str, outcome: &Outcome, count: usize) {
        if count > 0 {
            *self.counts.entry((kind, outcome.name())).or_default() += count;
            self.open += if outcome.is_open() { count } else { 0 };
        }
    }

    /// What the source has and is not here, after all.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            return output::json(&self.json());
        }
        let changes: Vec<_> = self.lines.iter().filter(|line| self.dry_run || line.2 != "created").collect();
        if !changes.is_empty() {
            let rows = changes.iter().map(|(kind, name, outcome, detail)| {
                [(*kind).to_owned(), name.clone(), (*outcome).to_owned(), detail.clone()]
            });
            output::table(["KIND", "NAME", "RESULT", "WHAT"], rows)?;
        }
        let rows = self
            .counts
            .iter()
            .map(|((kind, outcome), count)| [(*kind).to_owned(), (*outcome).to_owned(), count.to_string()]);
        output::table(["KIND", "RESULT", "COUNT"], rows)?;
        self.notes.iter().for_each(|note| output::note(note));
        if self.dry_run {
            output::note("dry run: nothing was written");
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let mut summary: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for ((kind, outcome), count) in &self.counts {
            summary.entry(kind).or_default().insert(outcome, *count);
        }
        let items: Vec<Value> = self
            .lines
            .iter()
            .map(|(kind, name, outcome, detail)| {
                json!({ "kind": kind, "name": name, "result": outcome, "detail": detail })
            })
            .collect();
        json!({
            "dry_run": self.dry_run,
            "summary": summary,
            "items": items,
            "notes": self.notes,
            "open": self.open,
        })
    }
}
