//! The scenarios of Eureka clients, and the pair of one with a Nacos client.

use std::collections::BTreeSet;

use anyhow::bail;

use super::flood::flood;
use super::scenario::{Stage, address};
use super::tap::{Seen, Tap};
use crate::server::{Given, Server};

const CLIENT: &[&str] = &["register", "fetch", "changes", "renew", "lost", "cancel", "gzip"];
const CRASH: &[&str] = &["seen", "vanished"];
const LOSS: &[&str] = &["full", "back"];
const MIXED: &[&str] = &["own", "other", "metadata", "left"];

/// What a client is known to do on the wire.
pub(super) struct Traits {
    /// It fetches deltas.
    pub(super) deltas: bool,
    /// What it does when a delta is refused.
    pub(super) refused: Refused,
    /// It has a scenario `xml`: the scenario `client` in the other format.
    pub(super) xml: bool,
}

/// What a client does when the server cannot tell a delta.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It fetches the whole list.
    FetchesAll,
    /// It always does.
    NeverAsks,
    /// Nothing can be seen: it keeps its list, or has none.
    StaysAsItIs,
}

/// Settings of the servers of Eureka clients. A killed client is one of few here, which self-preservation would keep.
pub(super) fn settings() -> Given {
    vec![("eureka_self_preservation", "false".to_owned())]
}

impl Stage<'_> {
    /// The scenarios of an Eureka client; `port` is the server that the suites of Eureka clients share.
    pub(super) fn eureka(&mut self, traits: &Traits, port: u16) {
        self.attempt("client", CLIENT, |stage, seen| stage.client("client", traits, port, seen));
        if traits.xml {
            self.attempt("xml", CLIENT, |stage, seen| stage.client("xml", traits, port, seen));
        }
        self.attempt("crash", CRASH, |stage, seen| stage.eureka_crash(port, seen));
        self.attempt("loss", LOSS, |stage, seen| stage.loss(traits, seen));
    }

    /// A client by itself, overheard.
    fn client(
        &mut self,
        scenario: &str,
        traits: &Traits,
        port: u16,
        seen: &mut BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let tap = Tap::start(port)?;
        let client = self.start(0, &[scenario, &address(tap.port()), self.suite])?;
        self.finish(scenario, client, seen)?;
        let heard = tap.seen();
        self.verdict(scenario, "gzip", all_packed(heard), seen);
        if traits.deltas {
            let fetched =
                if heard.deltas > 0 { Ok(()) } else { Err(format!("no delta was fetched: {heard:?}")) };
            self.verdict(scenario, "delta", fetched, seen);
        }
        Ok(())
    }

    /// A client is killed; another one must see it go when its lease has run out.
    fn eureka_crash(&mut self, port: u16, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let mut observer = self.start(0, &["observe", &address(port), self.suite])?;
        self.until_ready("crash", &mut observer, seen)?;
        let mut victim = self.start(0, &["victim", &address(port), self.suite])?;
        self.until_ready("crash", &mut victim, seen)?;
        observer.go_on()?;
        self.until_ready("crash", &mut observer, seen)?;
        victim.kill()?;
        observer.go_on()?;
        self.finish("crash", observer, seen)
    }

    /// The server has had more changes than a delta can tell; later it is killed and comes back with nothing.
    fn loss(&mut self, traits: &Traits, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let mut server = Server::fresh_with(&format!("interop/{}-server", self.suite), settings())?;
        if traits.refused != Refused::StaysAsItIs {
            flood(server.port())?;
            let delta = server.status_of("/eureka/apps/delta");
            if delta != Some(404) {
                bail!("after the flood the delta was answered {delta:?}");
            }
        }
        let tap = Tap::start(server.port())?;
        let mut client = self.start(0, &["loss", &address(tap.port()), self.suite])?;
        self.until_ready("loss", &mut client, seen)?;
        let heard = tap.seen();
        if traits.refused == Refused::FetchesAll {
            let refused =
                if heard.refused > 0 { Ok(()) } else { Err(format!("no delta was refused: {heard:?}")) };
            self.verdict("loss", "refused", refused, seen);
        }
        server.kill()?;
        server.restart_empty()?;
        client.go_on()?;
        let finished = self.finish("loss", client, seen);
        if !server.alive() {
            bail!("the server died\n{}", server.log_tail());
        }
        finished
    }

    /// Program 0 speaks Eureka, program 1 Nacos; each calls what the other registered, until both leave.
    pub(super) fn mixed(&mut self, port: u16) {
        let mut halves = [BTreeSet::new(), BTreeSet::new()];
        self.attempt("mixed", &[], |stage, _| {
            let token = format!("pair-{port}");
            let mut clients = Vec::new();
            for program in 0..2 {
                // Named for its half, as each process has a folder of its own.
                let scenario = ["eureka", "nacos"][program];
                clients.push(stage.start(program, &[scenario, &address(port), &token])?);
            }
            for _ in 0..2 {
                for (client, seen) in clients.iter_mut().zip(&mut halves) {
                    stage.until_ready("mixed", client, seen)?;
                }
                for client in &mut clients {
                    client.go_on()?;
                }
            }
            clients
                .into_iter()
                .zip(&mut halves)
                .try_for_each(|(client, seen)| stage.finish("mixed", client, seen))
        });
        for (half, seen) in ["eureka", "nacos"].into_iter().zip(halves) {
            self.require(half, MIXED, &seen);
        }
    }
}

/// Whether each whole list that the client fetched came packed.
fn all_packed(heard: Seen) -> Result<(), String> {
    if heard.lists > 0 && heard.packed == heard.lists {
        Ok(())
    } else {
        Err(format!("not every list was packed: {heard:?}"))
    }
}
