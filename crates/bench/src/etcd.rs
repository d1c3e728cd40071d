//! Three members of etcd, to be measured beside three nodes of Muster: started on free ports, killed when dropped.

use crate::{
    bodies,
    connection::Connection,
    load::Slot,
    process::Process,
    server::{Places, free_port},
    wire,
};
use anyhow::{Context, Result, ensure};
use bytes::{Buf, Bytes, BytesMut};
use prost::Message;
use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::Instant,
};

/// Its program.
const PROGRAM: &str = "etcd";
/// Members.
const MEMBERS: usize = 3;
/// How long its start may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Path of the call that writes a key.
const PUT: &str = "/etcdserverpb.KV/Put";
/// Path of the call that says who leads.
const STATUS: &str = "/etcdserverpb.Maintenance/Status";
/// Different values put to one key in turn, as the publish row does.
const VALUES: u64 = 8;

/// `PutRequest` of etcd 3.
#[derive(Clone, PartialEq, Message)]
struct Put {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

/// `StatusRequest` of etcd 3.
#[derive(Clone, Copy, PartialEq, Message)]
struct StatusRequest {}

/// `ResponseHeader` of etcd 3, as far as it is read.
#[derive(Clone, Copy, PartialEq, Message)]
struct Header {
    #[prost(uint64, tag = "2")]
    member: u64,
}

/// `StatusResponse` of etcd 3, as far as it is read.
#[derive(Clone, Copy, PartialEq, Message)]
struct Status {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
    #[prost(uint64, tag = "4")]
    leader: u64,
}

/// The members.
pub(crate) struct Etcd {
    addresses: Vec<SocketAddr>,
    processes: Vec<Process>,
    _children: Vec<Child>,
    _directory: TempDir,
}

impl Etcd {
    /// Whether it can be measured here.
    pub(crate) async fn is_installed() -> bool {
        Command::new(PROGRAM)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await
            .is_ok()
    }

    /// Starts all members with the settings they have by default, and waits until they have a leader.
    pub(crate) async fn start(places: &Places) -> Result<Self> {
        let directory = tempfile::tempdir_in(&places.data_root).context("create a directory for etcd")?;
        let (mut clients, mut peers) = (Vec::new(), Vec::new());
        for _ in 0..MEMBERS {
            clients.push(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)));
            peers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)));
        }
        let all: Vec<_> = (0..MEMBERS).map(|member| format!("m{member}=http://{}", peers[member])).collect();
        let mut children = Vec::new();
        for member in 0..MEMBERS {
            let (name, client) = (format!("m{member}"), format!("http://{}", clients[member]));
            let peer = format!("http://{}", peers[member]);
            let log = File::create(directory.path().join(format!("{name}.log"))).context("create a log")?;
            let mut command = Command::new(PROGRAM);
            command
                .args(["--name", &name, "--initial-cluster", &all.join(",")])
                .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
                .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer, "--data-dir"])
                .arg(directory.path().join(&name))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .kill_on_drop(true);
            children.push(command.spawn().context("start etcd")?);
        }
        let ids = children.iter().map(|child| child.id().context("read the id of etcd"));
        let processes = ids.map(|id| id.map(Process::new)).collect::<Result<_>>()?;
        let etcd = Self { addresses: clients, processes, _children: children, _directory: directory };
        etcd.follower().await?;
        Ok(etcd)
    }

    /// Where a member that does not lead is reached.
    pub(crate) async fn follower(&self) -> Result<SocketAddr> {
        let begun = Instant::now();
        loop {
            for address in &self.addresses {
                if matches!(status(*address).await, Ok(status) if follows(&status)) {
                    return Ok(*address);
                }
            }
            ensure!(begun.elapsed() < PATIENCE, "etcd has no leader after {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All processes as one.
    pub(crate) fn process(&self) -> Process {
        Process::together(self.processes.iter().copied())
    }
}

/// So many connections to a member; each is to live as long as it is used.
pub(crate) async fn connect(address: SocketAddr, count: usize) -> Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(Connection::open_for(address, PUT).await?);
    }
    Ok(connections)
}

/// Puts 1 KiB, each connection to its own key, another value each time.
pub(crate) fn put_slots(connections: &[Connection]) -> Vec<Slot> {
    let slot = |(number, connection): (usize, &Connection)| {
        let key = Bytes::from(format!("bench-publish-{number}"));
        let put = |mark| wire::encode(&Put { key: key.clone(), value: bodies::content(mark).into() });
        // A call that etcd refuses has a status of gRPC, which the channel looks at.
        Slot {
            channel: connection.channel.clone(),
            frames: (0..VALUES).map(put).collect(),
            is_success: |_| true,
        }
    };
    connections.iter().enumerate().map(slot).collect()
}

fn follows(status: &Status) -> bool {
    status.leader != 0 && status.header.is_some_and(|header| header.member != status.leader)
}

async fn status(address: SocketAddr) -> Result<Status> {
    let mut connection = Connection::open_for(address, STATUS).await?;
    let mut answer = BytesMut::from(&connection.channel.call(wire::encode(&StatusRequest {})).await?[..]);
    answer.advance(wire::PREFIX);
    Status::decode(answer).context("read the status of etcd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leads_does_not_follow() {
        let status = |member, leader| Status { header: Some(Header { member }), leader };
        assert!(follows(&status(1, 2)));
        assert!(!follows(&status(2, 2)));
        assert!(!follows(&status(1, 0)), "nobody leads yet");
    }
}
