//! The client against a server of the test's own making, over a real socket.

#![allow(clippy::unwrap_used, reason = "clippy's test exception does not reach helpers of integration tests")]

mod server;
mod session;
