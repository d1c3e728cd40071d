//! A dump of Nacos's MySQL schema, as `mysqldump` and `mariadb-dump` write it: the INSERT statements of the tables that
//! matter, read token by token.

mod lexer;
mod rows;

pub(super) use rows::{Zone, zone};

use super::collected::Collected;
use anyhow::{Context, anyhow, bail};
use lexer::{Lexer, Token};
use rows::Tables;
use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// Reads a dump; its dates are of a time zone, since MySQL does not say which.
pub(super) fn read(file: &Path, zone: &Zone) -> anyhow::Result<Collected> {
    let opened = File::open(file).with_context(|| format!("open {}", file.display()))?;
    parse(BufReader::with_capacity(1 << 20, opened), zone).with_context(|| format!("read {}", file.display()))
}

fn parse(input: impl BufRead, zone: &Zone) -> anyhow::Result<Collected> {
    let mut reader = Reader { lexer: Lexer::new(input), columns: HashMap::new(), tables: Tables::default() };
    reader.statements()?;
    reader.tables.collect(zone)
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Null,
    Text(Vec<u8>),
}

struct Reader<R> {
    lexer: Lexer<R>,
    /// Columns of each table in their order, from `CREATE TABLE`.
    columns: HashMap<String, Vec<String>>,
    tables: Tables,
}

impl<R: BufRead> Reader<R> {
    fn statements(&mut self) -> anyhow::Result<()> {
        while let Some(token) = self.lexer.next()? {
            match &token {
                Token::Symbol(b';') => {}
                Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                    "INSERT" | "REPLACE" => self.insert()?,
                    "CREATE" => self.create()?,
                    "DELIMITER" => self.lexer.skip_to_delimiter_line()?,
                    _ => self.skip_statement()?,
                },
                _ => self.skip_statement()?,
            }
        }
        Ok(())
    }

    fn skip_statement(&mut self) -> anyhow::Result<()> {
        while let Some(token) = self.lexer.next()? {
            if token == Token::Symbol(b';') {
                return Ok(());
            }
        }
        Ok(())
    }

    fn expect(&mut self) -> anyhow::Result<Token> {
        self.lexer
            .next()?
            .ok_or_else(|| anyhow!("the dump ends in the middle of a statement: it was cut off"))
    }

    /// `CREATE TABLE [IF NOT EXISTS] name (column …, KEY …)`; any other is passed over.
    fn create(&mut self) -> anyhow::Result<()> {
        if !self.expect()?.is_word("TABLE") {
            return self.skip_statement();
        }
        let mut token = self.expect()?;
        while ["IF", "NOT", "EXISTS"].iter().any(|word| token.is_word(word)) {
            token = self.expect()?;
        }
        let (table, opening) = self.table_name(token)?;
        if opening != Token::Symbol(b'(') {
            return if opening == Token::Symbol(b';') { Ok(()) } else { self.skip_statement() };
        }
        let mut columns = Vec::new();
        let mut depth = 1;
        let mut is_first = true;
        while depth > 0 {
            let token = self.expect()?;
            match token {
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth -= 1,
                Token::Symbol(b',') if depth == 1 => is_first = true,
                Token::Name(name) if is_first => {
                    columns.push(name.to_ascii_lowercase());
                    is_first = false;
                }
                Token::Word(word) if is_first => {
                    if !is_index(&word) {
                        columns.push(word.to_ascii_lowercase());
                    }
                    is_first = false;
                }
                Token::Word(_) | Token::Name(_) | Token::Text(_) | Token::Number(_) | Token::Symbol(_) => {}
            }
        }
        self.columns.insert(table, columns);
        self.skip_statement()
    }

    /// The table of `table` or `database.table`, and the token behind it.
    fn table_name(&mut self, first: Token) -> anyhow::Result<(String, Token)> {
        let name_of = |token: Token| match token {
            Token::Name(name) | Token::Word(name) => Ok(name.to_ascii_lowercase()),
            other => bail!("expected the name of a table, found {other:?}"),
        };
        let mut name = name_of(first)?;
        let mut next = self.expect()?;
        if next == Token::Symbol(b'.') {
            name = name_of(self.expect()?)?;
            next = self.expect()?;
        }
        Ok((name, next))
    }

    /// `INSERT [IGNORE] INTO name [(columns)] VALUES (…),(…);`
    fn insert(&mut self) -> anyhow::Result<()> {
        let mut token = self.expect()?;
        while ["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"]
            .iter()
            .any(|word| token.is_word(word))
        {
            token = self.expect()?;
        }
        let (table, mut next) = self.table_name(token)?;
        if !Tables::wants(&table) {
            return self.skip_statement();
        }
        let mut columns = self.columns.get(&table).cloned();
        if next == Token::Symbol(b'(') {
            columns = Some(self.names()?);
            next = self.expect()?;
        }
        if !next.is_word("VALUES") && !next.is_word("VALUE") {
            bail!("INSERT INTO {table}: expected VALUES, found {next:?}");
        }
        let columns = columns.ok_or_else(|| {
            anyhow!("the dump does not name the columns of {table}: dump it with its CREATE TABLE, or --complete-insert")
        })?;
        loop {
            let row = self.row(&table)?;
            if row.len() != columns.len() {
                bail!("a row of {table} has {} values for {} columns", row.len(), columns.len());
            }
            self.tables.add(&table, columns.iter().cloned().zip(row).collect());
            match self.expect()? {
                Token::Symbol(b',') => {}
                Token::Symbol(b';') => return Ok(()),
                // ON DUPLICATE KEY UPDATE …
                Token::Word(_) => return self.skip_statement(),
                other => bail!("INSERT INTO {table}: found {other:?} behind a row"),
            }
        }
    }

    fn names(&mut self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        loop {
            match self.expect()? {
                Token::Name(name) | Token::Word(name) => names.push(name.to_ascii_lowercase()),
                Token::Symbol(b',') => {}
                Token::Symbol(b')') => return Ok(names),
                other => bail!("expected the name of a column, found {other:?}"),
            }
        }
    }

    fn row(&mut self, table: &str) -> anyhow::Result<Vec<Value>> {
        let opening = self.expect()?;
        if opening != Token::Symbol(b'(') {
            bail!("INSERT INTO {table}: expected a row, found {opening:?}");
        }
        let mut row = Vec::new();
        loop {
            match self.expect()? {
                Token::Text(text) => row.push(Value::Text(text)),
                Token::Number(number) => row.push(Value::Text(number.into_bytes())),
                Token::Word(word) if word.eq_ignore_ascii_case("NULL") => row.push(Value::Null),
                Token::Word(word) if word.eq_ignore_ascii_case("TRUE") => {
                    row.push(Value::Text(b"1".to_vec()))
                }
                Token::Word(word) if word.eq_ignore_ascii_case("FALSE") => {
                    row.push(Value::Text(b"0".to_vec()))
                }
                // The character set of the text that follows: `_binary 'x'`.
                Token::Word(word) if word.starts_with('_') => {}
                Token::Symbol(b',') => {}
                Token::Symbol(b')') => return Ok(row),
                other => bail!("a row of {table} has {other:?}: only plain values are read"),
            }
        }
    }
}

fn is_index(word: &str) -> bool {
    ["PRIMARY", "KEY", "UNIQUE", "INDEX", "CONSTRAINT", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK", "PERIOD"]
        .iter()
        .any(|index| word.eq_ignore_ascii_case(index))
}

#[cfg(test)]
mod tests;
