//! The gRPC edge, through real sockets.

mod clients;
mod configs;
mod connections;
mod endings;
mod frames;
mod fuzzy;
mod loader;
mod locks;
mod naming;
mod peer;
mod pushes;
mod server;
