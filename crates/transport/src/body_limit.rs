//! A limit on request bodies.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use http_body::Body as _;
use http_body_util::Limited;

/// Answers requests to these routes whose body is longer than `bytes_max` with 413: at once where the length is
/// announced, else when axum's extractors have read that much (a handler that reads the body itself sees
/// [`http_body_util::LengthLimitError`]). Replaces axum's own limit of 2 MB. Not for gRPC routes, whose
/// messages are limited one by one.
pub fn limit_body(router: Router, bytes_max: usize) -> Router {
    router
        .layer(middleware::from_fn(move |request: Request, next: Next| limited(request, next, bytes_max)))
        .layer(DefaultBodyLimit::disable())
}

async fn limited(request: Request, next: Next, bytes_max: usize) -> Response {
    if request.body().size_hint().lower() > bytes_max as u64 {
        return (StatusCode::PAYLOAD_TOO_LARGE, format!("the body may have {bytes_max} bytes\n"))
            .into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, bytes_max)))).await
}
