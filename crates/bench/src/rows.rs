//! The rows of the table, one module each kind.

mod change;
mod config_push;
mod http;
mod idle;
mod memory;
mod push;
mod sequential;
mod storm;
mod throughput;

use crate::{figures::Figures, server::Server, sizes::Sizes};
use anyhow::Result;
use clap::ValueEnum;

/// A row of the table, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// Register over gRPC, the journal's cost included.
    Register,
    /// Query a service of 10 instances.
    #[value(name = "query-10")]
    Query10,
    /// Query a service of 100 instances.
    #[value(name = "query-100")]
    Query100,
    /// Query a config of 1 KiB.
    ConfigQuery,
    /// Publish a config of 1 KiB.
    Publish,
    /// From a change to 50 subscribers, nothing else going on.
    PushQuiet,
    /// From a change to 50 subscribers, with 5,000 registrations a second on other services.
    PushBusy,
    /// From a config change to 50 listeners.
    ConfigPush,
    /// Publish with one request in flight, against an fsync of the same file system.
    PublishSequential,
    /// Memory of the idle server and of an idle gRPC connection.
    Idle,
    /// Memory of an instance: 10,000 services of 10.
    #[value(name = "memory-100k")]
    Memory,
    /// 200 connections × 20 services × batches of 50, then one service churns.
    #[value(name = "storm-200k")]
    Storm,
    /// List a service of 10 instances over HTTP/1.1 (v1).
    HttpQuery,
    /// Read a config of 1 KiB over HTTP/1.1 (v1).
    HttpConfig,
    /// Send a beat over HTTP/1.1 (v1).
    HttpBeat,
}

impl Row {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Query10 => "query-10",
            Self::Query100 => "query-100",
            Self::ConfigQuery => "config-query",
            Self::Publish => "publish",
            Self::PushQuiet => "push-quiet",
            Self::PushBusy => "push-busy",
            Self::ConfigPush => "config-push",
            Self::PublishSequential => "publish-sequential",
            Self::Idle => "idle",
            Self::Memory => "memory-100k",
            Self::Storm => "storm-200k",
            Self::HttpQuery => "http-query",
            Self::HttpConfig => "http-config",
            Self::HttpBeat => "http-beat",
        }
    }

    /// Whether it is measured in several rounds, alternately with the floor.
    pub(crate) fn has_floor(self) -> bool {
        matches!(self, Self::Register | Self::Query10 | Self::Query100 | Self::ConfigQuery | Self::Publish)
    }
}

/// Runs a row against a server.
pub(crate) async fn run(row: Row, server: &Server, sizes: &Sizes) -> Result<Figures> {
    let mut figures = Figures::new(row.name(), server.name());
    match row {
        Row::Register => throughput::register(server, sizes, &mut figures).await?,
        Row::Query10 => throughput::query(server, sizes, 10, &mut figures).await?,
        Row::Query100 => throughput::query(server, sizes, 100, &mut figures).await?,
        Row::ConfigQuery => throughput::config_query(server, sizes, &mut figures).await?,
        Row::Publish => throughput::publish(server, sizes, &mut figures).await?,
        Row::PushQuiet => push::run(server, sizes, 0, &mut figures).await?,
        Row::PushBusy => push::run(server, sizes, sizes.busy_rate, &mut figures).await?,
        Row::ConfigPush => config_push::run(server, sizes, &mut figures).await?,
        Row::PublishSequential => sequential::run(server, sizes, &mut figures).await?,
        Row::Idle => idle::run(server, sizes, &mut figures).await?,
        Row::Memory => memory::run(server, sizes, &mut figures).await?,
        Row::Storm => storm::run(server, sizes, &mut figures).await?,
        Row::HttpQuery => http::query(server, sizes, &mut figures).await?,
        Row::HttpConfig => http::config(server, sizes, &mut figures).await?,
        Row::HttpBeat => http::beat(server, sizes, &mut figures).await?,
    }
    Ok(figures)
}
