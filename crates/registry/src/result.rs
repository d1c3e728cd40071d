//! What a durable op came to, as bytes of the replicated state: whoever proposed it may be another node, or ask again
//! later.
//!
//! ```text
//! version: u8 = 1 | kind: u8 | the kind of a service, after a clash: u8
//! ```
//! Names are not repeated: they are in the op. The bytes are equal on every node, so a change of them needs a format
//! level of its own.

use crate::{
    DecodeError, Op, Outcome, RegistryError,
    stored::{kind, malformed},
};
use bytes::Bytes;
use muster_model::{Kind, Namespace, ServiceKey};

const VERSION: u8 = 1;

const DONE: u8 = 0;
const UNCHANGED: u8 = 1;
const KIND_CLASH: u8 = 2;
const NOT_ITS_ADDRESS: u8 = 3;
const SERVICE_EXISTS: u8 = 4;
const SERVICE_UNKNOWN: u8 = 5;
const SERVICE_NOT_EMPTY: u8 = 6;
const NAMESPACE_EXISTS: u8 = 7;
const NAMESPACE_UNKNOWN: u8 = 8;
const OTHER: u8 = 255;

/// What a durable op came to, as bytes.
pub fn encode_result(result: &Result<Outcome, RegistryError>) -> Bytes {
    let bytes: &'static [u8] = match result {
        Ok(Outcome::Done) => &[VERSION, DONE],
        Ok(Outcome::Unchanged) => &[VERSION, UNCHANGED],
        Err(RegistryError::KindClash { kind: Kind::Ephemeral, .. }) => &[VERSION, KIND_CLASH, 0],
        Err(RegistryError::KindClash { kind: Kind::Persistent, .. }) => &[VERSION, KIND_CLASH, 1],
        Err(RegistryError::NotItsAddress) => &[VERSION, NOT_ITS_ADDRESS],
        Err(RegistryError::ServiceExists(_)) => &[VERSION, SERVICE_EXISTS],
        Err(RegistryError::ServiceUnknown(_)) => &[VERSION, SERVICE_UNKNOWN],
        Err(RegistryError::ServiceNotEmpty(_)) => &[VERSION, SERVICE_NOT_EMPTY],
        Err(RegistryError::NamespaceExists(_)) => &[VERSION, NAMESPACE_EXISTS],
        Err(RegistryError::NamespaceUnknown(_)) => &[VERSION, NAMESPACE_UNKNOWN],
        // Outcomes of ephemeral ops, and what `Registry::check` alone looks at.
        Ok(
            Outcome::Renewed { .. }
            | Outcome::Registered { .. }
            | Outcome::UnknownInstance
            | Outcome::Conflict,
        )
        | Err(
            RegistryError::BatchTooLarge { .. }
            | RegistryError::MetadataTooLarge { .. }
            | RegistryError::TooManyPublications { .. }
            | RegistryError::Timing(_)
            | RegistryError::Name(_)
            | RegistryError::InstanceIdTooLong { .. }
            | RegistryError::EurekaTooLarge { .. }
            | RegistryError::TooManyWait { .. }
            | RegistryError::InstanceUnknown(_),
        ) => &[VERSION, OTHER],
    };
    Bytes::from_static(bytes)
}

