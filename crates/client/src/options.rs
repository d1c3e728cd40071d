//! What may be chosen for a connection.

use std::{collections::BTreeMap, time::Duration};

/// Choices for one connection. [`Default`] suits a local server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Added to the address's port, because Nacos clients know the main port and gRPC is 1,000 above it. 0: the
    /// address is the gRPC port itself.
    pub port_offset: u16,
    /// Namespace of all requests; "" is the default one.
    pub namespace: String,
    /// Module label: `naming` connections may do everything, others can't register or subscribe.
    pub module: String,
    /// Further labels; those with the prefix `app_` take part in gray rules.
    pub labels: BTreeMap<String, String>,
    /// The address to declare, for beta configs and display.
    pub client_ip: String,
    /// Name and version to introduce itself with.
    pub client_version: String,
    /// Sent with every request as header `accessToken`, if there is one.
    pub access_token: Option<String>,
    /// How long to wait for the connection, and for each answer.
    pub timeout: Duration,
    /// How long to wait for the SetupAck that a negotiating server owes (5 s, as Java).
    pub setup_timeout: Duration,
    /// The largest answer or push taken, bytes.
    pub message_bytes_max: usize,
    /// Pushes that may wait to be received. When the queue is full, a push is dropped unacknowledged, and the server
    /// sends the newest state again.
    pub push_queue: usize,
    /// Idle time after which the driver asks the server for its health (5 s, as all Nacos clients).
    pub health_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port_offset: 1_000,
            namespace: String::new(),
            module: "naming".to_owned(),
            labels: BTreeMap::new(),
            client_ip: String::new(),
            client_version: concat!("Muster-Client:v", env!("CARGO_PKG_VERSION")).to_owned(),
            access_token: None,
            timeout: Duration::from_secs(3),
            setup_timeout: Duration::from_secs(5),
            message_bytes_max: 32 << 20,
            push_queue: 256,
            health_interval: Duration::from_secs(5),
        }
    }
}
