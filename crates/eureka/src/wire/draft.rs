//! An instance as a body spells it, before it is known to be one.

use muster_model::{DataCenter, EurekaInstance, EurekaLease, EurekaPort, EurekaStatus, Metadata};
use std::sync::Arc;

/// The number of a port that a client does not tell (`InstanceInfo.DEFAULT_PORT`).
const PORT: EurekaPort = EurekaPort { number: 7001, enabled: true };
/// The same of the TLS port (`InstanceInfo.DEFAULT_SECURE_PORT`).
const SECURE_PORT: EurekaPort = EurekaPort { number: 7002, enabled: false };

/// An instance, and what came with it that is not part of what the client declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// What is declared.
    pub instance: EurekaInstance,
    /// An override that the sender knows of; never `UNKNOWN`.
    pub overridden: Option<EurekaStatus>,
}

/// Why a registration is refused; the text is the answer's body (recorded: `required-fields`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither an instance id nor a host name.
    #[error("Missing instanceId")]
    InstanceId,
    /// No host name.
    #[error("Missing hostname")]
    HostName,
    /// No address.
    #[error("Missing ip address")]
    IpAddr,
    /// No application.
    #[error("Missing appName")]
    App,
    /// Another application than that of the path.
    #[error("Mismatched appName, expecting {expected} but was {found}")]
    OtherApp {
        /// That of the path, upper case.
        expected: String,
        /// That of the body, upper case.
        found: String,
    },
    /// No data center.
    #[error("Missing dataCenterInfo")]
    DataCenter,
    /// A data center without a name.
    #[error("Missing dataCenterInfo Name")]
    DataCenterName,
}

/// A port as it is spelt: both parts may be absent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PortDraft {
    pub(super) number: Option<i32>,
    pub(super) enabled: Option<bool>,
}

impl PortDraft {
    fn or(self, default: EurekaPort) -> EurekaPort {
        EurekaPort {
            number: self.number.unwrap_or(default.number),
            enabled: self.enabled.unwrap_or(default.enabled),
        }
    }
}

/// A data center as it is spelt.
#[derive(Debug, Default)]
pub(super) struct DataCenterDraft {
    pub(super) name: Option<String>,
    pub(super) metadata: Vec<(String, String)>,
}

/// What a body says. Absent and null members are `None`.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) instance_id: Option<String>,
    pub(super) host_name: Option<String>,
    pub(super) app: Option<String>,
    pub(super) ip_addr: Option<String>,
    pub(super) sid: Option<String>,
    pub(super) status: Option<String>,
    pub(super) overridden: Option<String>,
    pub(super) port: PortDraft,
    pub(super) secure_port: PortDraft,
    pub(super) country_id: Option<i32>,
    pub(super) data_center: Option<DataCenterDraft>,
    pub(super) renewal_secs: Option<i64>,
    pub(super) duration_secs: Option<i64>,
    pub(super) metadata: Vec<(String, String)>,
    pub(super) app_group: Option<String>,
    pub(super) home_page_url: Option<String>,
    pub(super) status_page_url: Option<String>,
    pub(super) health_check_url: Option<String>,
    pub(super) secure_health_check_url: Option<String>,
    pub(super) vip_address: Option<String>,
    pub(super) secure_vip_address: Option<String>,
    pub(super) asg_name: Option<String>,
    pub(super) last_dirty: Option<i64>,
}

