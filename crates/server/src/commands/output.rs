//! Printing results.

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde::Serialize;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Whoever read standard output went away: what `head` does is no failure.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output")]
pub(crate) struct ReaderGone;

/// Prints a line, or a text that ends its own lines.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    let end: &[u8] = if text.ends_with('\n') { b"" } else { b"\n" };
    write(&[text.as_bytes(), end])
}

/// Prints a content exactly as it is; on a terminal a line that was not ended is.
pub(crate) fn exactly(content: &str) -> anyhow::Result<()> {
    let is_open = !content.ends_with('\n') && io::stdout().is_terminal();
    write(&[content.as_bytes(), if is_open { b"\n" } else { b"" }])
}

fn write(parts: &[&[u8]]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = parts.iter().try_for_each(|part| out.write_all(part)).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        other => Ok(other?),
    }
}

/// Says something to whoever watches, beside the results.
pub(crate) fn note(text: &str) {
    // Where standard error is closed there is nobody to tell.
    drop(writeln!(io::stderr(), "muster: {text}"));
}

/// Prints one JSON value on a line.
pub(crate) fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?)
}

/// Prints rows under headings, in columns; as wide as they are.
pub(crate) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> anyhow::Result<()> {
    line(&render(columns(headings, rows)))
}

/// Prints rows under headings, in columns; what does not fit into `width` is wrapped.
pub(crate) fn wrapped<const N: usize>(
    width: u16,
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> anyhow::Result<()> {
    line(&wrapped_text(width, headings, rows))
}

fn wrapped_text<const N: usize>(
    width: u16,
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = columns(headings, rows);
    table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
    render(table)
}

fn columns<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(headings).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn render(table: Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_begin_at_the_left_and_end_without_blanks() {
        let text = render(columns(["A", "LONGER"], [["中文".to_owned(), "x".to_owned()]]));
        assert_eq!(text, "A     LONGER\n中文  x\n");
    }

    #[test]
    fn what_is_too_wide_is_wrapped() {
        let rows = [["a".repeat(30), "words and more words that go on and on".to_owned()]];
        let text = wrapped_text(50, ["KEY", "MEANING"], rows);
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= 50), "{text}");
    }
}
