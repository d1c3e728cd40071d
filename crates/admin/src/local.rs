//! Keeping operators' calls to this machine.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use muster_transport::ConnectionInfo;
use std::net::IpAddr;

/// Headers that a proxy adds: what comes through one is not from this machine, wherever the proxy runs.
const FORWARDING: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/// Answers 403 to everything that is not plainly from this machine: connections from others, what a proxy
/// passed on, requests that name another host, as a browser does whose DNS was made to point here, and changes that
/// a page in a browser asks for.
pub(crate) async fn only_this_machine(request: Request, next: Next) -> Response {
    let is_local = request
        .extensions()
        .get::<ConnectionInfo>()
        .is_some_and(|connection| connection.remote.ip().to_canonical().is_loopback());
    if is_local
        && !is_forwarded(request.headers())
        && names_this_machine(&request)
        && !is_sent_by_a_page(&request)
    {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this path is answered to the machine the node runs on only\n")
            .into_response()
    }
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDING.iter().any(|name| headers.contains_key(*name))
}

/// Browsers say from which page a request comes that changes something; there is no page of ours that does.
fn is_sent_by_a_page(request: &Request) -> bool {
    request.method() != Method::GET && request.headers().contains_key(header::ORIGIN)
}

/// Whether the host is an address or `localhost`; HTTP/2 has it in the URI, HTTP/1 in the header. A request that
/// names none is no browser's.
fn names_this_machine(request: &Request) -> bool {
    let named = request.uri().authority().cloned().or_else(|| {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        host.parse::<Authority>().ok()
    });
    match named {
        Some(authority) => {
            let host = authority.host().trim_start_matches('[').trim_end_matches(']');
            host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok()
        }
        None => !request.headers().contains_key(header::HOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request {
        let mut builder = Request::builder().uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_foreign_host_is_not_this_machine() {
        for host in ["127.0.0.1:8848", "localhost", "LOCALHOST:1", "[::1]:8848", "10.0.0.1"] {
            assert!(names_this_machine(&request("/", &[("host", host)])), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8848", "", "a b"] {
            assert!(!names_this_machine(&request("/", &[("host", host)])), "{host}");
        }
        assert!(names_this_machine(&request("/", &[])));
        assert!(!names_this_machine(&request("http://evil.example/", &[("host", "127.0.0.1")])));
    }

    #[test]
    fn a_page_changes_nothing() {
        let mut request = request("/", &[("origin", "http://evil.example")]);
        assert!(!is_sent_by_a_page(&request));
        *request.method_mut() = Method::POST;
        assert!(is_sent_by_a_page(&request));
        request.headers_mut().clear();
        assert!(!is_sent_by_a_page(&request));
    }

    #[test]
    fn what_a_proxy_passes_on_is_forwarded() {
        assert!(is_forwarded(request("/", &[("X-Forwarded-For", "127.0.0.1")]).headers()));
        assert!(!is_forwarded(request("/", &[("accept", "*/*")]).headers()));
    }
}
