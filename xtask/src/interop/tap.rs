//! A relay between a client and the server that notes how Eureka's lists are asked for and answered.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context;

/// Relays connections to a server's port from a port of its own, as long as the process lives.
pub(super) struct Tap {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

/// What went through a [`Tap`] so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Answers 200 to requests for the whole list.
    pub(super) lists: usize,
    /// Those of them that were packed with gzip.
    pub(super) packed: usize,
    /// Answers 200 to requests for the delta.
    pub(super) deltas: usize,
    /// Answers 404 to requests for the delta.
    pub(super) refused: usize,
}

impl Tap {
    /// Starts to relay to this port of the loopback interface; the server need not run.
    pub(super) fn start(server: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("listen for the client")?;
        let port = listener.local_addr().context("learn the relay's port")?.port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let noted = seen.clone();
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                // A dead server is a refused connection to the client, too: the relay's end of it closes.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    relay(client, server, &noted);
                }
            }
        });
        Ok(Self { port, seen })
    }

    /// Where the client connects to.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What went through so far.
    pub(super) fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a request's first line that are kept.
const LINE_MAX: usize = 8 * 1024;

/// What a request asks for, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    List,
    Delta,
    Other,
}

/// Moves bytes in both directions. The clients do not pipeline, so what follows a request's first bytes is its answer.
fn relay(client: TcpStream, server: TcpStream, seen: &Arc<Mutex<Seen>>) {
    let asked = Arc::new(Mutex::new(None));
    let (noted, seen) = (asked.clone(), seen.clone());
    let copies = client.try_clone().and_then(|copy| server.try_clone().map(|other| (copy, other)));
    let Ok((client_again, server_again)) = copies else { return };
    thread::spawn(move || {
        // The first line of a request may come in pieces.
        let mut begun = Vec::new();
        pump(client, server, |bytes| {
            let mut asked = noted.lock().unwrap_or_else(PoisonError::into_inner);
            if asked.is_some() {
                return;
            }
            begun.extend_from_slice(bytes);
            if begun.contains(&b'\r') || begun.len() > LINE_MAX {
                *asked = asked_by(&begun);
                begun.clear();
            }
        });
    });
    thread::spawn(move || {
        pump(server_again, client_again, |bytes| {
            if let Some(request) = asked.lock().unwrap_or_else(PoisonError::into_inner).take() {
                note(&mut seen.lock().unwrap_or_else(PoisonError::into_inner), request, bytes);
            }
        });
    });
}

/// Copies until one side ends, then ends both.
fn pump(mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        look(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // Whichever side is gone already does not mind.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

/// What a request asks for; none if these bytes do not begin one.
fn asked_by(bytes: &[u8]) -> Option<Asked> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (method, rest) = line.split_once(' ')?;
    let (target, version) = rest.rsplit_once(' ')?;
    if !version.starts_with("HTTP/1.") {
        return None;
    }
    let path = target.split('?').next().unwrap_or(target).trim_end_matches('/');
    Some(match method {
        "GET" if path.ends_with("/apps/delta") => Asked::Delta,
        "GET" if path.ends_with("/apps") => Asked::List,
        _ => Asked::Other,
    })
}

/// Counts an answer by its head, which comes in one piece.
fn note(seen: &mut Seen, asked: Asked, answer: &[u8]) {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..head]).to_lowercase();
    let status = head.split(' ').nth(1).unwrap_or_default();
    match (asked, status) {
        (Asked::List, "200") => {
            seen.lists += 1;
            seen.packed += usize::from(head.contains("content-encoding: gzip"));
        }
        (Asked::Delta, "200") => seen.deltas += 1,
        (Asked::Delta, "404") => seen.refused += 1,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        assert_eq!(asked_by(b"GET /eureka/apps/ HTTP/1.1\r\nHost: a\r\n"), Some(Asked::List));
        assert_eq!(asked_by(b"GET /eureka/v2/apps?regions=a HTTP/1.1\r\n"), Some(Asked::List));
        assert_eq!(asked_by(b"GET /eureka/apps/delta HTTP/1.1\r\n"), Some(Asked::Delta));
        assert_eq!(asked_by(b"GET /eureka/apps/ORDERS HTTP/1.1\r\n"), Some(Asked::Other));
        assert_eq!(asked_by(b"{\"instance\": {}}"), None);
    }

    #[test]
    fn answers_pass_and_are_counted() {
        let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let tap = Tap::start(server.local_addr().unwrap().port()).unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", tap.port())).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        let mut exchange = |target: &str, answer: &str| {
            write!(client, "GET {target} HTTP/1.1\r\n\r\n").unwrap();
            let mut asked = vec![0; target.len() + "GET  HTTP/1.1\r\n\r\n".len()];
            accepted.read_exact(&mut asked).unwrap();
            accepted.write_all(answer.as_bytes()).unwrap();
            let mut told = vec![0; answer.len()];
            client.read_exact(&mut told).unwrap();
            assert_eq!(told, answer.as_bytes());
        };
        exchange("/eureka/apps/", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
        exchange("/eureka/apps", "HTTP/1.1 200 OK\r\n\r\n");
        exchange("/eureka/apps/delta", "HTTP/1.1 404 Not Found\r\n\r\n");
        assert_eq!(tap.seen(), Seen { lists: 2, packed: 1, deltas: 0, refused: 1 });
    }
}
