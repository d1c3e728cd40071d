//! What an operator may set about connections.

use std::time::Duration;

/// The limits of connections and requests, the same for all listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportSettings {
    /// Open connections over all listeners (32,768). One more is accepted and closed at once, counted and, at
    /// most once in ten seconds, warned about. Keep it below the limit of open files.
    pub connections_max: usize,
    /// Bytes of an HTTP/1 request line with its headers (64 KiB, at least 8 KiB); beyond it the answer is 431.
    /// 1.x clients send heartbeats with all their metadata in the query.
    pub header_bytes_max: usize,
    /// How long a new connection may take to show which protocol it speaks (10 s): the first byte of HTTP/1, or
    /// the whole preface of HTTP/2. Later it is aborted.
    pub preface_timeout: Duration,
    /// How long the head of an HTTP/1 request may take from its first byte to its last (10 s). Later the
    /// connection is aborted: this is what a slow loris does.
    pub header_read_timeout: Duration,
    /// How long an HTTP/1 connection may stay open without a request (75 s), then it is closed.
    pub http1_idle_timeout: Duration,
    /// How long an HTTP/2 connection may stay open without a stream (10 min), then it gets a GOAWAY and is
    /// closed. A Nacos client has a stream open, or asks for its health each 5 s.
    pub http2_idle_timeout: Duration,
    /// How long a request body that is being waited for may make no progress (30 s), then reading it fails.
    /// Not for gRPC, where a stream of requests is quiet for hours; for calls with one message there is
    /// [`limit_body_stall`](crate::limit_body_stall).
    pub body_stall_timeout: Duration,
    /// How long a client may accept no byte of what is being sent to it (60 s), then it is aborted.
    pub write_stall_timeout: Duration,
    /// How often an HTTP/2 connection is asked for a sign of life (25 s).
    pub http2_keepalive_interval: Duration,
    /// How long that sign may take (20 s), then the connection is closed.
    pub http2_keepalive_timeout: Duration,
    /// Streams a client may have open at once on one HTTP/2 connection (256).
    pub http2_streams_max: u32,
    /// Bytes of request bodies in flight on one HTTP/2 connection (2 MiB, 65,535 to 2^31 - 1): more than a
    /// stream's, so that one stream nobody reads does not hold up the others. A window is a promise, not an
    /// allocation: an idle connection pays nothing for it.
    pub http2_connection_window: u32,
    /// Bytes of a request body in flight on one HTTP/2 stream (1 MiB, 65,535 to 2^31 - 1).
    pub http2_stream_window: u32,
    /// Bytes of all headers of one HTTP/2 request as HTTP/2 counts them (16 KiB); beyond it the answer is 431.
    pub http2_header_bytes_max: u32,
    /// Bytes of answers buffered for one HTTP/2 stream (256 KiB); beyond it the handler waits.
    pub http2_send_buffer_max: usize,
    /// HTTP/2 streams a client has opened and reset before we looked at them (64); beyond it the connection
    /// gets a GOAWAY: this is the rapid reset attack.
    pub http2_pending_resets_max: usize,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            connections_max: 32_768,
            header_bytes_max: 64 << 10,
            preface_timeout: Duration::from_secs(10),
            header_read_timeout: Duration::from_secs(10),
            http1_idle_timeout: Duration::from_secs(75),
            http2_idle_timeout: Duration::from_secs(600),
            body_stall_timeout: Duration::from_secs(30),
            write_stall_timeout: Duration::from_secs(60),
            http2_keepalive_interval: Duration::from_secs(25),
            http2_keepalive_timeout: Duration::from_secs(20),
            http2_streams_max: 256,
            http2_connection_window: 2 << 20,
            http2_stream_window: 1 << 20,
            http2_header_bytes_max: 16 << 10,
            http2_send_buffer_max: 256 << 10,
            http2_pending_resets_max: 64,
        }
    }
}

/// A setting that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {reason}")]
pub struct SettingProblem {
    /// The field of [`TransportSettings`].
    pub setting: &'static str,
    /// What is wrong with it, to be read after its name.
    pub reason: &'static str,
}

impl TransportSettings {
    /// Everything that cannot work, in the order of the fields; empty if all is well.
    pub fn problems(&self) -> Vec<SettingProblem> {
        let window = 65_535..=i32::MAX as u32;
        let checks = [
            ("connections_max", self.connections_max > 0, "must not be 0"),
            ("header_bytes_max", self.header_bytes_max >= 8 << 10, "must be at least 8 KiB"),
            ("preface_timeout", !self.preface_timeout.is_zero(), "must not be 0"),
            ("header_read_timeout", !self.header_read_timeout.is_zero(), "must not be 0"),
            ("http1_idle_timeout", !self.http1_idle_timeout.is_zero(), "must not be 0"),
            ("http2_idle_timeout", !self.http2_idle_timeout.is_zero(), "must not be 0"),
            ("body_stall_timeout", !self.body_stall_timeout.is_zero(), "must not be 0"),
            ("write_stall_timeout", !self.write_stall_timeout.is_zero(), "must not be 0"),
            ("http2_keepalive_interval", !self.http2_keepalive_interval.is_zero(), "must not be 0"),
            ("http2_keepalive_timeout", !self.http2_keepalive_timeout.is_zero(), "must not be 0"),
            ("http2_streams_max", self.http2_streams_max > 0, "must not be 0"),
            (
                "http2_connection_window",
                window.contains(&self.http2_connection_window),
                "must be 65,535 to 2,147,483,647 bytes",
            ),
            (
                "http2_stream_window",
                window.contains(&self.http2_stream_window),
                "must be 65,535 to 2,147,483,647 bytes",
            ),
            ("http2_header_bytes_max", self.http2_header_bytes_max >= 4 << 10, "must be at least 4 KiB"),
            (
                "http2_send_buffer_max",
                (16 << 10..=u32::MAX as usize).contains(&self.http2_send_buffer_max),
                "must be 16 KiB to 4 GiB",
            ),
            ("http2_pending_resets_max", self.http2_pending_resets_max > 0, "must not be 0"),
        ];
        checks
            .into_iter()
            .filter(|(_, holds, _)| !holds)
            .map(|(setting, _, reason)| SettingProblem { setting, reason })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_work() {
        assert_eq!(TransportSettings::default().problems(), []);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let settings = TransportSettings {
            connections_max: 0,
            header_bytes_max: 100,
            http2_stream_window: 1 << 31,
            ..TransportSettings::default()
        };
        let names: Vec<_> = settings.problems().iter().map(|problem| problem.setting).collect();
        assert_eq!(names, ["connections_max", "header_bytes_max", "http2_stream_window"]);
    }
}
