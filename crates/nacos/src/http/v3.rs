//! The third generation: what clients call, administration, and the console.

pub(crate) mod admin;
pub(crate) mod auth;
pub(crate) mod client;
pub(crate) mod console;
pub(crate) mod cs;
mod namespaces;

use super::reply::{Reply, done};
use muster_nacos_wire::http::{result, write_json};

/// `{"code":0,"message":"success","data":null}`.
fn nothing() -> Reply {
    result(|out| write_json(out, &None::<&str>)).into()
}
