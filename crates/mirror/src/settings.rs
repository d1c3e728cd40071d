//! What may be set about mirroring.

use std::time::Duration;

/// Settings. `Default` is the one place of the defaults; each must be greater than zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often each end of a link says that it is there (250 ms).
    pub heartbeat: Duration,
    /// A link on which nothing was heard for so long is given up (2 s).
    pub silence: Duration,
    /// Between two attempts to reach a peer (500 ms).
    pub reconnect: Duration,
    /// How long an attempt may take, with everything up to the first frame (3 s); others begin meanwhile.
    pub connect_within: Duration,
    /// A peer that was not heard for so long has lost what it owned (3 s).
    pub peer_silence: Duration,
    /// How long a starting node waits for its peers' publications at most (10 s).
    pub join_wait: Duration,
    /// How often renewals are passed on (500 ms).
    pub renewals: Duration,
    /// The shortest pause between two digests (2 s).
    pub digest_min: Duration,
    /// The longest (5 s).
    pub digest_max: Duration,
    /// After changes were sent, the next ones wait for so long (1 ms), so that many share a frame.
    pub pace: Duration,
    /// About how large frames of operations are (64 KiB).
    pub frame_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(250),
            silence: Duration::from_secs(2),
            reconnect: Duration::from_millis(500),
            connect_within: Duration::from_secs(3),
            peer_silence: Duration::from_secs(3),
            join_wait: Duration::from_secs(10),
            renewals: Duration::from_millis(500),
            digest_min: Duration::from_secs(2),
            digest_max: Duration::from_secs(5),
            pace: Duration::from_millis(1),
            frame_bytes: 64 << 10,
        }
    }
}
