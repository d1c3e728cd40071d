//! Requests to one peer: the batch, and its whole registry.

use super::PeerUrl;
use crate::wire::{self, BatchReply, Declared};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::{net::IpAddr, time::Duration};

/// Until a connection stands (`peerNodeConnectTimeoutMs` of Netflix).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Until an answer is complete (`peerNodeReadTimeoutMs` of Netflix).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Until a whole registry is.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections are not used again after this long in idleness: Tomcat, in which real servers run, closes them after 20 s.
const IDLE: Duration = Duration::from_secs(15);

/// More than the answer to a full batch of conflicts with large metadata.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// A registry of 100,000 instances is about 100 MB.
const FETCH_BYTES_MAX: usize = 256 << 20;

/// Why a peer gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Not reached, or cut off: the same may be sent again.
    #[error("not reached: {0}")]
    Network(String),
    /// It has too much to do, or was too slow: the same may be sent again, later.
    #[error("busy: {0}")]
    Busy(String),
    /// It answers, and will answer the same again.
    #[error("refused: {0}")]
    Refused(String),
}

/// A client of one peer, with its connections.
pub(super) struct PeerClient {
    http: Client<HttpConnector, Full<Bytes>>,
    url: PeerUrl,
    identity: String,
}

impl PeerClient {
    /// A client; `own` is the address of ours that peers are told. Connects on the first request.
    pub(super) fn new(url: PeerUrl, own: IpAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Self { http, url, identity: own.to_string() }
    }

    /// Where the peer answers.
    pub(super) fn url(&self) -> &PeerUrl {
        &self.url
    }

    /// Sends a batch; the answers, one an item. `now` is the last change of an instance that tells none.
    pub(super) async fn send(&self, batch: Vec<u8>, now: i64) -> Result<Vec<BatchReply>, Fault> {
        let request = self
            .request(Method::POST, "/peerreplication/batch/")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(batch));
        let body = self.answer(request, ANSWER_TIMEOUT, ANSWER_BYTES_MAX).await?;
        wire::read_batch_replies(&body, now).map_err(|error| Fault::Refused(error.to_string()))
    }

    /// All instances the peer lists.
    pub(super) async fn fetch(&self, now: i64) -> Result<Vec<Declared>, Fault> {
        let request = self.request(Method::GET, "/apps/").body(Full::default());
        let body = self.answer(request, FETCH_TIMEOUT, FETCH_BYTES_MAX).await?;
        wire::read_applications(&body, now)
            .map_err(|_| Fault::Refused("the list of applications does not read".into()))
    }

    /// The headers real servers send each other.
    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(self.url.endpoint(path))
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "Muster-Replication")
            .header("DiscoveryIdentity-Name", "DefaultServer")
            .header("DiscoveryIdentity-Version", "1.0")
            .header("DiscoveryIdentity-Id", &self.identity);
        match self.url.authorization() {
            Some(basic) => request.header(header::AUTHORIZATION, basic),
            None => request,
        }
    }

    async fn answer(
        &self,
        request: Result<Request<Full<Bytes>>, http::Error>,
        within: Duration,
        bytes_max: usize,
    ) -> Result<Bytes, Fault> {
        let request = request.map_err(|error| Fault::Refused(error.to_string()))?;
        let exchange = async {
            let response = self.http.request(request).await.map_err(|error| Fault::Network(chain(&error)))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), bytes_max).collect().await.map_err(|error| {
                let is_long = error.is::<LengthLimitError>();
                if is_long { Fault::Refused(error.to_string()) } else { Fault::Network(error.to_string()) }
            })?;
            judged(status, body.to_bytes())
        };
        tokio::time::timeout(within, exchange)
            .await
            .unwrap_or_else(|_| Err(Fault::Busy(format!("no answer within {within:?}"))))
    }
}

fn judged(status: StatusCode, body: Bytes) -> Result<Bytes, Fault> {
    match status {
        status if status.is_success() => Ok(body),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Err(Fault::Busy(status.to_string()))
        }
        status => Err(Fault::Refused(status.to_string())),
    }
}

/// The error and what caused it: hyper's own text names neither host nor reason.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
