//! The binary `muster`.
mod settings;
fn main() {}
