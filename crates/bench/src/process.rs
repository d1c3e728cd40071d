//! What the kernel says about a process: CPU time used and memory resident.

use anyhow::{Context, Result};
use std::{fs, time::Duration};

/// Kernel ticks a second in `/proc/PID/stat` (USER_HZ, 100 on every Linux that Rust supports).
const TICKS_PER_SECOND: u64 = 100;

/// The most processes that are measured together.
const TOGETHER_MAX: usize = 3;

/// A process by its id, or the few of a cluster, whose figures are added up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pids: [Option<u32>; TOGETHER_MAX],
}

impl Process {
    /// The process with this id; it is looked at only when asked.
    pub(crate) fn new(pid: u32) -> Self {
        Self { pids: [Some(pid), None, None] }
    }

    /// All of these as if they were one.
    pub(crate) fn together(all: impl Iterator<Item = Self>) -> Self {
        let mut pids = [None; TOGETHER_MAX];
        let each = all.flat_map(|process| process.pids).flatten();
        pids.iter_mut().zip(each).for_each(|(place, pid)| *place = Some(pid));
        Self { pids }
    }

    /// CPU time of all its threads, user and system, to 10 ms.
    pub(crate) fn cpu(self) -> Result<Duration> {
        self.pids.into_iter().flatten().map(cpu_of).sum()
    }

    /// Memory resident, in bytes (VmRSS).
    pub(crate) fn resident(self) -> Result<u64> {
        self.pids.into_iter().flatten().map(resident_of).sum()
    }
}

fn cpu_of(pid: u32) -> Result<Duration> {
    let stat = read(pid, "stat")?;
    // The command name may hold blanks and brackets: fields are counted behind its last bracket.
    let (_, fields) = stat.rsplit_once(')').context("read stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let total = ticks.sum::<Result<u64, _>>().context("read CPU ticks")?;
    Ok(Duration::from_millis(total * 1000 / TICKS_PER_SECOND))
}

fn resident_of(pid: u32) -> Result<u64> {
    let status = read(pid, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("find VmRSS")?;
    let kibibytes = line.trim().trim_end_matches(" kB").parse::<u64>().context("read VmRSS")?;
    Ok(kibibytes * 1024)
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).with_context(|| format!("read {path}: is the server gone?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_process_uses_cpu_and_memory() {
        let me = Process::new(std::process::id());
        let before = me.cpu().unwrap();
        let mut sum = 0_u64;
        while me.cpu().unwrap() < before + Duration::from_millis(20) {
            sum = sum.wrapping_add(1);
        }
        assert!(sum > 0 && me.resident().unwrap() > 1024 * 1024);
    }

    #[test]
    fn figures_of_several_are_added_up() {
        let me = Process::new(std::process::id());
        let twice = Process::together([me, me].into_iter()).resident().unwrap();
        assert!(twice > me.resident().unwrap() * 3 / 2, "{twice}");
    }

    #[test]
    fn a_missing_process_is_an_error() {
        assert!(Process::new(u32::MAX).cpu().is_err());
    }
}
