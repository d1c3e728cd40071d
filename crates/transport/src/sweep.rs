//! Ending connections that are too slow or idle. One look at all of them each second instead of a timer in each:
//! a time-out may come up to a second late, and an idle connection costs nothing.

use crate::{Connection, Protocol, TransportSettings, connection::Order, serve::Server};
use muster_model::Monotonic;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// What is wrong with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    TooSlow,
    Idle,
}

/// Sweeps until told to stop.
pub(crate) async fn run(server: Arc<Server>, stop: CancellationToken) {
    let mut interval = tokio::time::interval(interval(&server.settings));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        let now = server.clock.now().mono;
        for connection in server.table.all() {
            match judge(&connection, &server.settings, now) {
                Verdict::Fine => {}
                Verdict::TooSlow => {
                    server.table.too_slow.fetch_add(1, Ordering::Relaxed);
                    connection.close();
                }
                Verdict::Idle => {
                    server.table.idle.fetch_add(1, Ordering::Relaxed);
                    connection.retire();
                }
            }
        }
    }
}

/// A second, or less where a time-out is short.
fn interval(settings: &TransportSettings) -> Duration {
    let shortest = settings
        .preface_timeout
        .min(settings.header_read_timeout)
        .min(settings.http1_idle_timeout)
        .min(settings.http2_idle_timeout);
    (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
}

fn judge(connection: &Connection, settings: &TransportSettings, now: Monotonic) -> Verdict {
    let longer_than = |since: Monotonic, limit: Duration| u128::from(now.since(since)) > limit.as_millis();
    if connection.current_order() == Order::Abort || connection.requests() > 0 {
        return Verdict::Fine;
    }
    let is_slow = match connection.protocol() {
        Protocol::Unknown => longer_than(connection.opened_mono(), settings.preface_timeout),
        Protocol::Http1 => {
            connection.head_since().is_some_and(|since| longer_than(since, settings.header_read_timeout))
        }
        Protocol::Http2 => false,
    };
    let idle_timeout = match connection.protocol() {
        Protocol::Unknown | Protocol::Http1 => settings.http1_idle_timeout,
        Protocol::Http2 => settings.http2_idle_timeout,
    };
    let is_idle = longer_than(connection.last_active(), idle_timeout);
    match (is_slow, is_idle && connection.current_order() == Order::Serve) {
        (true, _) => Verdict::TooSlow,
        (false, true) => Verdict::Idle,
        (false, false) => Verdict::Fine,
    }
}
