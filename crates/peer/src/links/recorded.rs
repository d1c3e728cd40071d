//! What both ends of links said that the first program with links made (commit c55db3d): today's say the same, byte by byte,
//! and understand each other.
//!
//! `fixtures/hello-c55db3d.txt` was recorded by a relay between two `Links` of that commit, without TLS. A line has a name,
//! how it ended, and what the dialling and what the accepting end sent, in hexadecimal: hello and answer, then the
//! frame `ping` and an echo of it with the number of the node that was heard. The acceptor was node 1 of a cluster, the
//! other end node 300. The feature `previous-format` is about entries of the log, and changes nothing of this.
//!
//! When a newer version of the protocol comes, what is said by the dialling end changes in one byte: the newest version that
//! it speaks, the fourth after the length. All else stays, for as long as the first version is spoken.

use super::*;
use crate::Plaintext;
use muster_runtime::net::{Network as _, RealNetwork};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const RECORDED: &str = include_str!("../../fixtures/hello-c55db3d.txt");
const CLUSTER: ClusterId = ClusterId(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
const DIALLER: NodeId = NodeId(300);

struct Recorded {
    name: &'static str,
    is_linked: bool,
    dialled: Vec<u8>,
    answered: Vec<u8>,
}

fn recorded() -> Vec<Recorded> {
    let bytes = |text: &str| -> Vec<u8> {
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        pairs.iter().map(byte).collect()
    };
    let line = |line: &'static str| {
        let [name, ended, dialled, answered] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        Recorded { name, is_linked: ended == "linked", dialled: bytes(dialled), answered: bytes(answered) }
    };
    RECORDED.lines().map(line).collect()
}

/// Who dials in a recording, whom it looks for, and what for.
fn dialler(name: &str) -> (Option<(ClusterId, NodeId)>, Option<NodeId>, Purpose) {
    let of = |purpose: &Purpose| format!("{purpose:?}").to_lowercase() == name;
    match name {
        "join-without-id" => (None, None, Purpose::Join),
        "other-cluster" => (Some((ClusterId(5), DIALLER)), Some(NodeId(1)), Purpose::Raft),
        "not-the-node" => (Some((CLUSTER, DIALLER)), Some(NodeId(2)), Purpose::Raft),
        "not-served" => (Some((CLUSTER, DIALLER)), Some(NodeId(1)), Purpose::Raft),
        _ => (Some((CLUSTER, DIALLER)), Some(NodeId(1)), Purpose::ALL.into_iter().find(of).unwrap()),
    }
}

struct Echo;

impl Acceptor for Echo {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            while let Ok(Some(frame)) = link.receive().await {
                link.send(&[&frame[..], &[link.peer().0 as u8]].concat()).await.unwrap();
            }
        })
    }
}

fn links(tasks: &Tasks) -> Links {
    let (network, security) = (Arc::new(RealNetwork), Arc::new(Plaintext));
    Links::new(LinksParts { network, security, tasks: tasks.clone() })
}

#[tokio::test]
async fn who_dialled_as_the_first_program_did_is_answered_as_it_was() {
    for Recorded { name, dialled, answered, .. } in recorded() {
        let tasks = Tasks::new();
        let server = links(&tasks);
        server.identify(CLUSTER, NodeId(1));
        if name != "not-served" {
            Purpose::ALL.into_iter().for_each(|purpose| server.handle(purpose, Arc::new(Echo)));
        }
        let incoming = RealNetwork.listen("127.0.0.1:0").await.unwrap();
        let mut old = TcpStream::connect(incoming.address()).await.unwrap();
        tasks.spawn("links", server.clone().serve(incoming));
        old.write_all(&dialled).await.unwrap();
        old.shutdown().await.unwrap();
        let mut told = Vec::new();
        old.read_to_end(&mut told).await.unwrap();
        assert_eq!(told, answered, "{name}");
        assert!(tasks.shutdown(Duration::from_secs(5)).await);
    }
}

#[tokio::test]
async fn what_is_dialled_and_how_an_answer_is_taken_is_as_with_the_first_program() {
    for Recorded { name, is_linked, dialled, answered } in recorded() {
        let tasks = Tasks::new();
        let client = links(&tasks);
        let (identity, to, purpose) = dialler(name);
        if let Some((cluster, node)) = identity {
            client.identify(cluster, node);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let old = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Everything at once: frames keep their bounds.
            stream.write_all(&answered).await.unwrap();
            let mut told = Vec::new();
            stream.read_to_end(&mut told).await.unwrap();
            told
        };
        let new = async {
            let mut link = match client.connect(to, &address, purpose).await {
                Ok(link) => link,
                Err(LinkError::Refused { refusal, .. }) => return Some(refusal),
                Err(other) => panic!("{name}: {other}"),
            };
            assert_eq!(link.version(), 1, "{name}");
            link.send(b"ping").await.unwrap();
            let echo = link.receive().await.unwrap().unwrap();
            assert_eq!(echo, [&b"ping"[..], &[identity.map_or(0, |(_, node)| node.0 as u8)]].concat());
            None
        };
        let (told, refusal) = tokio::join!(old, new);
        assert_eq!(told, dialled, "{name}");
        let wanted = match name {
            "other-cluster" => Some(Refusal::OtherCluster),
            "not-the-node" => Some(Refusal::NotTheNode),
            "not-served" => Some(Refusal::NotServed),
            _ => None,
        };
        assert_eq!((refusal.is_none(), refusal), (is_linked, wanted), "{name}");
    }
}
