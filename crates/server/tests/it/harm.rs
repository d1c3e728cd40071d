//! Doing harm to files, and what a program must say that does not start with them.

use muster_runtime::Rng;
use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
};

/// Up to the last byte that is not zero.
pub(crate) fn used(content: &[u8]) -> u64 {
    const BLOCK: usize = 4_096;
    let last =
        content.chunks(BLOCK).rposition(|block| block != &[0; BLOCK][..block.len()]).unwrap_or_default();
    let block = &content[last * BLOCK..];
    let end = block.iter().take(BLOCK).rposition(|byte| *byte != 0).map_or(1, |at| at + 1);
    (last * BLOCK + end) as u64
}

/// Damages a file; what was done, in words.
pub(crate) fn damage(path: &Path, rng: &mut Rng) -> String {
    let content = fs::read(path).unwrap();
    let len = content.len() as u64;
    if len == 0 {
        fs::write(path, "x").unwrap();
        return "wrote into an empty file".into();
    }
    // The zeros at the end of a preallocated file are hit less often.
    let used = used(&content);
    let area = if rng.below(5) == 0 { len } else { used };
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let at = rng.below(area);
    match rng.below(8) {
        0..4 => {
            let bit = rng.below(8);
            file.write_all_at(&[content[at as usize] ^ (1 << bit)], at).unwrap();
            format!("flipped bit {bit} of byte {at} of {len} ({used} used)")
        }
        4..7 => {
            file.set_len(at).unwrap();
            format!("cut at byte {at} of {len} ({used} used)")
        }
        _ => {
            // A sector that was never written.
            let (from, size) = (at / 512 * 512, 512.min(len - at / 512 * 512));
            file.write_all_at(&vec![0; size as usize], from).unwrap();
            format!("zeroed {size} bytes at {from} of {len} ({used} used)")
        }
    }
}

/// Words of which a refusal must have one: what can be done.
const ADVICE: [&str; 5] = ["estore", "backup", "newer muster", "write that line", "--data-dir"];

/// Checks the line for people of a start that was refused: it names a file and says what can be done.
pub(crate) fn check_advice(message: &str, dir: &Path, context: &str) {
    assert!(message.contains(dir.to_str().unwrap()), "{context}: no file is named: {message}");
    assert!(ADVICE.iter().any(|word| message.contains(word)), "{context}: no advice: {message}");
    let names_entry = message.contains("entry") || message.contains("index");
    assert!(!message.contains(".log ") || names_entry, "{context}: no entry is named: {message}");
}
