//! Beats.

use crate::http::{Http, call::Call, naming::address_of, reply::Reply, trouble::Trouble};
use muster_model::Host;
use muster_nacos_wire::http::{Beat, beat_answer};
use muster_node::registry::Outcome;

/// How often a client beats that nobody knows.
const INTERVAL_MS: u64 = 5_000;

impl Http {
    /// A full beat registers an instance that is not known, a light one asks its client to.
    pub(super) fn beat(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let beat = Beat::parse(call.parameters.get("beat").unwrap_or_default())?;
        let full = beat.map(|beat| beat.to_instance(self.metadata_chars_max())).transpose()?;
        let address: Option<(Host, u16)> = match &full {
            Some(instance) => Some((instance.host.clone(), instance.port)),
            // Without an address it is the beat of an instance that nobody knows.
            None => address_of(&call.parameters).ok(),
        };
        let Some(address) = address else { return Ok(beat_answer(INTERVAL_MS, false).into()) };
        let outcome = self.node.beat(address, service, full, call.actor())?;
        Ok(match outcome {
            Outcome::Renewed { interval_ms } | Outcome::Registered { interval_ms } => {
                beat_answer(interval_ms, true)
            }
            Outcome::UnknownInstance | Outcome::Done | Outcome::Unchanged | Outcome::Conflict => {
                beat_answer(INTERVAL_MS, false)
            }
        }
        .into())
    }
}
