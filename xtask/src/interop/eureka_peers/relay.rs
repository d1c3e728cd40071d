//! A relay between two servers that notes what one tells the other.

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context;
use serde::Deserialize;

use super::message;

/// One item of a batch that a server sent to another.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) action: String,
    pub(super) id: String,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "replicationList")]
    list: Vec<Told>,
}

/// Listens on a port of its own and passes everything on to one server, which may come and go. It ends with the process.
pub(super) struct Relay {
    port: u16,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Relay {
    /// A relay to the server at `to`.
    pub(super) fn start(to: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("bind a relay")?;
        let port = listener.local_addr().context("read the relay's port")?.port();
        let told: Arc<Mutex<Vec<Told>>> = Arc::default();
        let noted = told.clone();
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                let noted = noted.clone();
                // An end on either side ends the other one, too: nothing to report.
                thread::spawn(move || pass_on(client, to, &noted).ok());
            }
        });
        Ok(Self { port, told })
    }

    /// The base URL of the server behind it.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/eureka/", self.port)
    }

    /// What was told of an instance so far, in order, without heartbeats.
    pub(super) fn told_of(&self, id: &str) -> Vec<String> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = told.iter().filter(|told| told.id == id && told.action != "Heartbeat");
        of_it.map(|told| told.action.clone()).collect()
    }
}

fn pass_on(client: TcpStream, to: SocketAddr, told: &Mutex<Vec<Told>>) -> io::Result<()> {
    let server = TcpStream::connect(to)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = (BufReader::new(client.try_clone()?), client);
    let (mut from_server, mut to_server) = (BufReader::new(server.try_clone()?), server);
    while let Some(request) = message::read(&mut from_client, false)? {
        if request.first.contains("/peerreplication/batch") {
            let batch: Result<Batch, _> = serde_json::from_slice(&request.body);
            let items = batch.map(|batch| batch.list).unwrap_or_default();
            told.lock().unwrap_or_else(PoisonError::into_inner).extend(items);
        }
        to_server.write_all(&request.raw)?;
        let Some(answer) = message::read(&mut from_server, false)? else { break };
        to_client.write_all(&answer.raw)?;
    }
    Ok(())
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
            peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
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
        assert!(answer.ends_with("{}"), "{answer}");
        assert!(answering.join().unwrap().starts_with("POST /eureka/peerreplication/batch/"));
        assert_eq!(
            (relay.told_of("a"), relay.told_of("b")),
            (vec!["Register".into()], vec!["Cancel".into()])
        );
    }
}
