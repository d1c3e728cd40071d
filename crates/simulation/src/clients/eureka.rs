//! A client that registers and renews over Eureka, at whatever node answers.

use super::{Desk, Reply, Roamer, host, pause, service_named, version};
use crate::record::now_ms;
use muster_model::{Actor, DataCenter, EurekaInstance, EurekaLease, EurekaPort, EurekaStatus, ServiceKey};
use muster_node::{EurekaRegistration, EurekaRenewal, EurekaRenewing, registry::EurekaBase};
use muster_runtime::Rng;
use std::sync::Arc;

/// Numbers of these clients begin here.
pub(crate) const FIRST: u32 = 60;

/// The application of all of them.
const APP: &str = "EUREKA";

pub(crate) struct Client {
    roamer: Roamer,
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
        Self { roamer: Roamer::new(number, desk, rng), quiet_from_ms, dirty: 1 }
    }

    pub(crate) async fn run(mut self) {
        let mut is_registered = false;
        loop {
            pause(&mut self.roamer.rng, 800, 1_200).await;
            let may_change = self.roamer.number % 2 == 1 && now_ms() < self.quiet_from_ms;
            if may_change && self.roamer.rng.below(10) == 0 {
                is_registered = false;
                self.cancel().await;
            } else if !is_registered || may_change && self.roamer.rng.below(10) == 0 {
                self.dirty += 1;
                is_registered = self.register().await;
            } else {
                is_registered = self.renew().await;
            }
            if self.roamer.rng.below(20) == 0 {
                self.roamer.move_on();
            }
        }
    }

    fn instance(&self) -> Arc<EurekaInstance> {
        let address: Arc<str> = Arc::from(host(self.roamer.number).as_str());
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
            metadata: version(self.dirty),
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
        let reply = self.roamer.desk.ask(self.roamer.node, move |node| async move {
            node.eureka_register(&EurekaBase::default(), registration, Actor::default()).is_ok()
        });
        let reply = reply.await;
        self.conclude("registers over Eureka", matches!(reply, Reply::Answer(true, _)))
    }

    async fn renew(&mut self) -> bool {
        let (address, dirty) = (host(self.roamer.number), self.dirty);
        let reply = self.roamer.desk.ask(self.roamer.node, move |node| async move {
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
                self.roamer.move_on();
                true
            }
        }
    }

    async fn cancel(&mut self) {
        self.roamer.renewed(&service(), true);
        let address = host(self.roamer.number);
        let reply = self.roamer.desk.ask(self.roamer.node, move |node| async move {
            node.eureka_cancel(&EurekaBase::default(), APP, address.as_str(), Actor::default()).is_ok()
        });
        let is_done = matches!(reply.await, Reply::Answer(true, _));
        let (number, node) = (self.roamer.number, self.roamer.node);
        self.roamer.desk.recorder.note(&format_args!("i{number} n{node} cancels: {is_done}"));
    }

    fn conclude(&mut self, what: &str, is_done: bool) -> bool {
        self.roamer.conclude(what, &service(), is_done)
    }
}
