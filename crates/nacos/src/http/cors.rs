//! Calls from pages of other origins, which the original lets through from anywhere (nacos-http.md 0.7).

use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN, VARY,
    },
};

/// How long a browser may remember a pre-flight, seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("18000");
/// Answers depend on these.
const VARY_BY: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// The answer to a pre-flight, if it is one; no handler sees it.
pub(crate) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response> {
    let origin = headers.get(ORIGIN).filter(|_| method == Method::OPTIONS)?;
    let wanted = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut response = Response::new(Body::empty());
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
    if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    allow(answer, origin);
    Some(response)
}

/// Lets the page of an origin read an answer.
pub(crate) fn allow(answer: &mut HeaderMap, origin: &HeaderValue) {
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    answer.insert(VARY, VARY_BY);
    answer.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("script-src 'self'"));
}
