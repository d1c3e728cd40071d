//! A client of HTTP/1.1 with one request at a time on a connection that stays open.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::{borrow::Cow, net::SocketAddr};
use tokio::{net::TcpStream, task::JoinSet};

/// A connection; dropping it closes the socket.
pub(crate) struct Client {
    sender: SendRequest<Empty<Bytes>>,
    host: HeaderValue,
    _driver: JoinSet<()>,
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Bytes,
}

impl Client {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        socket.set_nodelay(true).context("set TCP_NODELAY")?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await.context("begin HTTP/1.1")?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // How it ends is seen by the calls on it.
            connection.await.ok();
        });
        let host = HeaderValue::from_str(&address.to_string()).context("name the host")?;
        Ok(Self { sender, host, _driver: driver })
    }

    /// Sends a request without a body.
    pub(crate) async fn call(&mut self, method: &Method, path: &str) -> Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.host.clone())
            .body(Empty::new())
            .context("build the request")?;
        self.sender.ready().await.context("wait for the connection")?;
        let response = self.sender.send_request(request).await.context("call")?;
        let status = response.status();
        let body = response.into_body().collect().await.context("read the answer")?.to_bytes();
        Ok(Answer { status, body })
    }
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}
