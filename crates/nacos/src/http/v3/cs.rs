//! Configs, as administration and the console ask for them in v3: the same handlers under names of their own.

mod archive;
mod beta;
mod capacity;
mod config;
mod history;
mod listeners;
mod ops;

pub(crate) use archive::{ADMIN_CLONE, CONSOLE_CLONE};
