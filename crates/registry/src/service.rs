//! The attributes of services and clusters.

use muster_model::{ClusterName, Kind, Metadata, Selector, ServiceKey};
use std::{collections::BTreeMap, sync::Arc};

/// The share of healthy instances, 0 to 1, at or below which all are shown as healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Threshold(f32);

impl Threshold {
    /// The threshold, if the number is one: `None` for NaN and what is out of range.
    pub fn new(value: f32) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value + 0.0))
    }

    /// The number.
    pub fn get(self) -> f32 {
        self.0
    }
}

/// What an explicit service carries.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSpec {
    /// The kind of its instances.
    pub kind: Kind,
    /// The protection threshold.
    pub protection: Threshold,
    /// Labels.
    pub metadata: Metadata,
    /// How it chooses among its instances for the one who asks.
    pub selector: Selector,
}

/// How persistent instances of a cluster are checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Checker {
    /// A TCP connection is made.
    #[default]
    Tcp,
    /// A GET is sent.
    Http {
        /// The path.
        path: Arc<str>,
        /// Headers, `name:value|name:value`.
        headers: Arc<str>,
        /// The status that means healthy, besides what a checker takes for it (200).
        expected_status: u16,
    },
    /// A login and a query. It is kept and shown; this server does not run it.
    Mysql {
        /// The user.
        user: Arc<str>,
        /// The password.
        password: Arc<str>,
        /// The query.
        command: Arc<str>,
    },
    /// Nothing: health is set by hand.
    None,
}

/// What a cluster carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSpec {
    /// How its persistent instances are checked.
    pub checker: Checker,
    /// The port that is checked, unless each instance's own is (80).
    pub check_port: u16,
    /// Whether each instance's own port is checked (true).
    pub use_instance_port: bool,
    /// Labels.
    pub metadata: Metadata,
}

impl Default for ClusterSpec {
    fn default() -> Self {
        Self { checker: Checker::Tcp, check_port: 80, use_instance_port: true, metadata: Metadata::default() }
    }
}

/// A service as administrators see it; its instances are in [`ServiceParts`](crate::ServiceParts).
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDetails {
    /// The service.
    pub key: ServiceKey,
    /// Its attributes; defaults if it was created implicitly.
    pub spec: ServiceSpec,
    /// Whether it is stored, and stays until it is removed.
    pub explicit: bool,
    /// Attributes of clusters for which some were set.
    pub clusters: BTreeMap<ClusterName, ClusterSpec>,
    /// Publications.
    pub publications: usize,
    /// Instances in all publications; hosts shown may be fewer.
    pub instances: usize,
}
