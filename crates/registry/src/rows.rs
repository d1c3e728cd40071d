//! What is durable, as rows: their keys, and taking them in again.
//!
//! A key begins with the service (namespace, NUL, group, NUL, length of the name, name), so that the rows of a
//! service lie together, and ends with what is inside it: for an instance its port and host, for an override
//! its cluster, NUL, port and host, and before them the byte 1, the length of the id and the id if it is of an Eureka
//! instance.

use crate::{
    DecodeError, InstanceKey, NamespaceSpec, Override, Register, Registry,
    services::Explicit,
    stored::{
        self, ExplicitMessage, NamespaceMessage, OverrideMessage, PersistentMessage, malformed, seal, unseal,
    },
};
use bytes::Bytes;
use muster_model::{
    Actor, Cause, ClientId, GroupName, Instance, Kind, Namespace, NodeId, Now, Reason, Row, ServiceKey,
    ServiceName, Table,
};
use std::sync::Arc;

/// Begins what is in the key of an override of an Eureka instance: its id, before the address. No name of a cluster
/// begins so.
const OF_EUREKA: u8 = 1;

fn service_key(service: &ServiceKey) -> Vec<u8> {
    let name = service.name().as_str().as_bytes();
    let size = u16::try_from(name.len()).expect("512 characters are at most 2,048 bytes");
    let mut key = Vec::with_capacity(64 + name.len());
    for part in [service.namespace().as_str(), service.group().as_str()] {
        key.extend_from_slice(part.as_bytes());
        key.push(0);
    }
    key.extend_from_slice(&size.to_be_bytes());
    key.extend_from_slice(name);
    key
}

fn instance_key(service: &ServiceKey, instance: &Instance) -> Bytes {
    let mut key = service_key(service);
    key.extend_from_slice(&instance.port.to_be_bytes());
    key.extend_from_slice(instance.host.as_str().as_bytes());
    key.into()
}

fn override_key(service: &ServiceKey, instance: &InstanceKey) -> Bytes {
    let mut key = service_key(service);
    if let Some(id) = &instance.eureka {
        let size = u16::try_from(id.len()).unwrap_or(u16::MAX);
        key.push(OF_EUREKA);
        key.extend_from_slice(&size.to_be_bytes());
        key.extend_from_slice(&id.as_bytes()[..size.into()]);
    }
    key.extend_from_slice(instance.cluster.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(&instance.port.to_be_bytes());
    key.extend_from_slice(instance.host.as_str().as_bytes());
    key.into()
}

pub(crate) fn put_instance(service: &ServiceKey, origin: NodeId, instance: &Instance) -> Row {
    let value = seal(&PersistentMessage { instance: Some(instance.into()), origin: origin.0 });
    Row { table: Table::Instance, key: instance_key(service, instance), value: Some(value) }
}

pub(crate) fn delete_instance(service: &ServiceKey, instance: &Instance) -> Row {
    Row { table: Table::Instance, key: instance_key(service, instance), value: None }
}

pub(crate) fn put_service(service: &ServiceKey, explicit: &Explicit) -> Row {
    let value = seal(&ExplicitMessage::from(explicit));
    Row { table: Table::Service, key: service_key(service).into(), value: Some(value) }
}

pub(crate) fn delete_service(service: &ServiceKey) -> Row {
    Row { table: Table::Service, key: service_key(service).into(), value: None }
}

pub(crate) fn put_override(service: &ServiceKey, instance: &InstanceKey, over: Option<&Override>) -> Row {
    let value = over.map(|over| seal(&OverrideMessage::from(over)));
    Row { table: Table::Override, key: override_key(service, instance), value }
}

pub(crate) fn put_namespace(id: &Namespace, spec: &NamespaceSpec) -> Row {
    let key = Bytes::copy_from_slice(id.as_str().as_bytes());
    Row { table: Table::Namespace, key, value: Some(seal(&NamespaceMessage::from(spec))) }
}

pub(crate) fn delete_namespace(id: &Namespace) -> Row {
    Row { table: Table::Namespace, key: Bytes::copy_from_slice(id.as_str().as_bytes()), value: None }
}

/// Reads a key from its front.
struct KeyReader<'a>(&'a [u8]);

impl<'a> KeyReader<'a> {
    fn bytes(&mut self, size: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or_else(|| malformed("key", "too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u16, DecodeError> {
        let bytes = self.bytes(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn text(&mut self, size: usize) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(size)?).map_err(|error| malformed("key", error))
    }

    fn text_to_nul(&mut self) -> Result<&'a str, DecodeError> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let text = self.text(end.ok_or_else(|| malformed("key", "no end of a name"))?)?;
        self.bytes(1)?;
        Ok(text)
    }

    fn service(&mut self) -> Result<ServiceKey, DecodeError> {
        let namespace = Namespace::new(self.text_to_nul()?);
        let group = GroupName::new(self.text_to_nul()?);
        let size = self.number()?;
        let name = ServiceName::new(self.text(size.into())?);
        let names = (|| Ok(ServiceKey::new(namespace?, group?, name?)))();
        names.map_err(|error: muster_model::NameError| malformed("key", error))
    }

    fn instance(&mut self) -> Result<InstanceKey, DecodeError> {
        let eureka = match self.0.first() {
            Some(&OF_EUREKA) => {
                self.bytes(1)?;
                let size = self.number()?;
                Some(Arc::from(self.text(size.into())?))
            }
            Some(_) | None => None,
        };
        let cluster = stored::cluster(self.text_to_nul()?)?;
        let port = self.number()?;
        let host = stored::host(self.text(self.0.len())?)?;
        Ok(InstanceKey { cluster, host, port, eureka })
    }
}

impl Registry {
    /// Takes in one row of the tables `Namespace`, `Service`, `Instance` and `Override`, in any order; for a
    /// start. Rows of other tables are ignored.
    pub fn load(&mut self, table: Table, key: &[u8], value: &[u8], now: Now) -> Result<(), DecodeError> {
        let mut reader = KeyReader(key);
        match table {
            Table::Namespace => {
                let id = stored::namespace(reader.text(key.len())?)?;
                self.namespaces.insert(id, unseal::<NamespaceMessage>("namespace", value)?.read());
            }
            Table::Service => {
                let service = reader.service()?;
                let explicit = unseal::<ExplicitMessage>("service", value)?.read()?;
                let index = self.service_or_new(&service, explicit.spec.kind);
                self.make_explicit(index, explicit, now);
            }
            Table::Instance => {
                let service = reader.service()?;
                let message: PersistentMessage = unseal("instance", value)?;
                let instance =
                    message.instance.ok_or_else(|| malformed("instance", "nothing in it"))?.read()?;
                let client = ClientId::Address(instance.host.clone(), instance.port, Kind::Persistent);
                let cause = Cause { actor: Actor::default(), reason: Reason::Restored };
                let instances = vec![instance];
                let register = Register { client, origin: NodeId(message.origin), service, instances, cause };
                // Nobody watches yet, and the row is there.
                self.publish(register, None, now, &mut Vec::new());
            }
            Table::Override => {
                let service = reader.service()?;
                let mut instance = reader.instance()?;
                self.clusters.intern(&mut instance.cluster);
                let over = unseal::<OverrideMessage>("override", value)?.read()?;
                self.lay_over(&service, instance, over);
            }
            Table::Consensus
            | Table::Config
            | Table::ConfigContent
            | Table::ConfigHistory
            | Table::ConfigCapacity
            | Table::Ensemble
            | Table::Lock
            | Table::Meta => {}
        }
        Ok(())
    }
}
