//! Muster as a peer of real Eureka servers: two of them and one of ours replicate to each other. The relays between them
//! count what is told.

pub(super) mod java;
pub(super) mod message;
pub(super) mod registry;
pub(super) mod relay;
mod scenario;

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::client::Launch;
use super::scenario::Tally;
use crate::server::Server;
use crate::{process, workspace};
use java::{JavaServer, Place};
use relay::Relay;

/// The name of this suite on the command line.
pub(super) const NAME: &str = "eureka-peers";

pub(super) use java::build;

/// Starts all three and takes them through everything.
pub(super) fn run(real_server: &Launch) -> anyhow::Result<Tally> {
    let mut trio = Trio::start(real_server)?;
    let tally = scenario::run(&mut trio);
    if !trio.muster.alive() {
        bail!("the server died\n{}", trio.muster.log_tail());
    }
    tally
}

/// Real servers register with each other.
const OPTIONS: &[&str] =
    &["--eureka.client.register-with-eureka=true", "--eureka.client.fetch-registry=true"];

/// The members of the mesh: two real servers, then ours.
const NAMES: [&str; 3] = ["real-a", "real-b", "muster"];
const MUSTER: usize = 2;

/// Three servers, each of which tells the other two.
struct Trio {
    addresses: [SocketAddr; 3],
    /// `relays[from][to]`; none from a server to itself.
    relays: [[Option<Relay>; 3]; 3],
    real: [JavaServer; 2],
    muster: Server,
}

impl Trio {
    fn start(real_server: &Launch) -> anyhow::Result<Self> {
        let folder = workspace::target().join("interop").join(NAME);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("remove what an earlier run left")?;
        }
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let real: [u16; 2] = [process::free_port_pair()?, process::free_port_pair()?];
        let eureka = process::free_port_pair()?;
        let addresses = [local(real[0]), local(real[1]), local(eureka)];
        let relays = relays(&addresses)?;
        let peers = |from: usize| -> Vec<String> { relays[from].iter().flatten().map(Relay::url).collect() };
        let settings = vec![
            ("eureka_port", eureka.to_string()),
            ("eureka_peers", peers(MUSTER).join(",")),
            ("eureka_peer_app", "EUREKA-SERVER".to_owned()),
            // Every server's URL names this host, in front of a relay.
            ("eureka_peer_host", "127.0.0.1".to_owned()),
        ];
        let muster = Server::fresh_with(&format!("interop/{NAME}/muster"), settings)?;
        let start = |at: usize| {
            let place = Place { name: NAMES[at], port: real[at], folder: folder.join(NAMES[at]) };
            JavaServer::start(real_server, place, &peers(at), OPTIONS)
        };
        let mut real = [start(0)?, start(1)?];
        for server in &mut real {
            server.wait_ready()?;
        }
        Ok(Self { addresses, relays, real, muster })
    }

    fn relay(&self, from: usize, to: usize) -> &Relay {
        self.relays[from][to].as_ref().expect("a server tells every other one through a relay")
    }
}

fn relays(addresses: &[SocketAddr; 3]) -> anyhow::Result<[[Option<Relay>; 3]; 3]> {
    let mut relays: [[Option<Relay>; 3]; 3] = Default::default();
    for (from, row) in relays.iter_mut().enumerate() {
        for (to, relay) in row.iter_mut().enumerate().filter(|(to, _)| *to != from) {
            *relay = Some(Relay::start(addresses[to])?);
        }
    }
    Ok(relays)
}

/// Runs a check in a loop until it holds; how long that took.
pub(super) fn until(within: Duration, mut holds: impl FnMut() -> bool) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() <= within {
        if holds() {
            return Some(began.elapsed());
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}
