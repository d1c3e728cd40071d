//! Numbers and sizes.

use crate::fixture::{Fixture, exchange, get_request, read, soon, until_closed};
use axum::body::{Body, Bytes};
use http::{Request, StatusCode};
use muster_transport::TransportSettings;

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once() {
    let mut fixture = Fixture::with(TransportSettings { connections_max: 2, ..TransportSettings::default() });
    let mut first = fixture.http1().await;
    let mut second = fixture.http2().await;
    read(first.send_request(get_request("/id")).await.unwrap()).await;
    read(second.send_request(get_request("/id")).await.unwrap()).await;
    assert_eq!(until_closed(&mut fixture.tcp().await).await, "");
    let statistics = fixture.table.statistics();
    assert_eq!((statistics.open, statistics.accepted, statistics.refused), (2, 2, 1));
    // The others are not touched, and a place that gets free can be taken.
    read(second.send_request(get_request("/id")).await.unwrap()).await;
    drop(first);
    fixture.closed(1).await;
    let mut third = fixture.http1().await;
    assert_eq!(read(third.send_request(get_request("/id")).await.unwrap()).await.1, "3");
    fixture.finish().await;
}

#[tokio::test]
async fn a_long_head_is_refused() {
    let fixture =
        Fixture::with(TransportSettings { header_bytes_max: 8 << 10, ..TransportSettings::default() });
    let head = |bytes: usize| {
        format!(
            "GET /id HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX-Filler: {}\r\n\r\n",
            "x".repeat(bytes)
        )
    };
    let answer = exchange(&mut fixture.tcp().await, head(7 << 10).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = exchange(&mut fixture.tcp().await, head(9 << 10).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    fixture.finish().await;
}

#[tokio::test]
async fn a_long_http2_head_costs_one_stream() {
    let fixture = Fixture::start();
    let mut client = fixture.http2().await;
    let mut request = get_request("/id");
    for index in 0..20 {
        let name = http::HeaderName::from_bytes(format!("x-filler-{index}").as_bytes()).unwrap();
        request.headers_mut().insert(name, "x".repeat(1000).parse().unwrap());
    }
    // Either side may refuse it: the limit is announced.
    if let Ok(response) = soon(client.send_request(request)).await {
        assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    assert_eq!(read(client.send_request(get_request("/id")).await.unwrap()).await.1, "1");
    fixture.finish().await;
}

#[tokio::test]
async fn a_long_body_is_refused() {
    let fixture = Fixture::start();
    let mut client = fixture.http2().await;
    let post = |body: Body| Request::post("http://test/small").body(body).unwrap();
    let chunks = |count: usize| {
        let chunks = (0..count).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 100])));
        Body::from_stream(futures_util::stream::iter(chunks))
    };
    let cases = [
        ("announced", Body::from(vec![b'x'; 1001]), StatusCode::PAYLOAD_TOO_LARGE),
        ("announced, just fits", Body::from(vec![b'x'; 1000]), StatusCode::OK),
        ("not announced", chunks(11), StatusCode::PAYLOAD_TOO_LARGE),
        ("not announced, just fits", chunks(10), StatusCode::OK),
    ];
    for (what, body, expected) in cases {
        let (status, _) = read(soon(client.send_request(post(body))).await.unwrap()).await;
        assert_eq!(status, expected, "{what}");
    }
    // Routes without the limit are not touched by it, nor by axum's.
    let request = Request::post("http://test/quiet").body(Body::from(vec![b'x'; 3 << 20])).unwrap();
    assert_eq!(read(client.send_request(request).await.unwrap()).await.1.len(), 3 << 20);
    fixture.finish().await;
}
