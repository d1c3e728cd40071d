//! Whole areas of the original that this server lacks on purpose. Each is answered 501 with the reason, never as if it
//! had been done; the README lists them.

use super::route::{Handler::Lacking, Route};

const fn all(why: &'static str) -> Route {
    Route::any(Route::EVERY_PATH, Lacking(why))
}

/// `/v3/{client,admin,console}/ai`.
pub(crate) const AI: &[Route] = &[all(
    "this server has no registry of MCP servers, agents, prompts or skills: it serves services and configs",
)];
/// `/v3/{admin,console}/core/plugin`.
pub(crate) const PLUGINS: &[Route] = &[all("this server has no plugins: what it does is compiled in")];
/// `/v1/cmdb`.
pub(crate) const CMDB: &[Route] =
    &[all("this server has no CMDB: label selectors are kept and shown, and select nothing")];
/// `/v1/as`.
pub(crate) const ADDRESS_SERVER: &[Route] =
    &[all("this is no address server: give clients the server's address itself")];
/// `/v1/cs/communication`, `/v1/ns/distro`, `/v1/ns/raft`.
pub(crate) const NODES: &[Route] = &[all(
    "this is how nodes of the original talk to each other: no node of another kind can join this server",
)];
