//! `/metrics`, for Prometheus: read from the node at each scrape, so that nothing is counted twice.

mod cluster;
mod doctor;
mod mirror;

use crate::AdminState;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use std::fmt;

/// `GET /metrics`.
pub(crate) async fn metrics(State(state): State<AdminState>) -> Response {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot::of(&state)));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "encode metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// All figures as of one moment.
#[derive(Debug)]
struct Snapshot {
    gauges: Vec<(&'static str, &'static str, i64)>,
    counters: Vec<(&'static str, &'static str, u64)>,
    examined: Option<doctor::Examined>,
}

impl Snapshot {
    fn of(state: &AdminState) -> Self {
        let node = &state.node;
        let (registry, watch) = (node.registry_counts(), node.watch_counts());
        let connections = state.connections.statistics();
        let consensus = node.consensus().map(|consensus| consensus.metrics()).unwrap_or_default();
        let (brakes, checkpoint) = (node.brakes_summary(), node.checkpoint_figures());
        let mut gauges = vec![
            ("muster_ready", "1 once everything acknowledged is in memory", i64::from(node.is_ready())),
            ("muster_services", "services, empty ones too", registry.services as i64),
            ("muster_instances", "registered instances", registry.instances as i64),
            ("muster_publishing_clients", "clients that publish something", registry.clients as i64),
            (
                "muster_expiry_brakes_engaged",
                "namespaces and lease kinds in which mass expiry is held",
                brakes.engaged as i64,
            ),
            ("muster_expiry_held_leases", "leases that ran out and are held", brakes.held as i64),
            (
                "muster_checkpoint_publications",
                "ephemeral registrations in the last checkpoint",
                checkpoint.publications as i64,
            ),
            ("muster_checkpoint_bytes", "bytes of the last checkpoint", checkpoint.bytes as i64),
            ("muster_checkpoint_milliseconds", "how long the last one took", checkpoint.took_ms as i64),
            ("muster_configs", "configs", node.config_count() as i64),
            ("muster_connections", "open connections", connections.open as i64),
            ("muster_watchers", "clients that may be pushed to", watch.watchers as i64),
            ("muster_watched_services", "services somebody watches", watch.services as i64),
            ("muster_watched_configs", "configs somebody listens to", watch.configs as i64),
            ("muster_rendered_bytes", "rendered lists held in memory", node.rendered_bytes() as i64),
            ("muster_content_bytes", "config contents held in memory", node.content_bytes() as i64),
            ("muster_log_applied_index", "last applied log entry", consensus.applied as i64),
            ("muster_log_queued_bytes", "durable operations that wait", consensus.queued_bytes as i64),
            (
                "muster_storage_full",
                "1 while durable writes wait for disk space",
                i64::from(consensus.is_full),
            ),
            ("muster_snapshot_index", "last entry the newest snapshot covers", {
                consensus.snapshot.unwrap_or_default() as i64
            }),
        ];
        gauges.extend(cluster::gauges(node));
        gauges.extend(mirror::gauges(node));
        let mut counters = vec![
            ("muster_connections_accepted", "connections accepted", connections.accepted),
            (
                "muster_connections_refused",
                "connections closed because there were too many",
                connections.refused,
            ),
            ("muster_connections_too_slow", "connections closed for want of a request", connections.too_slow),
            ("muster_connections_idle_closed", "connections closed because they were idle", connections.idle),
            ("muster_accept_errors", "errors of accepting connections", connections.accept_errors),
            ("muster_operations_applied", "durable operations applied", consensus.ops),
            ("muster_log_entries_applied", "log entries applied that carried operations", consensus.entries),
            ("muster_operations_overloaded", "durable operations refused, queue full", consensus.overloaded),
            (
                "muster_operations_storage_full",
                "durable operations refused, disk full",
                consensus.storage_full,
            ),
            ("muster_snapshot_failures", "snapshots that failed", consensus.snapshot_failures),
            ("muster_checkpoints_written", "checkpoints written", checkpoint.written),
            ("muster_checkpoint_failures", "checkpoints that failed", checkpoint.failures),
            (
                "muster_restored_registrations",
                "ephemeral registrations restored at the start",
                checkpoint.restored,
            ),
            ("muster_expiry_brake_engagements", "times mass expiry was held", brakes.engagements),
            ("muster_journal_dropped", "flight recorder records dropped", node.history_dropped()),
        ];
        counters.extend(mirror::counters(node));
        Self { gauges, counters, examined: doctor::Examined::of(node) }
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, value) in &self.gauges {
            let gauge = ConstGauge::new(*value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        for (name, help, value) in &self.counters {
            let counter = ConstCounter::new(*value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        match &self.examined {
            Some(examined) => examined.encode(&mut encoder),
            None => Ok(()),
        }
    }
}
