//! A small client of the Nacos gRPC protocol: one connection, requests, pushes. The command line and tests use it.
//!
//! It speaks to Muster and to Nacos 2.x and 3.x alike. It does not reconnect, keeps no cache and spawns no task:
//! [`connect()`] gives a [`Client`] to ask with and a [`Driver`] that whoever wants pushes (or idles) must run.
//! Start at [`connect()`].
//!
//! ```no_run
//! # async fn run() -> Result<(), muster_client::ClientError> {
//! use muster_client::{Options, connect};
//!
//! let (client, driver, mut pushes) = connect("127.0.0.1:8848", Options::default()).await?;
//! let watch = async {
//!     let info = client.subscribe("DEFAULT_GROUP", "order", "").await?;
//!     println!("{} hosts", info.hosts.len());
//!     while let Some(push) = pushes.recv().await {
//!         println!("{push:?}");
//!     }
//!     Ok(())
//! };
//! tokio::select! { ended = driver.run() => ended, watched = watch => watched }
//! # }
//! ```

mod client;
mod config;
mod connect;
mod driver;
mod error;
mod naming;
mod options;

pub use client::Client;
pub use config::Publish;
pub use connect::connect;
pub use driver::{Driver, Push};
pub use error::ClientError;
pub use options::Options;

pub use muster_nacos_wire::{
    Pairs, Text,
    grpc::{ConfigListenContext, InstanceBody, RequestType, reply},
};
