//! The one message of the protocol (`nacos_grpc_service.proto`, which has no package), derived by hand.

use crate::{Pairs, lenient};
use bytes::Bytes;
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap};

/// `Payload`: a type name, headers, and a JSON body.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Payload {
    /// Type, headers and the client's own idea of its address.
    #[prost(message, optional, tag = "2")]
    pub metadata: Option<Metadata>,
    /// The body, UTF-8 JSON in `value`.
    #[prost(message, optional, tag = "3")]
    pub body: Option<Any>,
}

/// `Metadata` of a payload.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Metadata {
    /// The simple class name of the body: the only dispatch key.
    #[prost(string, tag = "3")]
    pub r#type: String,
    /// Request headers; matched without regard to case.
    #[prost(btree_map = "string, string", tag = "7")]
    pub headers: BTreeMap<String, String>,
    /// Declared by the client, unauthenticated: for display and gray rules only.
    #[prost(string, tag = "8")]
    pub client_ip: String,
}

/// `google.protobuf.Any`; the type URL is empty or the type name, never to be relied on.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Any {
    /// Ignored.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The JSON text. Shared, not copied, when a message is decoded.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

/// Why a body can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not JSON, or not of the shape the type wants.
    #[error("malformed body")]
    Malformed,
    /// The JSON value `null`.
    #[error("null body")]
    Null,
}

impl Payload {
    /// A payload of a type and a JSON body.
    pub fn new(kind: &str, body: impl Into<Bytes>) -> Self {
        Self {
            metadata: Some(Metadata { r#type: kind.to_owned(), ..Metadata::default() }),
            body: Some(Any { type_url: String::new(), value: body.into() }),
        }
    }

    /// The type name, "" if there is none.
    pub fn kind(&self) -> &str {
        self.metadata.as_ref().map_or("", |metadata| &metadata.r#type)
    }

    /// The JSON body, empty if there is none.
    pub fn json(&self) -> &[u8] {
        self.body.as_ref().map_or(&[], |body| &body.value)
    }

    /// The address the client says it has; "" if it says none.
    pub fn client_ip(&self) -> &str {
        self.metadata.as_ref().map_or("", |metadata| &metadata.client_ip)
    }

    /// A request header, whatever its case. Metadata wins; the body's `headers` are read only when metadata has no
    /// such header (Python repeats them there, Java sends `{}`).
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let declared = self.metadata.as_ref().and_then(|metadata| {
            metadata
                .headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        });
        if let Some(value) = declared {
            return Some(Cow::Borrowed(value));
        }
        let body: BodyHeaders<'_> = serde_json::from_slice(self.json()).ok()?;
        let (_, value) = body.headers.0.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(Cow::Owned(value.as_str().to_owned()))
    }
}

#[derive(Deserialize)]
struct BodyHeaders<'a> {
    #[serde(borrow, default, deserialize_with = "lenient::or_default")]
    headers: Pairs<'a>,
}

/// Reads a body as one of the request structs of this module. Unknown keys are ignored; texts are borrowed from
/// the body where they hold no escapes.
pub fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BodyError> {
    let body = body.trim_ascii();
    if body.first() != Some(&b'{') {
        return Err(if body == b"null" { BodyError::Null } else { BodyError::Malformed });
    }
    serde_json::from_slice(body).map_err(|_| BodyError::Malformed)
}
