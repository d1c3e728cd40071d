//! An application instance as an Eureka client declares it. What this file keeps is what a reader of the registry can
//! see again; wire spellings belong to the `eureka` crate.

use crate::{Metadata, Timestamp};
use std::sync::Arc;

/// What an Eureka client, or an operator over it, says of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EurekaStatus {
    /// Takes calls.
    #[default]
    Up,
    /// Takes none: its health check failed, or its lease ran out.
    Down,
    /// Takes none yet.
    Starting,
    /// Taken out on purpose.
    OutOfService,
    /// Declared as nothing that is known.
    Unknown,
}

impl EurekaStatus {
    /// Every status, in the alphabetical order of their names, which is that of `apps__hashcode`.
    pub const ALL: [Self; 5] = [Self::Down, Self::OutOfService, Self::Starting, Self::Unknown, Self::Up];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::Down => "DOWN",
            Self::Starting => "STARTING",
            Self::OutOfService => "OUT_OF_SERVICE",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The status of exactly this name; names are upper case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// One of the two ports of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EurekaPort {
    /// The number, as declared.
    pub number: i32,
    /// Whether calls go there.
    pub enabled: bool,
}

/// Where an instance runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum DataCenter {
    /// The operator's own; also every name that Eureka does not know.
    #[default]
    MyOwn,
    /// Netflix's.
    Netflix,
    /// Amazon's, with what its metadata service said of the machine.
    Amazon(Metadata),
}

/// How long a lease lasts without renewal, and how often the client means to renew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EurekaLease {
    /// Seconds between renewals (30).
    pub renewal_secs: u32,
    /// Seconds until the lease is lost (90).
    pub duration_secs: u32,
}

impl Default for EurekaLease {
    fn default() -> Self {
        Self { renewal_secs: 30, duration_secs: 90 }
    }
}

/// An instance as its client declared it. Absent texts are `None` and stay absent when it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct EurekaInstance {
    /// The application, upper case.
    pub app: Arc<str>,
    /// The instance id, if the client gave one.
    pub instance_id: Option<Arc<str>>,
    /// The host name; the id where there is no other.
    pub host_name: Arc<str>,
    /// The address; a name if the client sent one.
    pub ip_addr: Arc<str>,
    /// A tag of old clients.
    pub sid: Option<Arc<str>>,
    /// The status the client declared, before overrides and leases.
    pub status: EurekaStatus,
    /// The plain port.
    pub port: EurekaPort,
    /// The TLS port.
    pub secure_port: EurekaPort,
    /// A country, 1 by default.
    pub country_id: i32,
    /// Where it runs.
    pub data_center: DataCenter,
    /// Its lease.
    pub lease: EurekaLease,
    /// Labels.
    pub metadata: Metadata,
    /// A group of applications.
    pub app_group: Option<Arc<str>>,
    /// Page for people.
    pub home_page_url: Option<Arc<str>>,
    /// Page that shows its state.
    pub status_page_url: Option<Arc<str>>,
    /// Page that tells its health.
    pub health_check_url: Option<Arc<str>>,
    /// The same over TLS.
    pub secure_health_check_url: Option<Arc<str>>,
    /// The names by which clients look it up, separated by commas.
    pub vip_address: Option<Arc<str>>,
    /// The same for TLS.
    pub secure_vip_address: Option<Arc<str>>,
    /// An Amazon scaling group.
    pub asg_name: Option<Arc<str>>,
    /// When the client last changed what it declares, by the client's own clock, milliseconds since 1970. Never compared
    /// with a clock of ours.
    pub last_dirty: i64,
}

impl EurekaInstance {
    /// The id in paths and overrides: the instance id, else the machine's id at Amazon, else the host name.
    pub fn id(&self) -> &Arc<str> {
        self.instance_id.as_ref().unwrap_or(&self.host_name)
    }

    /// The characters of all labels, the machine's among them: the measure that limits speak of.
    pub fn labels_size(&self) -> usize {
        let machine = match &self.data_center {
            DataCenter::Amazon(machine) => machine.size(),
            DataCenter::MyOwn | DataCenter::Netflix => 0,
        };
        self.metadata.size() + machine
    }

    /// The characters of all names, addresses and pages.
    pub fn texts_size(&self) -> usize {
        let optional = [
            &self.instance_id,
            &self.sid,
            &self.app_group,
            &self.home_page_url,
            &self.status_page_url,
            &self.health_check_url,
            &self.secure_health_check_url,
            &self.vip_address,
            &self.secure_vip_address,
            &self.asg_name,
        ];
        let texts = [&self.app, &self.host_name, &self.ip_addr];
        texts.into_iter().chain(optional.into_iter().flatten()).map(|text| text.chars().count()).sum()
    }
}

/// What last happened to an instance, as clients of a delta are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EurekaAction {
    /// It registered, or registered anew.
    Added,
    /// Its status changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// What the server adds to an instance when it shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EurekaTimes {
    /// When the present lease began.
    pub registered: Timestamp,
    /// When it was last renewed. A renewal is no change: in a list this is as of rendering.
    pub renewed: Timestamp,
    /// When it was cancelled; 0 before.
    pub evicted: Timestamp,
    /// When it was first up; 0 if never.
    pub service_up: Timestamp,
    /// When what is shown last changed.
    pub updated: Timestamp,
}
