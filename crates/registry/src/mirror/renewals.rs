//! Beats that came to a node that does not own their publication, on their way to the one that does.

use super::{
    MirrorError,
    claim::OURS,
    wire::{self, ClientRef, Reader},
};
use crate::{Beat, Effect, EurekaBase, Registry, brake::LeaseKey, services::ServiceIndex, stored::malformed};
use bytes::Bytes;
use muster_model::{
    Actor, Cause, ClientId, GroupName, HashMap, HashSet, Host, Kind, Namespace, NodeId, Now, Reason,
    ServiceKey, ServiceName,
};

/// Beats that wait for one node at most; beyond it they are answered and forgotten, and the next one counts.
const WAITING_MAX: usize = 262_144;

/// The beats that wait, by node, each client and service once.
#[derive(Debug, Default)]
pub(crate) struct Renewals(HashMap<NodeId, HashSet<LeaseKey>>);

impl Registry {
    /// Notes a beat for what another node owns.
    pub(crate) fn pass_on(&mut self, held: LeaseKey) {
        let node = self.mirror.origins.at(self.owner_of(held.0, held.1)).origin.node;
        let waiting = self.mirror.renewals.0.entry(node).or_default();
        if waiting.len() < WAITING_MAX && waiting.insert(held) {
            self.mirror.figures.passed_on += 1;
        }
    }

    /// Takes out the beats that came here for what a node owns, each client once, at most so many; give them to its
    /// [`Registry::apply_renewals`]. Those of a service are in one piece. None when none waits.
    pub fn renewals(&mut self, node: NodeId, max: usize) -> Vec<Bytes> {
        loop {
            let Some(waiting) = self.mirror.renewals.0.get_mut(&node) else { return Vec::new() };
            let taken: Vec<LeaseKey> = waiting.extract_if(|_| true).take(max).collect();
            if taken.is_empty() {
                return Vec::new();
            }
            let pieces = self.renewal_pieces(node, taken);
            // All of them may have gone meanwhile, and more may wait.
            if !pieces.is_empty() {
                return pieces;
            }
        }
    }

    fn renewal_pieces(&self, node: NodeId, taken: Vec<LeaseKey>) -> Vec<Bytes> {
        let mut by_service: HashMap<ServiceIndex, Vec<LeaseKey>> = HashMap::default();
        for held in taken {
            // It may have gone meanwhile, or be another's.
            let owner = self.owner_of(held.0, held.1);
            if owner != OURS && self.mirror.origins.at(owner).origin.node == node {
                by_service.entry(held.0).or_default().push(held);
            }
        }
        let pieces = by_service.into_iter().filter_map(|(index, all)| {
            let mut piece = vec![wire::RENEW];
            wire::service(&mut piece, &self.services.get(index)?.key);
            for (_, client) in all {
                wire::client(&mut piece, self.mirror.client_ref(&self.clients.get(client).id));
            }
            Some(Bytes::from(piece))
        });
        pieces.collect()
    }

    /// Renews leases for beats that came to other nodes. What is not ours any more is passed over: its client's next
    /// beat finds the way.
    pub fn apply_renewals(
        &mut self,
        renewals: &[Bytes],
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let taken = renewals.iter().try_for_each(|piece| self.apply_renewal(piece, now, effects));
        self.tell_streams(effects);
        taken
    }

    fn apply_renewal(
        &mut self,
        piece: &[u8],
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let mut reader = Reader::new(piece);
        if reader.byte()? != wire::RENEW {
            return Err(malformed("beats of a peer", "an unknown tag").into());
        }
        let name = |error: muster_model::NameError| malformed("beats of a peer", error);
        let service = ServiceKey::new(
            Namespace::new(reader.text()?).map_err(name)?,
            GroupName::new(reader.text()?).map_err(name)?,
            ServiceName::new(reader.text()?).map_err(name)?,
        );
        while !reader.is_at_end() {
            let client = match reader.client()? {
                ClientRef::Address(host, port, Kind::Ephemeral) => {
                    ClientId::Address(Host::new(host).map_err(name)?, port, Kind::Ephemeral)
                }
                ClientRef::Eureka(id) => ClientId::Eureka(id.into()),
                ClientRef::Address(..) | ClientRef::Connection(..) => continue,
            };
            let held = self.services.find(&service).zip(self.clients.find(&client));
            let is_ours = |held: &LeaseKey| self.claim_of(*held).is_some_and(|claim| claim.owner == OURS);
            let Some(held) = held.filter(is_ours) else { continue };
            let cause = Cause { actor: Actor::default(), reason: Reason::BeatReturned };
            match &client {
                ClientId::Eureka(id) => {
                    self.renew_facet(held, cause, now, effects);
                    let facet = self.facet(held.0, id).filter(|facet| !facet.from_peer);
                    if let (Some(facet), true) = (facet, self.mirror.tells_renewals) {
                        let (app, base) = (facet.shown.instance.app.clone(), EurekaBase::of(&service));
                        effects.push(Effect::EurekaRenewed { base, app, id: id.clone() });
                    }
                }
                ClientId::Address(..) | ClientId::Connection(_) => {
                    let beat =
                        Beat { client, origin: self.own_node(), service: service.clone(), full: None, cause };
                    // A beat without an instance is refused for nothing.
                    let _: Result<_, _> = self.beat(beat, now, effects);
                }
            }
        }
        Ok(())
    }
}
