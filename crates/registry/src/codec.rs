//! The stored form of durable ops.

use crate::{DecodeError, Op};
use bytes::Bytes;

impl Op {
    /// The op's form in the log; `None` if it is not durable.
    pub fn encode(&self) -> Option<Bytes> {
        unimplemented!()
    }

    /// Reads an op from the log.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let _ = bytes;
        unimplemented!()
    }
}
