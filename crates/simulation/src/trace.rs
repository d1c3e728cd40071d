//! What happened, as one number: two runs of a seed that differ anywhere have different ones.

use parking_lot::Mutex;
use std::{fmt::Write as _, sync::Arc};

/// Takes in everything that happens, in order. A clone is another handle to the same.
#[derive(Clone, Debug, Default)]
pub struct Trace(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    hash: u64,
    /// Everything, one line each, if that is wanted.
    lines: Option<String>,
}

impl Default for State {
    fn default() -> Self {
        // FNV-1a: it needs no more than to differ.
        Self { hash: 0xCBF2_9CE4_8422_2325, lines: None }
    }
}

impl Trace {
    /// A trace that also keeps what it took in, for people.
    pub fn with_lines() -> Self {
        Self(Arc::new(Mutex::new(State { lines: Some(String::new()), ..State::default() })))
    }

    /// Takes in that something happened at a moment: milliseconds of virtual time.
    pub fn note(&self, at_ms: u64, what: &dyn std::fmt::Display) {
        let text = format!("{at_ms} {what}");
        let mut state = self.0.lock();
        for byte in text.bytes().chain([b'\n']) {
            state.hash = (state.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        if let Some(lines) = &mut state.lines {
            writeln!(lines, "{text}").expect("a string takes everything");
        }
    }

    /// The number.
    pub fn hash(&self) -> u64 {
        self.0.lock().hash
    }

    /// What was kept.
    pub fn lines(&self) -> String {
        self.0.lock().lines.clone().unwrap_or_default()
    }
}

/// A short name of bytes.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
