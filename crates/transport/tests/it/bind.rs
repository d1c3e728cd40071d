//! Opening listeners.

use crate::fixture::{Fixture, exchange, get_request, read};
use muster_transport::{BindError, bind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

#[tokio::test]
async fn a_used_port_is_named() {
    let fixture = Fixture::start();
    let error = bind(&[fixture.address]).unwrap_err();
    assert!(matches!(error, BindError::InUse { address } if address == fixture.address));
    let expected = format!("cannot listen on {}: another process already uses this port", fixture.address);
    assert_eq!(error.to_string(), expected);
    fixture.finish().await;
}

#[tokio::test]
async fn an_address_of_another_machine_is_named() {
    let error = bind(&["192.0.2.1:0".parse().unwrap()]).unwrap_err();
    assert_eq!(error.to_string(), "cannot listen on 192.0.2.1:0: this machine has no such address");
}

#[tokio::test]
async fn all_addresses_or_none() {
    let free = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let first = free[0].address();
    drop(free);
    let fixture = Fixture::start();
    bind(&[first, fixture.address]).unwrap_err();
    // The first one was let go again.
    bind(&[first]).unwrap();
    fixture.finish().await;
}

#[tokio::test]
async fn both_wildcards_share_a_port() {
    let free = bind(&[SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))]).unwrap();
    let port = free[0].address().port();
    drop(free);
    let both: [SocketAddr; 2] = [(Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into()];
    assert_eq!(bind(&both).unwrap().len(), 2);
}

#[tokio::test]
async fn a_restart_gets_its_port_back() {
    let fixture = Fixture::start();
    let address = fixture.address;
    // The server closes first, so its side of the connection stays in TIME_WAIT.
    let request = b"GET /id HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    assert!(exchange(&mut fixture.tcp().await, request).await.ends_with("\r\n\r\n1"));
    fixture.finish().await;
    bind(&[address]).unwrap();
}

#[tokio::test]
async fn each_listener_is_known_to_its_requests() {
    let mut fixture = Fixture::start();
    for listener in 0..2 {
        fixture.address = fixture.transport.addresses()[listener];
        let mut client = fixture.http1().await;
        let (_, info) = read(client.send_request(get_request("/info")).await.unwrap()).await;
        assert!(info.contains(&format!("listener: ListenerIndex({listener})")), "{info}");
        assert!(info.contains(&format!("local: {}", fixture.address)), "{info}");
    }
    fixture.finish().await;
}

#[tokio::test]
async fn what_a_listener_does_not_show_is_not_found_there() {
    let mut fixture = Fixture::start();
    for (listener, status, body) in [(0, 200, "apps"), (1, 404, "")] {
        fixture.address = fixture.transport.addresses()[listener];
        let mut client = fixture.http1().await;
        let answer = read(client.send_request(get_request("/apps")).await.unwrap()).await;
        assert_eq!((answer.0.as_u16(), answer.1.as_str()), (status, body), "listener {listener}");
        let (status, _) = read(client.send_request(get_request("/info")).await.unwrap()).await;
        assert_eq!(status, 200, "what no filter is around is on every listener");
    }
    fixture.finish().await;
}
