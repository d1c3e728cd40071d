//! Places for rendered bytes on a snapshot.

use bytes::Bytes;
use std::sync::OnceLock;

/// A wire form of the unfiltered view of a service, rendered once a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Slot {
    /// `QueryServiceResponse` of Nacos gRPC.
    NacosGrpcQuery = 0,
    /// `NotifySubscriberRequest` of Nacos gRPC.
    NacosGrpcPush = 1,
    /// `instance/list` of Nacos HTTP v1.
    NacosHttpV1 = 2,
    /// The `hosts` array of Nacos HTTP v3.
    NacosHttpV3 = 3,
}

const COUNT: usize = 4;

/// The slots of one snapshot; they die with it. A slot is filled at most once.
///
/// Most snapshots have one filled, many none: a slot is a pointer to its bytes.
#[derive(Debug, Default)]
pub struct Slots([OnceLock<Box<Bytes>>; COUNT]);

impl Slots {
    /// The bytes of a slot, rendered by whoever asks first.
    pub fn get_or_render(&self, slot: Slot, render: impl FnOnce() -> Bytes) -> Bytes {
        Bytes::clone(self.0[slot as usize].get_or_init(|| Box::new(render())))
    }

    /// Whether a slot is filled.
    pub fn is_rendered(&self, slot: Slot) -> bool {
        self.0[slot as usize].get().is_some()
    }

    /// The bytes held by all slots together.
    pub fn size(&self) -> usize {
        self.0.iter().filter_map(OnceLock::get).map(|bytes| bytes.len()).sum()
    }
}
