//! Tokens of MySQL's statements, from a stream.

use anyhow::bail;
use std::io::BufRead;

/// One token. Comments, also those with a version, are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or keyword without quotes.
    Word(String),
    /// A name in backquotes.
    Name(String),
    /// A text in quotes, or bytes in hexadecimal digits.
    Text(Vec<u8>),
    /// A number as it is written.
    Number(String),
    /// Any other character.
    Symbol(u8),
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }
}

pub(super) struct Lexer<R> {
    input: R,
    line: u64,
}

impl<R: BufRead> Lexer<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 1 }
    }

    fn peek(&mut self) -> anyhow::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn bump(&mut self) -> anyhow::Result<Option<u8>> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.input.consume(1);
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Token>> {
        while let Some(byte) = self.bump()? {
            return Ok(Some(match byte {
                byte if byte.is_ascii_whitespace() => continue,
                b'#' => {
                    self.skip_line()?;
                    continue;
                }
                // As MySQL has it a blank must follow, which numbers never do.
                b'-' if self.peek()? == Some(b'-') => {
                    self.skip_line()?;
                    continue;
                }
                b'/' if self.peek()? == Some(b'*') => {
                    self.skip_comment()?;
                    continue;
                }
                b'\'' | b'"' => Token::Text(self.quoted(byte)?),
                b'`' => Token::Name(text(self.backquoted()?)?),
                b'0' if matches!(self.peek()?, Some(b'x' | b'X')) => {
                    self.bump()?;
                    let digits = self.while_in(u8::is_ascii_hexdigit)?;
                    Token::Text(self.bytes_of(&digits)?)
                }
                b'+' | b'-' | b'0'..=b'9' => Token::Number(self.number(byte)?),
                b'.' if self.peek()?.is_some_and(|next| next.is_ascii_digit()) => {
                    Token::Number(self.number(byte)?)
                }
                byte if is_word(byte) => self.word(byte)?,
                byte => Token::Symbol(byte),
            }));
        }
        Ok(None)
    }

    /// Passes over what `DELIMITER ;;` begins and `DELIMITER ;` ends: procedures and triggers.
    pub(super) fn skip_to_delimiter_line(&mut self) -> anyhow::Result<()> {
        let mut line = Vec::new();
        self.skip_line()?;
        loop {
            line.clear();
            if self.input.read_until(b'\n', &mut line)? == 0 {
                bail!("the dump ends before DELIMITER ; : it was cut off");
            }
            self.line += 1;
            let words: Vec<_> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
            if words.len() == 2 && words[0].eq_ignore_ascii_case(b"DELIMITER") && words[1] == b";" {
                return Ok(());
            }
        }
    }

    fn skip_line(&mut self) -> anyhow::Result<()> {
        self.input.skip_until(b'\n')?;
        self.line += 1;
        Ok(())
    }

    fn skip_comment(&mut self) -> anyhow::Result<()> {
        self.bump()?;
        let mut before = 0;
        while let Some(byte) = self.bump()? {
            if before == b'*' && byte == b'/' {
                return Ok(());
            }
            before = byte;
        }
        bail!("the dump ends in a comment: it was cut off")
    }

    /// The text behind a quote, up to the same quote alone.
    fn quoted(&mut self, quote: u8) -> anyhow::Result<Vec<u8>> {
        let mut text = Vec::new();
        let begun = self.line;
        loop {
            // Most of a text has nothing special in it.
            let plain = self.input.fill_buf()?;
            let end = plain.iter().position(|&byte| byte == quote || byte == b'\\').unwrap_or(plain.len());
            text.extend_from_slice(&plain[..end]);
            self.line += plain[..end].iter().map(|&byte| u64::from(byte == b'\n')).sum::<u64>();
            self.input.consume(end);
            match self.bump()? {
                None => bail!("the dump ends in a text that begins in line {begun}: it was cut off"),
                Some(b'\\') => match self.bump()? {
                    None => bail!("the dump ends in a text that begins in line {begun}: it was cut off"),
                    Some(escaped) => unescape(escaped, &mut text),
                },
                Some(byte) if byte == quote => {
                    if self.peek()? != Some(quote) {
                        return Ok(text);
                    }
                    self.bump()?;
                    text.push(quote);
                }
                // The buffer ended in the middle of the text.
                Some(byte) => text.push(byte),
            }
        }
    }

    fn backquoted(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut name = Vec::new();
        while let Some(byte) = self.bump()? {
            if byte != b'`' {
                name.push(byte);
            } else if self.peek()? == Some(b'`') {
                self.bump()?;
                name.push(b'`');
            } else {
                return Ok(name);
            }
        }
        bail!("the dump ends in a name: it was cut off")
    }

    fn number(&mut self, first: u8) -> anyhow::Result<String> {
        let mut number = vec![first];
        while let Some(byte) = self.peek()? {
            let follows_e = matches!(number.last(), Some(b'e' | b'E'));
            let is_part = byte.is_ascii_digit()
                || matches!(byte, b'.' | b'e' | b'E')
                || (follows_e && matches!(byte, b'+' | b'-'));
            if !is_part {
                break;
            }
            number.push(byte);
            self.bump()?;
        }
        text(number)
    }

    fn word(&mut self, first: u8) -> anyhow::Result<Token> {
        let mut word = vec![first];
        word.extend(self.while_in(|byte| is_word(*byte))?);
        let is_prefix = word.len() == 1 && self.peek()? == Some(b'\'');
        if is_prefix && matches!(first, b'x' | b'X') {
            self.bump()?;
            let digits = self.quoted(b'\'')?;
            return Ok(Token::Text(self.bytes_of(&digits)?));
        }
        if is_prefix && matches!(first, b'b' | b'B') {
            self.bump()?;
            let digits = text(self.quoted(b'\'')?)?;
            return Ok(Token::Number(match u64::from_str_radix(&digits, 2) {
                Ok(number) => number.to_string(),
                Err(_) => bail!("line {}: b'{digits}' is no number", self.line),
            }));
        }
        Ok(Token::Word(text(word)?))
    }

    fn while_in(&mut self, is_in: impl Fn(&u8) -> bool) -> anyhow::Result<Vec<u8>> {
        let mut found = Vec::new();
        while let Some(byte) = self.peek()?.filter(&is_in) {
            found.push(byte);
            self.bump()?;
        }
        Ok(found)
    }

    fn bytes_of(&self, digits: &[u8]) -> anyhow::Result<Vec<u8>> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?);
        match digits.chunks(2).map(pair).collect() {
            Some(bytes) => Ok(bytes),
            None => bail!("line {}: hexadecimal digits are malformed", self.line),
        }
    }
}

/// What a backslash and a character stand for.
fn unescape(escaped: u8, text: &mut Vec<u8>) {
    let meant = match escaped {
        b'0' => 0,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'Z' => 26,
        b'%' | b'_' => {
            text.push(b'\\');
            escaped
        }
        other => other,
    };
    text.push(meant);
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@') || byte >= 0x80
}

fn text(bytes: Vec<u8>) -> anyhow::Result<String> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => bail!("a name is not UTF-8"),
    }
}
