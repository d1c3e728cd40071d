//! Real clients of three nodes that are killed one after another: with the three addresses, and through balancers.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::client::{Client, Launch};
use super::scenario::{Stage, Tally};
use crate::balancer::{self, PerRequest};
use crate::ensemble::Ensemble;
use crate::workspace;

/// The suite's name.
pub(super) const NAME: &str = "ensemble";

/// How long a node stays away.
const AWAY: Duration = Duration::from_secs(4);

/// How long all nodes are there before the next one is killed.
const TOGETHER: Duration = Duration::from_secs(14);

const CHECKS: &[&str] = &["configs", "lists", "registered", "listener"];

/// How a client comes to the nodes.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// It knows all addresses.
    List,
    /// By a balancer that gives each connection to a node.
    Connection,
    /// By a balancer that gives each request to a node.
    Request,
}

/// One client: a program of the suite, by its place in it, and how it comes to the nodes.
pub(super) struct Comer {
    pub(super) name: &'static str,
    pub(super) program: usize,
    pub(super) way: Way,
}

/// The clients. One connection of gRPC carries several requests that belong together: only what speaks HTTP/1.1 can be
/// balanced by request.
pub(super) const COMERS: &[Comer] = &[
    Comer { name: "java1-list", program: 0, way: Way::List },
    Comer { name: "java1-request", program: 0, way: Way::Request },
    Comer { name: "java3-list", program: 1, way: Way::List },
    Comer { name: "java3-connection", program: 1, way: Way::Connection },
    Comer { name: "go-list", program: 2, way: Way::List },
    Comer { name: "go-connection", program: 2, way: Way::Connection },
    Comer { name: "python-list", program: 3, way: Way::List },
    Comer { name: "python-connection", program: 3, way: Way::Connection },
];

/// Starts everything, kills each node in turn for as long as `INTEROP_KILL_SECONDS` says (60), and lets the clients
/// say what they saw.
pub(super) fn run(launches: &[Launch]) -> anyhow::Result<Tally> {
    let seconds = std::env::var("INTEROP_KILL_SECONDS").ok().map(|text| text.parse::<u64>());
    let seconds = seconds.transpose().context("INTEROP_KILL_SECONDS is no number")?.unwrap_or(60);
    let mut stage = Stage::open(NAME, launches)?;
    let mut ensemble = Ensemble::start("interop/ensemble-nodes")?;
    let addresses = ensemble.addresses();
    let per_connection = balancer::per_connection(&addresses)?;
    let per_request = PerRequest::start(&addresses, &workspace::target().join("interop/ensemble-nginx"))?;
    println!("   ensemble: requests are balanced by {}", per_request.name());
    let list = addresses.map(|address| address.to_string()).join(",");
    let mut clients = Vec::new();
    for comer in COMERS {
        let address = match comer.way {
            Way::List => list.clone(),
            Way::Connection => per_connection.to_string(),
            Way::Request => per_request.address().to_string(),
        };
        clients.push((comer.name, stage.start(comer.program, &[NAME, &address, comer.name])?));
    }
    let mut running = Vec::new();
    for (name, mut client) in clients {
        let mut seen = BTreeSet::new();
        stage.until_ready(name, &mut client, &mut seen)?;
        running.push((name, client));
    }
    kill_in_turn(&mut ensemble, Instant::now() + Duration::from_secs(seconds))?;
    finish(&mut stage, running);
    ensemble.check_alive()?;
    Ok(stage.tally)
}

fn kill_in_turn(ensemble: &mut Ensemble, end: Instant) -> anyhow::Result<()> {
    let mut kills = 0;
    // Each at least once.
    while Instant::now() < end || kills < 3 {
        let node = kills % 3;
        ensemble.kill(node)?;
        thread::sleep(AWAY);
        ensemble.restart(node)?;
        kills += 1;
        thread::sleep(TOGETHER);
    }
    println!("   ensemble: {kills} kills");
    Ok(())
}

fn finish(stage: &mut Stage<'_>, running: Vec<(&'static str, Client)>) {
    for (name, mut client) in running {
        stage.attempt(name, CHECKS, |stage, seen| {
            client.go_on()?;
            stage.finish(name, client, seen)
        });
    }
}
