//! This server as an instance in the registries of its peers: real servers show a peer as an *available replica* only if it
//! is registered there, under their own application's name and the host of its URL (`PeerEurekaNodes.isInstanceURL`,
//! `StatusUtil.isReplicaAvailable`).

use super::{EurekaChange, Peers};
use muster_model::{Actor, DataCenter, EurekaInstance, EurekaLease, EurekaPort, EurekaStatus, Metadata};
use muster_node::{EurekaRegistration, EurekaRenewal, EurekaRenewing, NodeError};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How this server registers itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ourselves {
    /// The application that the peers run as, `EUREKA-SERVER` for instance.
    pub app: String,
    /// The host by which the peers' URLs name us.
    pub host: String,
    /// The port by which they do.
    pub port: u16,
}

impl Ourselves {
    fn instance(&self, last_dirty: i64) -> EurekaInstance {
        let Self { app, host, port } = self;
        let vip: Arc<str> = app.to_lowercase().into();
        let text = |text: String| Some(Arc::<str>::from(text));
        EurekaInstance {
            app: app.to_uppercase().into(),
            instance_id: text(format!("{host}:{vip}:{port}")),
            host_name: host.as_str().into(),
            ip_addr: host.as_str().into(),
            sid: None,
            status: EurekaStatus::Up,
            port: EurekaPort { number: i32::from(*port), enabled: true },
            secure_port: EurekaPort { number: 443, enabled: false },
            country_id: 1,
            data_center: DataCenter::MyOwn,
            lease: EurekaLease::default(),
            metadata: Metadata::default(),
            app_group: None,
            home_page_url: text(format!("http://{host}:{port}/")),
            status_page_url: text(format!("http://{host}:{port}/eureka/status")),
            health_check_url: text(format!("http://{host}:{port}/ready")),
            secure_health_check_url: None,
            vip_address: Some(vip.clone()),
            secure_vip_address: Some(vip),
            asg_name: None,
            last_dirty,
        }
    }

    /// Registers, renews until `stop`, and cancels.
    pub(super) async fn stay_registered(&self, peers: &Peers, stop: &CancellationToken) {
        let instance = Arc::new(self.instance(peers.local.node.now().wall.0 as i64));
        let interval = Duration::from_secs(u64::from(instance.lease.renewal_secs));
        let mut done = register(peers, &instance);
        loop {
            if let Err(error) = done {
                tracing::warn!(%error, "this server could not register itself as an Eureka peer");
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(interval) => {}
            }
            done = renew(peers, &instance);
        }
        let (local, id) = (&peers.local, instance.id());
        if let Ok(true) = local.node.eureka_cancel(&local.base, &instance.app, id, Actor::default()) {
            peers.tell(&instance.app, id, EurekaChange::Cancelled);
        }
    }
}

fn register(peers: &Peers, instance: &Arc<EurekaInstance>) -> Result<(), NodeError> {
    let registration = EurekaRegistration {
        instance: instance.clone(),
        overridden: EurekaStatus::Unknown,
        replicated: false,
    };
    peers.local.node.eureka_register(&peers.local.base, registration, Actor::default())?;
    peers.tell(&instance.app, instance.id(), EurekaChange::Registered);
    Ok(())
}

fn renew(peers: &Peers, instance: &Arc<EurekaInstance>) -> Result<(), NodeError> {
    let (local, app, id) = (&peers.local, &instance.app, instance.id());
    let renewing = EurekaRenewing {
        last_dirty: Some(instance.last_dirty),
        overridden: EurekaStatus::Unknown,
        replicated: false,
    };
    match local.node.eureka_renew(&local.base, app, id, renewing, Actor::default())? {
        EurekaRenewal::Renewed => peers.tell(app, id, EurekaChange::Renewed),
        EurekaRenewal::Unknown | EurekaRenewal::Conflict(_) => register(peers, instance)?,
    }
    Ok(())
}
