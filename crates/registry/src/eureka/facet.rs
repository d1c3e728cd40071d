//! What Eureka clients registered to one service.

use crate::{EurekaShown, clients::ClientIndex};
use muster_model::{EurekaAction, EurekaInstance, EurekaStatus, EurekaTimes, Timestamp};
use std::{collections::BTreeMap, sync::Arc};

/// The facets of a service by instance id.
pub(crate) type Facets = BTreeMap<Arc<str>, Facet>;

/// What one Eureka client registered, beside its publication.
#[derive(Debug)]
pub(crate) struct Facet {
    pub(crate) client: ClientIndex,
    /// What is shown where no override and no other registration of the address says otherwise.
    pub(crate) shown: Arc<EurekaShown>,
    /// Whether its last change came from an Eureka peer that is no node of ours.
    pub(crate) from_peer: bool,
}

/// The status of an instance by what its client declared and by its lease.
pub(crate) fn status_of(declared: EurekaStatus, lost: bool) -> EurekaStatus {
    if lost && declared == EurekaStatus::Up { EurekaStatus::Down } else { declared }
}

/// Whether an instance that declares a status could take calls: it is healthy in Nacos's sense.
pub(crate) fn takes_calls(declared: EurekaStatus) -> bool {
    matches!(declared, EurekaStatus::Up | EurekaStatus::OutOfService)
}

/// What is shown of a new registration, or of one anew.
pub(crate) fn registered(
    instance: Arc<EurekaInstance>,
    old: Option<&EurekaShown>,
    last_dirty: i64,
    now: Timestamp,
    stamp: u64,
) -> EurekaShown {
    let service_up = old.map_or(Timestamp(0), |old| old.times.service_up);
    let is_first_up = service_up == Timestamp(0) && instance.status == EurekaStatus::Up;
    EurekaShown {
        status: instance.status,
        overridden: EurekaStatus::Unknown,
        action: EurekaAction::Added,
        times: EurekaTimes {
            registered: now,
            renewed: now,
            evicted: Timestamp(0),
            service_up: if is_first_up { now } else { service_up },
            updated: now,
        },
        last_dirty,
        derived: false,
        stamp,
        lost: false,
        inherited: false,
        weight: super::derived::weight_of(&instance),
        instance,
    }
}
