//! What an Eureka client registered, in bytes of our own.

use crate::{
    DecodeError, EurekaShown,
    eureka::{status_of, weight_of},
    stored::{PairMessage, malformed, metadata, pairs},
};
use muster_model::{
    DataCenter, EurekaAction, EurekaInstance, EurekaLease, EurekaPort, EurekaStatus, EurekaTimes, Timestamp,
};
use prost::Message;
use std::sync::Arc;

/// An Eureka registration as a checkpoint keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeptFacet {
    pub(crate) shown: Arc<EurekaShown>,
    /// Whether its lease was ever renewed, which doubles it.
    pub(crate) renewed: bool,
    /// Whether it came from an Eureka peer.
    pub(crate) from_peer: bool,
}

#[derive(Clone, PartialEq, Message)]
struct PortMessage {
    #[prost(sint32, tag = "1")]
    number: i32,
    #[prost(bool, tag = "2")]
    enabled: bool,
}

/// A status is its place in [`EurekaStatus::ALL`].
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FacetMessage {
    #[prost(string, tag = "1")]
    app: String,
    #[prost(string, optional, tag = "2")]
    instance_id: Option<String>,
    #[prost(string, tag = "3")]
    host_name: String,
    #[prost(string, tag = "4")]
    ip_addr: String,
    #[prost(string, optional, tag = "5")]
    sid: Option<String>,
    #[prost(uint32, tag = "6")]
    status: u32,
    #[prost(message, optional, tag = "7")]
    port: Option<PortMessage>,
    #[prost(message, optional, tag = "8")]
    secure_port: Option<PortMessage>,
    #[prost(sint32, tag = "9")]
    country_id: i32,
    /// 0: the operator's own, 1: Netflix's, 2: Amazon's.
    #[prost(uint32, tag = "10")]
    data_center: u32,
    #[prost(message, repeated, tag = "11")]
    amazon: Vec<PairMessage>,
    #[prost(uint32, tag = "12")]
    renewal_secs: u32,
    #[prost(uint32, tag = "13")]
    duration_secs: u32,
    #[prost(message, repeated, tag = "14")]
    metadata: Vec<PairMessage>,
    #[prost(string, optional, tag = "15")]
    app_group: Option<String>,
    #[prost(string, optional, tag = "16")]
    home_page_url: Option<String>,
    #[prost(string, optional, tag = "17")]
    status_page_url: Option<String>,
    #[prost(string, optional, tag = "18")]
    health_check_url: Option<String>,
    #[prost(string, optional, tag = "19")]
    secure_health_check_url: Option<String>,
    #[prost(string, optional, tag = "20")]
    vip_address: Option<String>,
    #[prost(string, optional, tag = "21")]
    secure_vip_address: Option<String>,
    #[prost(string, optional, tag = "22")]
    asg_name: Option<String>,
    #[prost(sint64, tag = "23")]
    last_dirty: i64,
    /// The `lastDirtyTimestamp` that is shown.
    #[prost(sint64, tag = "30")]
    shown_dirty: i64,
    #[prost(uint32, tag = "31")]
    overridden: u32,
    /// 0: added, 1: modified.
    #[prost(uint32, tag = "32")]
    action: u32,
    #[prost(uint64, tag = "33")]
    registered: u64,
    #[prost(uint64, tag = "34")]
    renewed_at: u64,
    #[prost(uint64, tag = "35")]
    service_up: u64,
    #[prost(uint64, tag = "36")]
    updated: u64,
    #[prost(bool, tag = "37")]
    lost: bool,
    #[prost(bool, tag = "38")]
    inherited: bool,
    #[prost(bool, tag = "39")]
    renewed: bool,
    #[prost(bool, tag = "40")]
    from_peer: bool,
}

fn place_of(status: EurekaStatus) -> u32 {
    EurekaStatus::ALL.iter().position(|other| *other == status).unwrap_or_default() as u32
}

fn status(place: u32) -> Result<EurekaStatus, DecodeError> {
    EurekaStatus::ALL.get(place as usize).copied().ok_or_else(|| malformed("status", place))
}

fn text(text: Option<&Arc<str>>) -> Option<String> {
    text.map(ToString::to_string)
}

fn shared(text: Option<&String>) -> Option<Arc<str>> {
    text.map(|text| Arc::from(text.as_str()))
}

fn port(message: Option<&PortMessage>) -> Result<EurekaPort, DecodeError> {
    let PortMessage { number, enabled } = message.ok_or_else(|| malformed("facet", "no port"))?;
    Ok(EurekaPort { number: *number, enabled: *enabled })
}

