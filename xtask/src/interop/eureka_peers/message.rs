//! HTTP/1.1 messages as bytes, for a client that asks once and a relay that counts.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

/// The longest any server here may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A message: its head and body as they were sent, and the body without its framing.
pub(in crate::interop) struct Message {
    pub(in crate::interop) raw: Vec<u8>,
    /// The first line: a request's or a status line.
    pub(in crate::interop) first: String,
    pub(in crate::interop) body: Vec<u8>,
}

impl Message {
    /// The status of an answer; 0 if there is none.
    pub(in crate::interop) fn status(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }
}

/// Reads the next message; `None` if the other end has closed. `may_end_it`: an answer without a length ends with the
/// connection.
pub(in crate::interop) fn read(stream: &mut impl BufRead, may_end_it: bool) -> io::Result<Option<Message>> {
    let (mut raw, mut first, mut length, mut is_chunked) = (Vec::new(), String::new(), None, false);
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        raw.extend_from_slice(&line);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if first.is_empty() {
            first = text.to_owned();
        } else if text.is_empty() {
            break;
        } else if let Some((name, value)) = text.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok(),
                "transfer-encoding" => is_chunked = value.contains("chunked"),
                _ => {}
            }
        }
    }
    let mut body = Vec::new();
    let has_none = first.contains(" 204 ") || first.ends_with(" 204");
    if is_chunked {
        read_chunks(stream, &mut raw, &mut body)?;
    } else if let Some(length) = length {
        stream.take(length).read_to_end(&mut body)?;
        raw.extend_from_slice(&body);
    } else if may_end_it && !has_none {
        stream.read_to_end(&mut body)?;
        raw.extend_from_slice(&body);
    }
    Ok(Some(Message { raw, first, body }))
}

fn read_chunks(stream: &mut impl BufRead, raw: &mut Vec<u8>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line)?;
        raw.extend_from_slice(&line);
        let text = String::from_utf8_lossy(&line);
        let size = text.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(|_| io::Error::other("a chunk without its size"))?;
        let mut chunk = Vec::new();
        stream.take(size + 2).read_to_end(&mut chunk)?;
        raw.extend_from_slice(&chunk);
        if size == 0 {
            return Ok(());
        }
        body.extend_from_slice(&chunk[..chunk.len().saturating_sub(2)]);
    }
}

/// One request on a connection of its own; the status and the body of the answer.
pub(in crate::interop) fn ask(
    to: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&to, ANSWER_WITHIN).context("connect")?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).context("bound the wait for an answer")?;
    let content = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nAccept: application/json\r\nConnection: close\r\n\
         {content}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).context("send the request")?;
    let answer = read(&mut BufReader::new(stream), true).context("read the answer")?;
    let Some(answer) = answer else { bail!("{method} {path}: no answer") };
    Ok((answer.status(), answer.body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_length_and_chunks() {
        let bytes = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPUT /b HTTP/1.1\r\nTransfer-Encoding: \
                      chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\nGET /c HTTP/1.1\r\n\r\n";
        let mut stream = &bytes[..];
        let mut seen = Vec::new();
        let mut raw = Vec::new();
        while let Some(message) = read(&mut stream, false).unwrap() {
            raw.extend_from_slice(&message.raw);
            seen.push((message.first, String::from_utf8(message.body).unwrap()));
        }
        let expected = [("POST /a HTTP/1.1", "abc"), ("PUT /b HTTP/1.1", "def"), ("GET /c HTTP/1.1", "")];
        assert_eq!(seen, expected.map(|(first, body)| (first.to_owned(), body.to_owned())));
        assert_eq!(raw, bytes);
    }

    #[test]
    fn an_answer_has_a_status_and_may_end_with_its_connection() {
        let mut stream = &b"HTTP/1.1 200 OK\r\n\r\nrest"[..];
        let answer = read(&mut stream, true).unwrap().unwrap();
        assert_eq!((answer.status(), answer.body.as_slice()), (200, &b"rest"[..]));
    }
}
