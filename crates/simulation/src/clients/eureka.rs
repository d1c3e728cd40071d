//! A client that registers and renews over Eureka, at whatever node answers.

use super::{Desk, Reply, host, pause, service_named};
use crate::record::{Renewed, now_ms};
use muster_model::{
    Actor, DataCenter, EurekaInstance, EurekaLease, EurekaPort, EurekaStatus, Metadata, ServiceKey,
};
use muster_node::{EurekaRegistration, EurekaRenewal, EurekaRenewing, registry::EurekaBase};
use muster_runtime::Rng;
use std::sync::Arc;

/// Numbers of these clients begin here.
pub(crate) const FIRST: u32 = 60;

/// The application of all of them.
const APP: &str = "EUREKA";

pub(crate) struct Client {
    number: u32,
    desk: Desk,
    rng: Rng,
    node: usize,
    /// From now on it changes nothing any more.
    quiet_from_ms: u64,
    /// Grows with each change, as `lastDirtyTimestamp` does.
    dirty: i64,
}

/// The service of the application.
pub(crate) fn service() -> ServiceKey {
    service_named("eureka")
}

impl Client {
    pub(crate) fn new(number: u32, desk: Desk, rng: Rng, quiet_from_ms: u64) -> Self {
        let node = 1 + number as usize % desk.machines.len();
        Self { number, desk, rng, node, quiet_from_ms, dirty: 1 }
    }

    pub(crate) async fn run(mut self) {
        let mut is_registered = false;
        loop {
            pause(&mut self.rng, 800, 1_200).await;
            let may_change = self.number % 2 == 1 && now_ms() < self.quiet_from_ms;
            if may_change && self.rng.below(10) == 0 {
                is_registered = false;
                self.cancel().await;
            } else if !is_registered || may_change && self.rng.below(10) == 0 {
                self.dirty += 1;
                is_registered = self.register().await;
            } else {
                is_registered = self.renew().await;
            }
            if self.rng.below(20) == 0 {
                self.move_on();
            }
        }
    }

    fn instance(&self) -> Arc<EurekaInstance> {
        let address: Arc<str> = Arc::from(host(self.number).as_str());
        Arc::new(EurekaInstance {
            app: Arc::from(APP),
            instance_id: Some(address.clone()),
            host_name: address.clone(),
            ip_addr: address,
            sid: None,
            status: EurekaStatus::Up,
            port: EurekaPort { number: 80, enabled: true },
            secure_port: EurekaPort { number: 443, enabled: false },
            country_id: 1,
            data_center: DataCenter::MyOwn,
            lease: EurekaLease { renewal_secs: 1, duration_secs: 20 },
            metadata: Metadata::new([("version", self.dirty.to_string())]),
            app_group: None,
            home_page_url: None,
            status_page_url: None,
            health_check_url: None,
            secure_health_check_url: None,
            vip_address: None,
            secure_vip_address: None,
            asg_name: None,
            last_dirty: self.dirty,
        })
    }

    async fn register(&mut self) -> bool {
        let registration = EurekaRegistration {
            instance: self.instance(),
            overridden: EurekaStatus::Unknown,
            replicated: false,
        };
        let reply = self.desk.ask(self.node, move |node| async move {
            node.eureka_register(&EurekaBase::default(), registration, Actor::default()).is_ok()
        });
        let reply = reply.await;
        self.conclude("registers over Eureka", matches!(reply, Reply::Answer(true, _)))
    }

    async fn renew(&mut self) -> bool {
        let (address, dirty) = (host(self.number), self.dirty);
        let reply = self.desk.ask(self.node, move |node| async move {
            let renewing = EurekaRenewing {
                last_dirty: Some(dirty),
                overridden: EurekaStatus::Unknown,
                replicated: false,
            };
            node.eureka_renew(&EurekaBase::default(), APP, address.as_str(), renewing, Actor::default())
        });
        match reply.await {
            Reply::Answer(Ok(EurekaRenewal::Renewed), _) => self.conclude("renews", true),
            // 404: it registers again.
            Reply::Answer(Ok(_), _) => false,
            Reply::Answer(Err(_), _) | Reply::Unreachable | Reply::Lost => {
                self.move_on();
                true
            }
        }
    }

    async fn cancel(&mut self) {
        self.note(true);
        let address = host(self.number);
        let reply = self.desk.ask(self.node, move |node| async move {
            node.eureka_cancel(&EurekaBase::default(), APP, address.as_str(), Actor::default()).is_ok()
        });
        let is_done = matches!(reply.await, Reply::Answer(true, _));
        let (number, node) = (self.number, self.node);
        self.desk.recorder.note(&format_args!("i{number} n{node} cancels: {is_done}"));
    }

    fn conclude(&mut self, what: &str, is_done: bool) -> bool {
        let (number, node) = (self.number, self.node);
        self.desk.recorder.note(&format_args!("i{number} n{node} {what}: {is_done}"));
        if is_done {
            self.note(false);
        } else {
            self.move_on();
        }
        is_done
    }

    fn note(&self, is_leaving: bool) {
        let renewed = Renewed {
            at_ms: now_ms(),
            service: service().name().as_str().to_owned(),
            host: host(self.number).as_str().to_owned(),
            node: self.node,
            is_leaving,
        };
        self.desk.recorder.with(|seen| seen.renewed.push(renewed));
    }

    fn move_on(&mut self) {
        self.node = 1 + self.rng.below(self.desk.machines.len() as u64) as usize;
    }
}
