//! How busy the machine is, as its kernel counts it.

use parking_lot::Mutex;

/// How busy the machine is. What the system does not tell is -1, as Java has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MachineLoad {
    /// Share of all processors in use, 0 to 1, between the last two looks that were at least a second of processor
    /// time apart; at the first look since the machine started.
    pub cpu: f64,
    /// Tasks that run or want to, mean of the last minute.
    pub load: f64,
    /// Share of the memory in use, 0 to 1.
    pub memory: f64,
}

/// Looks at the machine: Linux only, elsewhere all is -1.
#[derive(Debug, Default)]
pub struct Machine {
    last: Mutex<Processors>,
}

/// Kernel ticks since the machine started, and the share in use that was last worked out of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Processors {
    busy: u64,
    all: u64,
    share: f64,
}

/// Ticks between two looks that make a figure: a second of one processor (USER_HZ is 100 on every Linux).
const TICKS_MIN: u64 = 100;

impl Machine {
    /// How busy it is. Reads a few small files of the kernel, which waits for no disk.
    pub fn load(&self) -> MachineLoad {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{name}")).ok();
        MachineLoad {
            cpu: read("stat").and_then(|text| ticks(&text)).map_or(-1.0, |ticks| self.share(ticks)),
            load: read("loadavg").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(-1.0),
            memory: read("meminfo").and_then(|text| memory(&text)).unwrap_or(-1.0),
        }
    }

    fn share(&self, (busy, all): (u64, u64)) -> f64 {
        let mut last = self.last.lock();
        let ticks = all.saturating_sub(last.all);
        if ticks >= TICKS_MIN {
            let share = busy.saturating_sub(last.busy) as f64 / ticks as f64;
            *last = Processors { busy, all, share };
        }
        last.share
    }
}

/// Busy and all ticks of the first line of `/proc/stat`: `cpu user nice system idle iowait irq softirq steal …`.
fn ticks(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    // Guests, from the ninth on, are in the first two already.
    let counts: Vec<u64> = line.split_whitespace().take(8).map_while(|count| count.parse().ok()).collect();
    let all = counts.iter().sum();
    let idle: u64 = counts.get(3..5)?.iter().sum();
    Some((all - idle, all))
}

/// The used share, of `MemTotal` and `MemAvailable` in `/proc/meminfo`.
fn memory(text: &str) -> Option<f64> {
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let (all, free) = (of("MemTotal")?, of("MemAvailable")?);
    (all > 0.0).then(|| 1.0 - free / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        let stat = "cpu  10 1 5 80 4 0 0 0 7 0\ncpu0 1 2 3 4\n";
        assert_eq!(ticks(stat), Some((16, 100)));
        assert_eq!(ticks("cpu  1 2\n"), None);
        let meminfo = "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    250 kB\n";
        assert_eq!(memory(meminfo), Some(0.75));
        assert_eq!(memory("MemTotal: 1000 kB\n"), None);
    }

    #[test]
    fn the_share_is_that_since_the_last_look_that_was_long_enough_ago() {
        let machine = Machine::default();
        assert_eq!(machine.share((100, 1_000)), 0.1);
        assert_eq!(machine.share((150, 1_099)), 0.1, "too soon");
        assert_eq!(machine.share((150, 1_100)), 0.5);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_tells() {
        let load = Machine::default().load();
        assert!((0.0..=1.0).contains(&load.cpu) && load.load >= 0.0, "{load:?}");
        assert!((0.0..1.0).contains(&load.memory), "{load:?}");
    }
}
