//! A relay between two servers that notes what one tells the other.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context;
use serde::Deserialize;

use super::message;

/// One item of a batch that a server sent to another.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(in crate::interop) struct Told {
    pub(in crate::interop) action: String,
    pub(in crate::interop) id: String,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "replicationList")]
    list: Vec<Told>,
}

#[derive(Deserialize)]
struct Replies {
    #[serde(rename = "responseList")]
    list: Vec<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "statusCode")]
    status: u16,
}

/// Listens on a port of its own and passes everything on to one server, which may come and go. It ends with the process.
pub(in crate::interop) struct Relay {
    port: u16,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Default)]
struct Notes {
    /// The batches, in order. One without an answer is emptied: it is sent again.
    batches: Vec<Vec<Told>>,
    /// Instances whose registration was answered.
    known: BTreeSet<String>,
    /// Those of them that were not known when they were renewed later.
    forgotten: Vec<String>,
}

impl Relay {
    /// A relay to the server at `to`.
    pub(in crate::interop) fn start(to: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("bind a relay")?;
        let port = listener.local_addr().context("read the relay's port")?.port();
        let notes: Arc<Mutex<Notes>> = Arc::default();
        let noted = notes.clone();
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                let noted = noted.clone();
                // An end on either side ends the other one, too: nothing to report.
                thread::spawn(move || pass_on(client, to, &noted).ok());
            }
        });
        Ok(Self { port, notes })
    }

    /// The base URL of the server behind it.
    pub(in crate::interop) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/eureka/", self.port)
    }

    /// What was told of an instance so far, in order, without heartbeats.
    pub(in crate::interop) fn told_of(&self, id: &str) -> Vec<String> {
        self.all_of(id).into_iter().filter(|action| action != "Heartbeat").collect()
    }

    /// How many heartbeats of an instance were told so far.
    pub(in crate::interop) fn heartbeats_of(&self, id: &str) -> usize {
        self.all_of(id).iter().filter(|action| *action == "Heartbeat").count()
    }

    fn all_of(&self, id: &str) -> Vec<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = notes.batches.iter().flatten().filter(|told| told.id == id);
        of_it.map(|told| told.action.clone()).collect()
    }

    /// The instances that the server behind it was told of, and did not know when they were renewed after that.
    pub(in crate::interop) fn forgotten(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).forgotten.clone()
    }
}

fn pass_on(client: TcpStream, to: SocketAddr, notes: &Mutex<Notes>) -> io::Result<()> {
    let server = TcpStream::connect(to)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = (BufReader::new(client.try_clone()?), client);
    let (mut from_server, mut to_server) = (BufReader::new(server.try_clone()?), server);
    while let Some(request) = message::read(&mut from_client, false)? {
        let is_batch = request.first.contains("/peerreplication/batch");
        let noted = is_batch.then(|| notes.lock().unwrap_or_else(PoisonError::into_inner).ask(&request.body));
        let sent = to_server.write_all(&request.raw);
        let answer = sent.and_then(|()| message::read(&mut from_server, false)).ok().flatten();
        if let Some(asked) = noted {
            let body = answer.as_ref().map(|answer| &answer.body[..]);
            notes.lock().unwrap_or_else(PoisonError::into_inner).answer(asked, body);
        }
        let Some(answer) = answer else { break };
        to_client.write_all(&answer.raw)?;
    }
    Ok(())
}

/// A batch on its way: its place, and what was known when it was sent.
struct Asked {
    place: usize,
    known: BTreeSet<String>,
}

impl Notes {
    /// A batch is sent. It is noted before it is answered, as its effect may be seen first.
    fn ask(&mut self, body: &[u8]) -> Asked {
        let batch: Result<Batch, _> = serde_json::from_slice(body);
        self.batches.push(batch.map(|batch| batch.list).unwrap_or_default());
        Asked { place: self.batches.len() - 1, known: self.known.clone() }
    }

    /// It was answered, or the connection ended.
    fn answer(&mut self, asked: Asked, body: Option<&[u8]>) {
        let replies: Option<Replies> = body.and_then(|body| serde_json::from_slice(body).ok());
        let Some(replies) = replies else { return self.batches[asked.place].clear() };
        for (told, reply) in self.batches[asked.place].iter().zip(replies.list) {
            match (&*told.action, reply.status) {
                ("Register", 200) => {
                    self.known.insert(told.id.clone());
                }
                ("Heartbeat", 404) if asked.known.contains(&told.id) => self.forgotten.push(told.id.clone()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_relay_passes_on_and_notes_batches() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let relay = Relay::start(server.local_addr().unwrap()).unwrap();
        let answering = thread::spawn(move || {
            let mut peer = server.accept().unwrap().0;
            let request =
                message::read(&mut BufReader::new(peer.try_clone().unwrap()), false).unwrap().unwrap();
            let answer = r#"{"responseList":[{"statusCode":200},{"statusCode":200},{"statusCode":404}]}"#;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
            peer.write_all(format!("{head}{answer}").as_bytes()).unwrap();
            request.first
        });
        let body = r#"{"replicationList":[{"action":"Register","id":"a"},{"action":"Heartbeat","id":"a"},{"action":"Cancel","id":"b"}]}"#;
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port)).unwrap();
        let head =
            format!("POST /eureka/peerreplication/batch/ HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).ok();
        assert!(answer.ends_with("404}]}"), "{answer}");
        assert!(answering.join().unwrap().starts_with("POST /eureka/peerreplication/batch/"));
        assert_eq!(
            (relay.told_of("a"), relay.told_of("b")),
            (vec!["Register".into()], vec!["Cancel".into()])
        );
        assert_eq!((relay.heartbeats_of("a"), relay.heartbeats_of("b")), (1, 0));
    }

    #[test]
    fn who_was_registered_and_is_not_known_was_forgotten() {
        let mut notes = Notes::default();
        let mut pass = |action: &str, status: u16| {
            let asked =
                notes.ask(format!(r#"{{"replicationList":[{{"action":"{action}","id":"a"}}]}}"#).as_bytes());
            let body = format!(r#"{{"responseList":[{{"statusCode":{status}}}]}}"#);
            notes.answer(asked, Some(body.as_bytes()));
            notes.forgotten.len()
        };
        let forgotten = [("Heartbeat", 404), ("Register", 200), ("Heartbeat", 200), ("Heartbeat", 404)];
        assert_eq!(forgotten.map(|(action, status)| pass(action, status)), [0, 0, 0, 1]);
    }

    #[test]
    fn a_batch_without_an_answer_was_not_told() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let relay = Relay::start(server.local_addr().unwrap()).unwrap();
        let dying = thread::spawn(move || {
            let peer = server.accept().unwrap().0;
            message::read(&mut BufReader::new(peer), false).unwrap().unwrap();
        });
        let body = r#"{"replicationList":[{"action":"Register","id":"a"}]}"#;
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port)).unwrap();
        let head =
            format!("POST /eureka/peerreplication/batch/ HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).unwrap();
        dying.join().unwrap();
        assert_eq!(client.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
        assert_eq!(relay.told_of("a"), Vec::<String>::new());
    }
}
