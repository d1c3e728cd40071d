//! `conformance`: replays what real servers answered, each kind of recording against a process of its own.

mod recordings;
mod replay;

use anyhow::{Context, bail};

use crate::report::Outcome;
use crate::server::{Given, Server};
use crate::{process, python, workspace};
use recordings::{Recording, Wants};
use replay::{Replayer, Tally, Target};

const USAGE: &str = "usage: cargo xtask conformance [--address HOST:PORT [--console PORT]]";

/// Replays all recordings against fresh servers, or those for a server with default settings against the one whose HTTP
/// port is given.
pub(crate) fn conformance(arguments: &[String]) -> anyhow::Result<Outcome> {
    let given = given_target(arguments)?;
    let conformance = workspace::root().join("conformance");
    let interpreter = python::environment("conformance", &conformance.join("requirements.txt"))?;
    let replayer = Replayer { interpreter, conformance };
    let recordings = recordings::over_http(&replayer.conformance)?;
    let tally = Tally::default();
    match given {
        Some(target) => against_given(&replayer, &recordings, &target, &tally)?,
        None => against_own(&replayer, &recordings, &tally)?,
    }
    let sum = tally.close();
    println!("conformance: {sum}");
    let note = format!("{} steps as recorded, {} not", sum.passed, sum.failed);
    Ok(if sum.failed == 0 && sum.passed > 0 { Outcome::Passed(note) } else { Outcome::Failed(note) })
}

/// The server of someone else: recordings that want other settings are left out, those that want a server without
/// registrations come first, one at a time, as each removes what it registered.
fn against_given(
    replayer: &Replayer,
    recordings: &[Recording],
    target: &Target,
    tally: &Tally,
) -> anyhow::Result<()> {
    for fresh in those(recordings, Wants::Fresh) {
        replayer.http(&[fresh], target, tally)?;
    }
    beside_grpc(replayer, &those(recordings, Wants::Defaults), target, tally)
}

/// Servers of ours, all at once: the replays wait for leases and long polls, not for the processor.
fn against_own(replayer: &Replayer, recordings: &[Recording], tally: &Tally) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (index, fresh) in those(recordings, Wants::Fresh).into_iter().enumerate() {
            let name = format!("conformance/fresh-{index}");
            running.push(
                scope.spawn(move || {
                    on_own(&name, Wants::Fresh, |target| replayer.http(&[fresh], target, tally))
                }),
            );
        }
        for (name, wants) in [("gated", Wants::Gated), ("expiry", Wants::NoSelfPreservation)] {
            running.push(scope.spawn(move || {
                let name = format!("conformance/{name}");
                on_own(&name, wants, |target| replayer.http(&those(recordings, wants), target, tally))
            }));
        }
        running.push(scope.spawn(move || {
            on_own("conformance/defaults", Wants::Defaults, |target| {
                beside_grpc(replayer, &those(recordings, Wants::Defaults), target, tally)
            })
        }));
        running
            .into_iter()
            .try_for_each(|replay| replay.join().unwrap_or_else(|_| bail!("a replay panicked")))
    })
}

/// Runs a replay against a fresh server, which must outlive it.
fn on_own(
    name: &str,
    wants: Wants,
    replay: impl FnOnce(&Target) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let console = process::free_port_pair()?;
    let mut server = Server::fresh_with(name, settings(wants, console))?;
    let replayed = replay(&Target { host: "127.0.0.1".into(), port: server.port(), console });
    if !server.alive() {
        bail!("the server died\n{}", server.log_tail());
    }
    replayed
}

fn beside_grpc(
    replayer: &Replayer,
    recordings: &[Recording],
    target: &Target,
    tally: &Tally,
) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let http = scope.spawn(|| replayer.http(recordings, target, tally));
        let grpc = replayer.grpc(target, tally);
        http.join().unwrap_or_else(|_| bail!("the HTTP replay panicked"))?;
        grpc
    })
}

/// The settings a recording wants. The recordings show Nacos's limit on metadata, which is our default, too; said here
/// so that they hold whatever the environment sets.
fn settings(wants: Wants, console: u16) -> Given {
    let mut settings: Given =
        vec![("metadata_chars_max", "1024".into()), ("console_port", console.to_string())];
    match wants {
        Wants::Defaults | Wants::Fresh => {}
        Wants::Gated => settings.push(("gate_v1_v2", "true".into())),
        Wants::NoSelfPreservation => settings.push(("eureka_self_preservation", "false".into())),
    }
    settings
}

fn those(recordings: &[Recording], wants: Wants) -> Vec<Recording> {
    let mut found: Vec<Recording> =
        recordings.iter().filter(|recording| recording.wants == wants).cloned().collect();
    // The longest-running ones first: those that wait for leases.
    found.sort_by_key(|recording| !recording.path.to_string_lossy().contains("beat"));
    found
}

fn given_target(arguments: &[String]) -> anyhow::Result<Option<Target>> {
    let (address, console) = match arguments {
        [] => return Ok(None),
        [flag, address] if flag == "--address" => (address, None),
        [flag, address, other, console] if flag == "--address" && other == "--console" => {
            (address, Some(console))
        }
        _ => bail!(USAGE),
    };
    let (host, port) = address.rsplit_once(':').context(USAGE)?;
    let port: u16 = port.parse().context("read the port of the address")?;
    let console = console.map(|text| text.parse()).transpose().context("read the port of the console")?;
    // The console family is on the main port, too.
    Ok(Some(Target { host: host.to_owned(), port, console: console.unwrap_or(port) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_server_is_an_address_and_perhaps_a_console_port() {
        let read = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
            given_target(&arguments)
        };
        assert!(read(&[]).unwrap().is_none());
        let target = read(&["--address", "h:1"]).unwrap().unwrap();
        assert_eq!((target.host.as_str(), target.port, target.console), ("h", 1, 1));
        let target = read(&["--address", "h:1", "--console", "2"]).unwrap().unwrap();
        assert_eq!((target.port, target.console), (1, 2));
        assert!(read(&["--address", "h"]).is_err());
        assert!(read(&["--console", "2"]).is_err());
    }
}