impl From<&KeptFacet> for FacetMessage {
    fn from(kept: &KeptFacet) -> Self {
        let (shown, instance) = (&kept.shown, &kept.shown.instance);
        let (data_center, amazon) = match &instance.data_center {
            DataCenter::MyOwn => (0, Vec::new()),
            DataCenter::Netflix => (1, Vec::new()),
            DataCenter::Amazon(metadata) => (2, pairs(metadata)),
        };
        let port = |port: EurekaPort| Some(PortMessage { number: port.number, enabled: port.enabled });
        Self {
            app: instance.app.to_string(),
            instance_id: text(instance.instance_id.as_ref()),
            host_name: instance.host_name.to_string(),
            ip_addr: instance.ip_addr.to_string(),
            sid: text(instance.sid.as_ref()),
            status: place_of(instance.status),
            port: port(instance.port),
            secure_port: port(instance.secure_port),
            country_id: instance.country_id,
            data_center,
            amazon,
            renewal_secs: instance.lease.renewal_secs,
            duration_secs: instance.lease.duration_secs,
            metadata: pairs(&instance.metadata),
            app_group: text(instance.app_group.as_ref()),
            home_page_url: text(instance.home_page_url.as_ref()),
            status_page_url: text(instance.status_page_url.as_ref()),
            health_check_url: text(instance.health_check_url.as_ref()),
            secure_health_check_url: text(instance.secure_health_check_url.as_ref()),
            vip_address: text(instance.vip_address.as_ref()),
            secure_vip_address: text(instance.secure_vip_address.as_ref()),
            asg_name: text(instance.asg_name.as_ref()),
            last_dirty: instance.last_dirty,
            shown_dirty: shown.last_dirty,
            overridden: place_of(shown.overridden),
            action: u32::from(shown.action == EurekaAction::Modified),
            registered: shown.times.registered.0,
            renewed_at: shown.times.renewed.0,
            service_up: shown.times.service_up.0,
            updated: shown.times.updated.0,
            lost: shown.lost,
            inherited: shown.inherited,
            renewed: kept.renewed,
            from_peer: kept.from_peer,
        }
    }
}

impl FacetMessage {
    pub(crate) fn read(&self) -> Result<KeptFacet, DecodeError> {
        let instance = Arc::new(self.instance()?);
        let shown = EurekaShown {
            status: status_of(instance.status, self.lost),
            overridden: status(self.overridden)?,
            action: if self.action == 1 { EurekaAction::Modified } else { EurekaAction::Added },
            times: EurekaTimes {
                registered: Timestamp(self.registered),
                renewed: Timestamp(self.renewed_at),
                evicted: Timestamp(0),
                service_up: Timestamp(self.service_up),
                updated: Timestamp(self.updated),
            },
            last_dirty: self.shown_dirty,
            derived: false,
            // It is given one when it is restored.
            stamp: 0,
            lost: self.lost,
            inherited: self.inherited,
            weight: weight_of(&instance),
            instance,
        };
        Ok(KeptFacet { shown: Arc::new(shown), renewed: self.renewed, from_peer: self.from_peer })
    }

    fn instance(&self) -> Result<EurekaInstance, DecodeError> {
        Ok(EurekaInstance {
            app: self.app.as_str().into(),
            instance_id: shared(self.instance_id.as_ref()),
            host_name: self.host_name.as_str().into(),
            ip_addr: self.ip_addr.as_str().into(),
            sid: shared(self.sid.as_ref()),
            status: status(self.status)?,
            port: port(self.port.as_ref())?,
            secure_port: port(self.secure_port.as_ref())?,
            country_id: self.country_id,
            data_center: match self.data_center {
                0 => DataCenter::MyOwn,
                1 => DataCenter::Netflix,
                2 => DataCenter::Amazon(metadata(&self.amazon)),
                other => return Err(malformed("data center", other)),
            },
            lease: EurekaLease { renewal_secs: self.renewal_secs, duration_secs: self.duration_secs },
            metadata: metadata(&self.metadata),
            app_group: shared(self.app_group.as_ref()),
            home_page_url: shared(self.home_page_url.as_ref()),
            status_page_url: shared(self.status_page_url.as_ref()),
            health_check_url: shared(self.health_check_url.as_ref()),
            secure_health_check_url: shared(self.secure_health_check_url.as_ref()),
            vip_address: shared(self.vip_address.as_ref()),
            secure_vip_address: shared(self.secure_vip_address.as_ref()),
            asg_name: shared(self.asg_name.as_ref()),
            last_dirty: self.last_dirty,
        })
    }
}
