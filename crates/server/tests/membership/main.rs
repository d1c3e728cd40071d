//! Who is a node of a cluster, with real processes: how nodes come in, how they leave, what lost or foreign data, tokens and
//! certificates come to, and what operators are told.
#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

#[path = "../it/figures.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod figures;
#[path = "../ensemble/http.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod http;
#[path = "../ensemble/process.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod process;
#[path = "../ensemble/small.rs"]
mod small;

mod certificates;
mod foreign;
mod full;
mod group;
mod listed;
mod office;
mod older;
mod recover;
mod removal;
mod restore;
mod surface;
mod tokens;
mod told;
mod wiped;
