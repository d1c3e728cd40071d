//! One check: a connection, and what is said on it.

use super::{HealthChecks, http, mysql};
use muster_registry::Checker;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

/// How long a connection may take, and a MySQL greeting (naming `TcpHealthCheckProcessor.CONNECT_TIMEOUT_MS` and its
/// like).
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long the answer to an HTTP request may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It does what it should.
    Well,
    /// Something is wrong that may pass: several in a row count.
    Doubtful,
    /// It is there no more, or says that it is not well: that counts at once.
    Dead,
}

/// Checks the instance at a host and port; `None` if its name can't be looked up now.
pub(super) async fn probe(
    checks: &HealthChecks,
    checker: &Checker,
    host: &str,
    port: u16,
) -> Option<Finding> {
    let address = match host.parse::<IpAddr>() {
        Ok(address) => (address, port).into(),
        Err(_) => match look_up(checks, host, port).await? {
            Some(address) => address,
            None => return Some(Finding::Doubtful),
        },
    };
    Some(match connect(address).await {
        Ok(stream) => ask(stream, checker, host, port).await,
        Err(finding) => finding,
    })
}

/// The first address of a name; inside: the name has none. Outside: too many are looked up, or the node stops.
async fn look_up(checks: &HealthChecks, host: &str, port: u16) -> Option<Option<SocketAddr>> {
    let permit = checks.lookups.try_acquire().ok()?;
    let found = checks.stopping.run_until_cancelled(lookup_host((host, port))).await?;
    drop(permit);
    Some(found.ok().and_then(|mut addresses| addresses.next()))
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Finding> {
    match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Err(Finding::Dead),
        Ok(Err(_)) | Err(_) => Err(Finding::Doubtful),
    }
}

async fn ask(mut stream: TcpStream, checker: &Checker, host: &str, port: u16) -> Finding {
    // Thousands of checks a minute would else leave as many sockets waiting for a minute each.
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a checked connection lingers");
    }
    match checker {
        Checker::Tcp | Checker::None => Finding::Well,
        Checker::Http { path, headers, expected_status } => {
            let request = http::request(host, port, path, headers);
            match timeout(ANSWER_TIMEOUT, http::status(&mut stream, &request)).await {
                Ok(Ok(status)) => http::judge(status, *expected_status),
                Ok(Err(_)) | Err(_) => Finding::Doubtful,
            }
        }
        Checker::Mysql { user, .. } => match timeout(CONNECT_TIMEOUT, mysql::greeting(&mut stream)).await {
            Ok(Ok(greeted)) => {
                if greeted {
                    drop(timeout(CONNECT_TIMEOUT, mysql::leave(&mut stream, user)).await);
                    Finding::Well
                } else {
                    Finding::Doubtful
                }
            }
            Ok(Err(_)) | Err(_) => Finding::Doubtful,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::JoinSet,
    };

    #[tokio::test]
    async fn a_closed_port_is_dead_and_an_open_one_well() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(connect(address).await.is_ok());
        drop(listener);
        assert_eq!(connect(address).await.err(), Some(Finding::Dead));
    }

    fn checks() -> HealthChecks {
        HealthChecks::new(
            muster_runtime::Rng::seeded(1),
            muster_model::NodeId(1),
            1,
            tokio_util::sync::CancellationToken::new(),
        )
    }

    fn http(expected_status: u16) -> Checker {
        Checker::Http { path: "/health".into(), headers: "X-Check:1".into(), expected_status }
    }

    /// What a check of a server that says this finds; `None`: it says nothing and keeps the connection.
    async fn says(checker: &Checker, answer: Option<&'static str>) -> (Option<Finding>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = [0; 1_024];
            let count = if answer.is_some() { stream.read(&mut heard).await.unwrap_or(0) } else { 0 };
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => std::future::pending().await,
            }
            String::from_utf8_lossy(&heard[..count]).into_owned()
        });
        let finding = probe(&checks(), checker, "127.0.0.1", port).await;
        let heard = if answer.is_some() { server.join_next().await.unwrap().unwrap() } else { String::new() };
        (finding, heard)
    }

    #[tokio::test]
    async fn the_status_decides() {
        for (answer, expected, finding) in [
            ("HTTP/1.1 200 OK\r\n\r\n", 200, Finding::Well),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, Finding::Well),
            ("HTTP/1.1 302 Found\r\nLocation: http://10.255.255.1/\r\n\r\n", 200, Finding::Doubtful),
            ("HTTP/1.1 503 \r\n\r\n", 200, Finding::Doubtful),
            ("HTTP/1.1 500 \r\n\r\n", 200, Finding::Dead),
            ("SSH-2.0-x\r\n", 200, Finding::Doubtful),
            ("", 200, Finding::Doubtful),
        ] {
            let (found, heard) = says(&http(expected), Some(answer)).await;
            assert_eq!(found, Some(finding), "{answer:?}");
            assert!(heard.starts_with("GET /health HTTP/1.1\r\nHost: 127.0.0.1:"), "{heard}");
            assert!(heard.contains("X-Check: 1\r\n"), "{heard}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_doubtful() {
        let mysql = Checker::Mysql { user: "u".into(), password: "p".into(), command: "".into() };
        for checker in [http(200), mysql] {
            assert_eq!(says(&checker, None).await.0, Some(Finding::Doubtful), "{checker:?}");
        }
        assert_eq!(says(&Checker::Tcp, None).await.0, Some(Finding::Well));
    }

    #[tokio::test]
    async fn a_name_is_looked_up_and_one_that_has_no_address_is_doubtful() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(probe(&checks(), &Checker::Tcp, "localhost", port).await, Some(Finding::Well));
        let found = probe(&checks(), &Checker::Tcp, "no-such-host.invalid", port).await;
        assert_eq!(found, Some(Finding::Doubtful));
    }
}
