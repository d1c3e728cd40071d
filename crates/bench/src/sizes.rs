//! How much each row does: full as the table wants it, or tiny for the tests.

use bytes::Bytes;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// The sizes of all rows.
#[derive(Clone, Debug)]
pub(crate) struct Sizes {
    /// Connections of the throughput rows.
    pub(crate) connections: usize,
    /// Requests in flight on each of them.
    pub(crate) in_flight: usize,
    /// Load before anything is counted.
    pub(crate) warm_up: Duration,
    /// Load that is counted.
    pub(crate) measure: Duration,
    /// Subscribers or listeners of a change.
    pub(crate) watchers: usize,
    /// Changes pushed.
    pub(crate) changes: u64,
    /// The time from one change to the next.
    pub(crate) change_every: Duration,
    /// Registrations a second on other services in the busy push row.
    pub(crate) busy_rate: u32,
    /// Publishes one after another, and probes of the disk.
    pub(crate) sequential: usize,
    /// Idle connections.
    pub(crate) idle_connections: usize,
    /// How long to wait after a load before memory is read.
    pub(crate) settle: Duration,
    /// Services of the memory row, ten instances each.
    pub(crate) services: u32,
    /// Connections of the storm.
    pub(crate) storm_connections: u32,
    /// Services each of them registers a batch in.
    pub(crate) storm_services: u32,
    /// Instances a batch.
    pub(crate) storm_batch: u32,
    /// Comparisons of a query before and during the churn.
    pub(crate) storm_runs: usize,
    /// Instances that Eureka clients register, ten an application.
    pub(crate) eureka_instances: u32,
    /// Registrations that are waited for at readers and subscribers.
    pub(crate) eureka_changes: u64,
    /// Long polls that wait.
    pub(crate) long_polls: u32,
    /// How many of them a change wakes.
    pub(crate) woken: u32,
    /// Configs that are searched.
    pub(crate) searched: u32,
    /// Instances that live by beats.
    pub(crate) beaten: u32,
    /// Beats a second that are offered.
    pub(crate) beats: u32,
    /// How long they are counted.
    pub(crate) beat_window: Duration,
    /// How long there are none.
    pub(crate) beat_pause: Duration,
    /// What Muster answered, by path, for the floor to answer the same.
    pub(crate) answers: Arc<Mutex<HashMap<String, Bytes>>>,
}

impl Sizes {
    /// As the table wants it.
    pub(crate) fn full() -> Self {
        Self {
            connections: 50,
            in_flight: 4,
            warm_up: Duration::from_secs(1),
            measure: Duration::from_secs(4),
            watchers: 50,
            changes: 1000,
            change_every: Duration::from_millis(50),
            busy_rate: 5000,
            sequential: 1000,
            idle_connections: 1000,
            settle: Duration::from_secs(30),
            services: 10_000,
            storm_connections: 200,
            storm_services: 20,
            storm_batch: 50,
            storm_runs: 5,
            eureka_instances: 1000,
            eureka_changes: 1000,
            long_polls: 10_000,
            woken: 1000,
            searched: 100_000,
            beaten: 100_000,
            beats: 20_000,
            beat_window: Duration::from_secs(15),
            beat_pause: Duration::from_secs(5),
            answers: Arc::default(),
        }
    }

    /// A few milliseconds a row: it works, the figures mean nothing.
    #[cfg(test)]
    pub(crate) fn smoke() -> Self {
        Self {
            connections: 2,
            in_flight: 2,
            warm_up: Duration::from_millis(2),
            measure: Duration::from_millis(30),
            watchers: 2,
            changes: 3,
            change_every: Duration::from_millis(2),
            busy_rate: 500,
            sequential: 3,
            idle_connections: 3,
            settle: Duration::from_millis(1),
            services: 3,
            storm_connections: 2,
            storm_services: 2,
            storm_batch: 2,
            storm_runs: 1,
            eureka_instances: 3,
            eureka_changes: 3,
            long_polls: 3,
            woken: 1,
            searched: 3,
            beaten: 3,
            beats: 100,
            beat_window: Duration::from_millis(1),
            beat_pause: Duration::from_millis(1),
            answers: Arc::default(),
        }
    }
}
