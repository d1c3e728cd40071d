//! Answers. One of status 400 and above has no body, but for the two kinds that clients expect one of: a client of before
//! 2022 that finds a page in a 404 never registers again (spring-cloud-netflix#4145).

use crate::{
    route::Endpoint,
    shown::shown,
    wire::{Format, write_instance},
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use muster_model::ErrorCode;
use muster_node::{NodeError, registry::EurekaShown};
use std::sync::Arc;

/// Why a request is not done as asked.
pub(crate) enum Failure {
    /// A status and nothing more.
    Status(StatusCode),
    /// A refused registration: a text, labelled as if it were what the client accepts.
    Refused(String, Format),
    /// A body that does not read, said in its own format.
    Unreadable(Format),
    /// Our copy is newer than the peer's.
    Conflict(Arc<EurekaShown>, Format),
}

impl Failure {
    /// A status and nothing more.
    pub(crate) fn status(status: StatusCode) -> Self {
        Self::Status(status)
    }

    /// What is not here.
    pub(crate) fn unknown() -> Self {
        Self::Status(StatusCode::NOT_FOUND)
    }

    pub(crate) fn into_response(self) -> Response {
        match self {
            Self::Status(code) => status(code),
            Self::Refused(text, format) => body(StatusCode::BAD_REQUEST, format, text.into()),
            Self::Unreadable(Format::Json) => body(
                StatusCode::BAD_REQUEST,
                Format::Json,
                Bytes::from_static(b"{\"error\": \"cannot parse request body\"}"),
            ),
            Self::Unreadable(Format::Xml) => body(
                StatusCode::BAD_REQUEST,
                Format::Xml,
                Bytes::from_static(b"<error><message>cannot parse request body</message></error>"),
            ),
            Self::Conflict(ours, format) => {
                body(StatusCode::CONFLICT, format, write_instance(format, &shown(&ours)).into())
            }
        }
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        Self::Status(code_of(&error))
    }
}

/// The status of an error. One that another server may do better with is 503: clients go on to the next.
pub(crate) fn code_of(error: &NodeError) -> StatusCode {
    match error.code() {
        ErrorCode::ParameterMissing
        | ErrorCode::InvalidParameter
        | ErrorCode::LimitExceeded
        | ErrorCode::QuotaReached => StatusCode::BAD_REQUEST,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::KindClash
        | ErrorCode::AlreadyExists
        | ErrorCode::NotEmpty
        | ErrorCode::Conflict
        | ErrorCode::Disconnected
        | ErrorCode::Unavailable
        | ErrorCode::StorageFull
        | ErrorCode::Timeout
        | ErrorCode::Internal => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A status and nothing more.
pub(crate) fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// 405, with the methods that the endpoint takes.
pub(crate) fn other_methods(endpoint: &Endpoint<'_>) -> Response {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE];
    let allowed: Vec<String> =
        known.iter().filter(|method| endpoint.takes(method)).map(ToString::to_string).collect();
    let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// A body in a format.
pub(crate) fn body(status: StatusCode, format: Format, bytes: Bytes) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(format.content_type());
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