impl Draft {
    /// The text member of a name, in either format's spelling.
    pub(super) fn text_member(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "instanceId" => &mut self.instance_id,
            "hostName" => &mut self.host_name,
            "app" => &mut self.app,
            "ipAddr" => &mut self.ip_addr,
            "sid" => &mut self.sid,
            "status" => &mut self.status,
            "overriddenStatus" | "overriddenstatus" => &mut self.overridden,
            "appGroupName" => &mut self.app_group,
            "homePageUrl" => &mut self.home_page_url,
            "statusPageUrl" => &mut self.status_page_url,
            "healthCheckUrl" => &mut self.health_check_url,
            "secureHealthCheckUrl" => &mut self.secure_health_check_url,
            "vipAddress" => &mut self.vip_address,
            "secureVipAddress" => &mut self.secure_vip_address,
            "asgName" => &mut self.asg_name,
            _ => return None,
        })
    }

    /// As [`Body::declare`](super::Body::declare).
    pub(super) fn declare(self, app: &str, now: i64) -> Result<Declared, Refusal> {
        let data_center = self.data_center.map(DataCenterDraft::named);
        let machine = match &data_center {
            Some(Ok(DataCenter::Amazon(machine))) => machine.get("instance-id").map(str::to_owned),
            Some(Ok(DataCenter::MyOwn | DataCenter::Netflix) | Err(_)) | None => None,
        };
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        let instance_id = self.instance_id.filter(|id| !id.is_empty()).or(machine);
        if !given(&instance_id) && !given(&self.host_name) {
            return Err(Refusal::InstanceId);
        }
        let host_name = self.host_name.filter(|name| !name.trim().is_empty()).ok_or(Refusal::HostName)?;
        let ip_addr = self.ip_addr.filter(|ip| !ip.trim().is_empty()).ok_or(Refusal::IpAddr)?;
        let found = self.app.filter(|app| !app.trim().is_empty()).ok_or(Refusal::App)?.to_uppercase();
        let expected = app.to_uppercase();
        if expected != found {
            return Err(Refusal::OtherApp { expected, found });
        }
        let data_center = data_center.ok_or(Refusal::DataCenter)??;
        let id: Option<Arc<str>> = instance_id.map(Arc::from);
        let data_center = identified(data_center, id.as_deref().unwrap_or(&host_name));
        let shared = |text: Option<String>| text.map(Arc::<str>::from);
        let instance = EurekaInstance {
            app: Arc::from(found),
            instance_id: id,
            host_name: Arc::from(host_name),
            ip_addr: Arc::from(ip_addr),
            sid: shared(self.sid.filter(|sid| sid != "na" && sid != "unknown")),
            status: self.status.as_deref().map_or(EurekaStatus::Up, status),
            port: self.port.or(PORT),
            secure_port: self.secure_port.or(SECURE_PORT),
            country_id: self.country_id.unwrap_or(1),
            data_center,
            lease: lease(self.renewal_secs, self.duration_secs),
            metadata: Metadata::new(self.metadata),
            app_group: shared(self.app_group),
            home_page_url: shared(self.home_page_url),
            status_page_url: shared(self.status_page_url),
            health_check_url: shared(self.health_check_url),
            secure_health_check_url: shared(self.secure_health_check_url),
            vip_address: shared(self.vip_address),
            secure_vip_address: shared(self.secure_vip_address),
            asg_name: shared(self.asg_name),
            last_dirty: self.last_dirty.unwrap_or(now),
        };
        let overridden =
            self.overridden.as_deref().map(status).filter(|status| *status != EurekaStatus::Unknown);
        Ok(Declared { instance, overridden })
    }
}

impl DataCenterDraft {
    /// A name that Eureka does not know is taken as the operator's own.
    fn named(self) -> Result<DataCenter, Refusal> {
        match self.name.as_deref() {
            None | Some("") => Err(Refusal::DataCenterName),
            Some("Amazon") => Ok(DataCenter::Amazon(Metadata::new(self.metadata))),
            Some("Netflix") => Ok(DataCenter::Netflix),
            Some(_) => Ok(DataCenter::MyOwn),
        }
    }
}

/// An Amazon machine without an id of its own is known by that of the instance (`ApplicationResource.addInstance`).
fn identified(data_center: DataCenter, id: &str) -> DataCenter {
    match data_center {
        DataCenter::Amazon(machine) if machine.get("instance-id").is_none() => {
            DataCenter::Amazon(machine.overlaid(&Metadata::new([("instance-id", id)])))
        }
        DataCenter::Amazon(_) | DataCenter::MyOwn | DataCenter::Netflix => data_center,
    }
}

/// A status; every text that is none of the five names is `UNKNOWN`.
pub(super) fn status(name: &str) -> EurekaStatus {
    EurekaStatus::from_name(name).unwrap_or(EurekaStatus::Unknown)
}

/// Times that are absent, zero or negative are the defaults.
fn lease(renewal: Option<i64>, duration: Option<i64>) -> EurekaLease {
    let default = EurekaLease::default();
    let or = |secs: Option<i64>, default: u32| match secs {
        Some(secs) if secs > 0 => u32::try_from(secs).unwrap_or(u32::MAX).min(i32::MAX as u32),
        Some(_) | None => default,
    };
    EurekaLease {
        renewal_secs: or(renewal, default.renewal_secs),
        duration_secs: or(duration, default.duration_secs),
    }
}

/// A number in a text; 0 if it is none, as Jackson's `getValueAsInt` has it.
pub(super) fn number(text: &str) -> i64 {
    let text = text.trim();
    text.parse().unwrap_or_else(|_| text.parse::<f64>().map_or(0, |number| number as i64))
}

/// A number that is held in 32 bits; 0 if it does not fit.
pub(super) fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(0)
}
