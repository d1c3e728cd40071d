//! What a client answers to a push.

use super::{BodyError, parse};
use crate::{Text, lenient};
use serde::Deserialize;

/// An acknowledgement on the stream. Match it by connection and request id, whatever its type: Go and Python
/// acknowledge config changes with `NotifySubscriberResponse`. `success` is not heeded: Go says false and means true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ack<'a> {
    /// The id of the push.
    #[serde(borrow)]
    pub request_id: Text<'a>,
    /// 200 is success; absent counts as 200, as in Java.
    #[serde(deserialize_with = "lenient::optional")]
    pub result_code: Option<i64>,
}

impl<'a> Ack<'a> {
    /// Reads the body of a stream message that is not a set-up.
    pub fn parse(body: &'a [u8]) -> Result<Self, BodyError> {
        parse(body)
    }

    /// The request id as the number our pushes carry; `None` if it is none of ours.
    pub fn push_id(&self) -> Option<u64> {
        self.request_id.parse().ok()
    }

    /// Whether the client took the push.
    pub fn is_success(&self) -> bool {
        self.result_code.is_none_or(|code| code == 200)
    }
}
