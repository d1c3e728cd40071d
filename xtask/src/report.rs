//! What a step came to, and the table at the end.

use std::time::{Duration, Instant};

/// How one step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All was checked and all was well; the note is for the table.
    Passed(String),
    /// Something was not well.
    Failed(String),
    /// It could not be tried, and why.
    Skipped(String),
}

/// The steps that were run, in order.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<(String, Outcome, Duration)>,
}

impl Report {
    /// Runs a step, says what came of it and remembers that. Whether it did not fail.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<Outcome>) -> bool {
        println!("── {name}");
        let began = Instant::now();
        let outcome = work().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let well = !matches!(outcome, Outcome::Failed(_));
        println!("{}", line(name, &outcome, began.elapsed()));
        self.lines.push((name.to_owned(), outcome, began.elapsed()));
        well
    }

    /// Prints the table and the counts; whether nothing failed.
    pub(crate) fn close(&self) -> bool {
        println!("\n── summary");
        for (name, outcome, took) in &self.lines {
            println!("{}", line(name, outcome, *took));
        }
        println!("{}", self.counts());
        self.failed() == 0
    }

    fn failed(&self) -> usize {
        self.lines.iter().filter(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_))).count()
    }

    /// The plain closing line.
    fn counts(&self) -> String {
        let skipped =
            self.lines.iter().filter(|(_, outcome, _)| matches!(outcome, Outcome::Skipped(_))).count();
        let failed = self.failed();
        format!("{} passed, {failed} failed, {skipped} skipped", self.lines.len() - failed - skipped)
    }
}

fn line(name: &str, outcome: &Outcome, took: Duration) -> String {
    let (word, note) = match outcome {
        Outcome::Passed(note) => ("ok", note),
        Outcome::Failed(note) => ("FAILED", note),
        Outcome::Skipped(why) => return format!("SKIPPED {name}: {why}"),
    };
    format!("{word:<7} {name:<22} {:>7.1} s  {note}", took.as_secs_f64()).trim_end().to_owned()
}

/// Runs one step by itself, as its own command.
pub(crate) fn alone(name: &str, work: impl FnOnce() -> anyhow::Result<Outcome>) -> anyhow::Result<bool> {
    let began = Instant::now();
    let outcome = work()?;
    println!("{}", line(name, &outcome, began.elapsed()));
    Ok(!matches!(outcome, Outcome::Failed(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_counts_each_kind_and_errors_are_failures() {
        let mut report = Report::default();
        report.step("a", || Ok(Outcome::Passed(String::new())));
        report.step("b", || anyhow::bail!("no such file"));
        report.step("c", || Ok(Outcome::Skipped("no node".into())));
        assert_eq!(report.counts(), "1 passed, 1 failed, 1 skipped");
        assert!(!report.close());
        assert_eq!(line("c", &Outcome::Skipped("no node".into()), Duration::ZERO), "SKIPPED c: no node");
    }
}
