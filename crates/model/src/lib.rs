//! The names and values that every part of Muster speaks: keys, instances, configs, revisions, causes,
//! limits and error codes, each with its validation.
//!
//! This crate does no IO, reads no clock and knows no wire format; what is valid here is valid in every
//! protocol. Start at [`ServiceKey`] and [`ConfigKey`], then [`Instance`] and [`Cause`].

mod cause;
mod client;
mod config;
mod error;
mod eureka;
mod hash;
mod host;
mod instance;
mod limits;
mod metadata;
pub mod mutation;
mod name;
mod row;
mod selector;
mod service;
mod slot;
mod switches;
mod time;
mod timing;
mod weight;

pub use cause::{Actor, Cause, Change, Reason};
pub use client::{ClientId, ClusterId, ConnectionId, Epoch, Incarnation, NodeId, Origin};
pub use config::{ConfigKey, ConfigType, Md5};
pub use error::ErrorCode;
pub use eureka::{
    DataCenter, EurekaAction, EurekaInstance, EurekaLease, EurekaPort, EurekaStatus, EurekaTimes,
};
pub use hash::{HashMap, HashSet, HashState, set_hash_seed};
pub use host::Host;
pub use instance::Instance;
pub use limits::Limits;
pub use metadata::Metadata;
pub use name::{ClusterName, DataId, GroupName, NameError, Namespace, ServiceName};
pub use row::{Row, Table};
pub use selector::{LabelSelector, Selector, SelectorError};
pub use service::{Kind, ServiceKey};
pub use slot::{Slot, Slots};
pub use switches::{HealthParams, PushVersions, ServerStatus, SwitchError, Switches};
pub use time::{Monotonic, Now, Revision, Timestamp};
pub use timing::{Timing, TimingError};
pub use weight::Weight;
