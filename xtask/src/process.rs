//! Running other programs.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, bail};

use crate::workspace;

/// A command that runs at the root of the repository and builds into the shared target folder.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root()).env("CARGO_TARGET_DIR", workspace::target()).stdin(Stdio::null());
    command
}

/// `cargo` with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    cargo
}

/// Runs a command with its output visible; fails with its exit status.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    println!("   $ {shown}");
    let status = command.status().with_context(|| format!("start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}`: {status}");
    }
    Ok(())
}

/// As [`run`]; gives the rest of the last line that the command writes to standard error and that begins so.
pub(crate) fn run_for(line: &str, command: &mut Command) -> anyhow::Result<String> {
    let shown = shown(command);
    println!("   $ {shown}");
    let started = command.stderr(Stdio::piped()).spawn();
    let mut child = started.with_context(|| format!("start `{shown}`"))?;
    let mut found = String::new();
    for said in BufReader::new(child.stderr.take().context("its standard error")?).lines() {
        let said = said?;
        if let Some(rest) = said.strip_prefix(line) {
            rest.clone_into(&mut found);
        }
        println!("{said}");
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}`: {status}");
    }
    Ok(found)
}

/// Runs a command and keeps its output; on failure the error carries all of it.
pub(crate) fn quiet(command: &mut Command) -> anyhow::Result<Output> {
    let shown = shown(command);
    let output = command.output().with_context(|| format!("start `{shown}`"))?;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`{shown}`: {}\n{}\n{}", output.status, out.trim_end(), err.trim_end());
    }
    Ok(output)
}

/// Whether a program answers to `--version`-like arguments here.
pub(crate) fn present(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A port P of the loopback interface of which P and P + 1000 are free now.
pub(crate) fn free_port_pair() -> anyhow::Result<u16> {
    // Below the range the kernel hands out by itself, so that no client socket takes it between two starts.
    let start = 20_000 + (std::process::id() % 8_000) as u16;
    for offset in 0..4_000_u16 {
        let port = 20_000 + (start - 20_000 + offset) % 10_000;
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if !reserved(port) && free(port) && free(port + 1000) {
            return Ok(port);
        }
    }
    bail!("no free pair of ports on the loopback interface")
}

/// Whether this process has handed out the port before; marks it.
fn reserved(port: u16) -> bool {
    static TAKEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    !TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port)
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let name = |word: &OsStr| {
        let text = word.to_string_lossy().into_owned();
        let path = Path::new(&text);
        let short = path.strip_prefix(workspace::root()).map(|rest| rest.display().to_string());
        short.unwrap_or(text)
    };
    words.map(name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_pairs_are_never_handed_out_twice() {
        let (one, two) = (free_port_pair().unwrap(), free_port_pair().unwrap());
        assert_ne!(one, two);
        assert!(TcpListener::bind(("127.0.0.1", one + 1000)).is_ok());
    }

    #[test]
    fn a_line_of_a_command_is_found_and_a_failure_is_one() {
        let said = |script: &str| run_for("sum: ", command("sh").args(["-c", script]));
        assert_eq!(said("echo no; echo 'sum: 1' >&2; echo 'sum: 2' >&2; echo end >&2").unwrap(), "2");
        assert!(said("echo 'sum: 1' >&2; exit 3").unwrap_err().to_string().contains('3'));
    }

    #[test]
    fn a_failing_command_carries_its_output() {
        let error = quiet(command("sh").args(["-c", "echo seen; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("seen") && error.contains('3'), "{error}");
    }
}