/// Reads what [`encode_result`] wrote of an op.
pub fn decode_result(bytes: &[u8], op: &Op) -> Result<Result<Outcome, RegistryError>, DecodeError> {
    let what = "result";
    let body = match bytes.split_first() {
        Some((&VERSION, body)) => body,
        Some((&version, _)) => return Err(DecodeError::Version { what, version, known: VERSION }),
        None => return Err(malformed(what, "no bytes")),
    };
    let service = || match named(op) {
        Named::Service(service) => Ok(service.clone()),
        Named::Namespace(_) | Named::Nothing => Err(malformed(what, "the op has no service")),
    };
    let namespace = || match named(op) {
        Named::Namespace(id) => Ok(id.clone()),
        Named::Service(_) | Named::Nothing => Err(malformed(what, "the op has no namespace")),
    };
    Ok(match *body {
        [DONE] => Ok(Outcome::Done),
        [UNCHANGED] => Ok(Outcome::Unchanged),
        [KIND_CLASH, is_persistent @ (0 | 1)] => {
            Err(RegistryError::KindClash { service: service()?, kind: kind(is_persistent == 1) })
        }
        [NOT_ITS_ADDRESS] => Err(RegistryError::NotItsAddress),
        [SERVICE_EXISTS] => Err(RegistryError::ServiceExists(service()?)),
        [SERVICE_UNKNOWN] => Err(RegistryError::ServiceUnknown(service()?)),
        [SERVICE_NOT_EMPTY] => Err(RegistryError::ServiceNotEmpty(service()?)),
        [NAMESPACE_EXISTS] => Err(RegistryError::NamespaceExists(namespace()?)),
        [NAMESPACE_UNKNOWN] => Err(RegistryError::NamespaceUnknown(namespace()?)),
        ref other => return Err(malformed(what, format_args!("{other:?}"))),
    })
}

/// What a durable op names: a service, or a namespace.
enum Named<'a> {
    Service(&'a ServiceKey),
    Namespace(&'a Namespace),
    Nothing,
}

fn named(op: &Op) -> Named<'_> {
    match op {
        Op::Register(register) => Named::Service(&register.service),
        Op::Deregister(deregister) => Named::Service(&deregister.service),
        Op::Override { service, .. }
        | Op::CreateService { service, .. }
        | Op::UpdateService { service, .. }
        | Op::UpdateCluster { service, .. }
        | Op::RemoveService { service } => Named::Service(service),
        Op::CreateNamespace { id, .. } | Op::UpdateNamespace { id, .. } | Op::RemoveNamespace { id } => {
            Named::Namespace(id)
        }
        // Ephemeral ops have no stored result.
        Op::Beat(_)
        | Op::Close(_)
        | Op::SetHealth(_)
        | Op::ReleaseBrake { .. }
        | Op::EurekaRegister(_)
        | Op::EurekaRenew(_)
        | Op::EurekaStatus(_)
        | Op::EurekaCancel(_)
        | Op::EurekaMetadata(_) => Named::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{GroupName, ServiceName};

    fn there_and_back(result: &Result<Outcome, RegistryError>, op: &Op) {
        let bytes = encode_result(result);
        assert!(bytes.len() <= 3, "{bytes:?}");
        assert_eq!(decode_result(&bytes, op).as_ref(), Ok(result));
    }

    #[test]
    fn results_of_services_and_namespaces_come_back() {
        let id = Namespace::new("n").unwrap();
        let service = ServiceKey::new(id.clone(), GroupName::default(), ServiceName::new("s").unwrap());
        let op = Op::RemoveService { service: service.clone() };
        for result in [
            Ok(Outcome::Done),
            Ok(Outcome::Unchanged),
            Err(RegistryError::KindClash { service: service.clone(), kind: Kind::Ephemeral }),
            Err(RegistryError::KindClash { service: service.clone(), kind: Kind::Persistent }),
            Err(RegistryError::NotItsAddress),
            Err(RegistryError::ServiceExists(service.clone())),
            Err(RegistryError::ServiceUnknown(service.clone())),
            Err(RegistryError::ServiceNotEmpty(service)),
        ] {
            there_and_back(&result, &op);
        }
        let op = Op::RemoveNamespace { id: id.clone() };
        there_and_back(&Err(RegistryError::NamespaceExists(id.clone())), &op);
        there_and_back(&Err(RegistryError::NamespaceUnknown(id)), &op);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let op = Op::RemoveNamespace { id: Namespace::new("n").unwrap() };
        assert!(matches!(decode_result(&[2, 0], &op), Err(DecodeError::Version { version: 2, .. })));
        for bytes in [&[][..], &[1], &[1, 9], &[1, 0, 0], &[1, 2, 2], &[1, SERVICE_EXISTS], &[1, OTHER]] {
            assert!(matches!(decode_result(bytes, &op), Err(DecodeError::Malformed { .. })), "{bytes:?}");
        }
    }
}
