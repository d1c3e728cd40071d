//! Listeners and connections: binds addresses, accepts TCP connections, serves HTTP/1.1 and HTTP/2 (prior
//! knowledge, so gRPC too) on each of them over one axum `Router`, keeps every connection within its limits and
//! drains all of them at the end.
//!
//! It knows no route, no protocol of Nacos or Eureka and no use case: what those layers need is the
//! [`ConnectionInfo`] in the extensions of each request (with the [`Surfaces`] its listener shows), the [`ConnectionTable`] and the [`ConnectionObserver`].
//!
//! Start at [`bind()`], then [`Transport::start`].
//!
//! **Invariants.** One TCP connection is one [`ConnectionId`](muster_model::ConnectionId), never used again.
//! [`ConnectionObserver::closed`] runs exactly once for each, after everything that served it is dropped. No
//! connection waits for another: each has its own task and there is no lock over an await.

mod accept;
mod bind;
mod body_limit;
mod connection;
pub mod consistency;
mod nofile;
mod outbox;
mod request;
mod serve;
mod settings;
mod socket;
mod stall;
mod surface;
mod sweep;
mod table;
mod transport;

pub use bind::{BindError, Listener, bind};
pub use body_limit::limit_body;
pub use connection::{Connection, ConnectionInfo, ListenerIndex, Protocol};
pub use nofile::{NofileError, NofileLimit, raise_nofile_limit};
pub use settings::{SettingProblem, TransportSettings};
pub use stall::limit_body_stall;
pub use surface::{Surface, SurfaceError, Surfaces, only_on};
pub use table::{ConnectionObserver, ConnectionTable, Statistics};
pub use transport::{Drained, Transport, TransportParts};
