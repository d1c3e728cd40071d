//! The Eureka edge from outside: requests in, answers out.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod batch;
mod delta;
mod lists;
mod pages;
mod peers;
mod refusals;
mod registrations;
mod views;
mod world;
