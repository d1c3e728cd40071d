//! The rows of the table, one module each kind.

mod beats;
mod change;
mod clustered;
mod config_push;
mod config_search;
mod eureka;
mod http;
mod idle;
mod long_poll;
mod memory;
mod push;
mod sequential;
mod storm;
mod throughput;

use crate::{figures::Figures, server::Server, sizes::Sizes};
use anyhow::Result;
use clap::ValueEnum;
use std::{future::Future, pin::Pin};

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
    /// Renew an Eureka lease.
    EurekaHeartbeat,
    /// Fetch all Eureka instances, packed, while nothing changes.
    EurekaFull,
    /// One change and one packed full fetch, in turn.
    EurekaRepack,
    /// Fetch packed deltas, 50 a second, under 100 changes a second.
    EurekaDelta,
    /// From a registration over Eureka to the full list and the delta.
    EurekaVisible,
    /// From a registration over Eureka to 50 subscribers over Nacos gRPC.
    EurekaToNacos,
    /// 10,000 held long polls; a change wakes 1,000.
    LongPoll,
    /// Search 100,000 configs by parts of names, the first page.
    ConfigSearch,
    /// Three nodes: publish 1 KiB through a follower, 64 clients; CPU of all nodes.
    ClusterPublish,
    /// Three nodes: publish through a follower with one request in flight, against an fdatasync of the same file system.
    ClusterSequential,
    /// Three nodes: from a change at one to 50 subscribers at another.
    ClusterPush,
    /// Three nodes: register spread over them, against one node by itself; CPU of all nodes.
    ClusterRegister,
    /// Three nodes that hold 10,000 instances and do nothing, against one node by itself.
    ClusterIdle,
    /// Three nodes: 100,000 instances whose beats go round about; what the nodes tell one another.
    ClusterBeats,
    /// 200,000 instances are mirrored to a node that joins.
    ClusterMirror,
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
            Self::EurekaHeartbeat => "eureka-heartbeat",
            Self::EurekaFull => "eureka-full",
            Self::EurekaRepack => "eureka-repack",
            Self::EurekaDelta => "eureka-delta",
            Self::EurekaVisible => "eureka-visible",
            Self::EurekaToNacos => "eureka-to-nacos",
            Self::LongPoll => "long-poll",
            Self::ConfigSearch => "config-search",
            Self::ClusterBeats => "cluster-beats",
            Self::ClusterMirror => "cluster-mirror",
            Self::ClusterIdle => "cluster-idle",
            Self::ClusterPush => "cluster-push",
            Self::ClusterRegister => "cluster-register",
            Self::ClusterSequential => "cluster-sequential",
            Self::ClusterPublish => "cluster-publish",
        }
    }

    /// Whether it is measured in several rounds, alternately with the floor.
    pub(crate) fn has_floor(self) -> bool {
        matches!(self, Self::Register | Self::Query10 | Self::Query100 | Self::ConfigQuery | Self::Publish)
            || self.answers_alike()
            || self == Self::EurekaHeartbeat
    }

    /// Whether the floor has to answer what Muster answered, and so comes after it.
    pub(crate) fn answers_alike(self) -> bool {
        matches!(self, Self::HttpQuery | Self::EurekaFull)
    }

    /// Whether Eureka's own server can do it.
    pub(crate) fn is_eureka(self) -> bool {
        matches!(
            self,
            Self::EurekaHeartbeat
                | Self::EurekaFull
                | Self::EurekaRepack
                | Self::EurekaDelta
                | Self::EurekaVisible
        )
    }

    /// Whether r-nacos can do it.
    pub(crate) fn is_nacos(self) -> bool {
        !self.is_eureka() && self != Self::EurekaToNacos && !self.is_cluster()
    }

    /// Whether it starts a cluster of Muster beside the server.
    pub(crate) fn is_cluster(self) -> bool {
        matches!(
            self,
            Self::ClusterPublish
                | Self::ClusterSequential
                | Self::ClusterPush
                | Self::ClusterRegister
                | Self::ClusterIdle
                | Self::ClusterBeats
                | Self::ClusterMirror
        )
    }

    /// Whether the floor, which keeps nothing, can be asked.
    #[cfg(test)]
    pub(crate) fn runs_on_floor(self) -> bool {
        !self.is_cluster()
            && !matches!(
                self,
                Self::EurekaVisible | Self::EurekaToNacos | Self::LongPoll | Self::ConfigSearch
            )
    }
}

/// Runs a row against a server.
pub(crate) async fn run(row: Row, server: &Server, sizes: &Sizes) -> Result<Figures> {
    let mut figures = Figures::new(row.name(), server.name());
    measure(row, server, sizes, &mut figures).await?;
    Ok(figures)
}

type Measuring<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

fn measure<'a>(row: Row, server: &'a Server, sizes: &'a Sizes, figures: &'a mut Figures) -> Measuring<'a> {
    match row {
        Row::Register => Box::pin(throughput::register(server, sizes, figures)),
        Row::Query10 => Box::pin(throughput::query(server, sizes, 10, figures)),
        Row::Query100 => Box::pin(throughput::query(server, sizes, 100, figures)),
        Row::ConfigQuery => Box::pin(throughput::config_query(server, sizes, figures)),
        Row::Publish => Box::pin(throughput::publish(server, sizes, figures)),
        Row::PushQuiet => Box::pin(push::run(server, sizes, 0, figures)),
        Row::PushBusy => Box::pin(push::run(server, sizes, sizes.busy_rate, figures)),
        Row::ConfigPush => Box::pin(config_push::run(server, sizes, figures)),
        Row::PublishSequential => Box::pin(sequential::run(server, sizes, figures)),
        Row::Idle => Box::pin(idle::run(server, sizes, figures)),
        Row::Memory => Box::pin(memory::run(server, sizes, figures)),
        Row::Storm => Box::pin(storm::run(server, sizes, figures)),
        Row::HttpQuery => Box::pin(http::query(server, sizes, figures)),
        Row::HttpConfig => Box::pin(http::config(server, sizes, figures)),
        Row::HttpBeat => Box::pin(http::beat(server, sizes, figures)),
        Row::EurekaHeartbeat => Box::pin(eureka::heartbeat(server, sizes, figures)),
        Row::EurekaFull => Box::pin(eureka::full(server, sizes, figures)),
        Row::EurekaRepack => Box::pin(eureka::repack(server, sizes, figures)),
        Row::EurekaDelta => Box::pin(eureka::delta(server, sizes, figures)),
        Row::EurekaVisible => Box::pin(eureka::visible(server, sizes, figures)),
        Row::EurekaToNacos => Box::pin(eureka::crossing(server, sizes, figures)),
        Row::LongPoll => Box::pin(long_poll::run(server, sizes, figures)),
        Row::ClusterPublish => Box::pin(clustered::publish(server, sizes, figures)),
        Row::ClusterSequential => Box::pin(clustered::sequential(server, sizes, figures)),
        Row::ClusterPush => Box::pin(clustered::push(server, sizes, figures)),
        Row::ClusterRegister => Box::pin(clustered::register(server, sizes, figures)),
        Row::ClusterIdle => Box::pin(clustered::idle(server, sizes, figures)),
        Row::ClusterBeats => Box::pin(beats::run(server, sizes, figures)),
        Row::ClusterMirror => Box::pin(clustered::mirror(server, sizes, figures)),
        Row::ConfigSearch => Box::pin(config_search::run(server, sizes, figures)),
    }
}
