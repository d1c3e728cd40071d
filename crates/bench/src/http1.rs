//! A client of HTTP/1.1 with one request at a time on a connection that stays open.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::{borrow::Cow, net::SocketAddr};
use tokio::{net::TcpStream, task::JoinSet};

/// A connection; dropping it closes the socket.
pub(crate) struct Client {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
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
        Ok(Self { address, sender, host, _driver: driver })
    }

    /// Sends a request without a body.
    pub(crate) async fn call(&mut self, method: &Method, path: &str) -> Result<Answer> {
        self.send(&Call::new(method.clone(), path)).await
    }

    /// Sends a request.
    pub(crate) async fn send(&mut self, call: &Call) -> Result<Answer> {
        let mut request = Request::builder()
            .method(&call.method)
            .uri(&*call.path)
            .header(header::HOST, self.host.clone())
            .body(Full::new(call.body.clone()))
            .context("build the request")?;
        for (name, value) in &call.headers {
            request.headers_mut().insert(name, value.clone());
        }
        if self.sender.ready().await.is_err() {
            // Some servers close a connection after so many requests.
            *self = Self::open(self.address).await?;
        }
        let response = self.sender.send_request(request).await.context("call")?;
        let status = response.status();
        let body = response.into_body().collect().await.context("read the answer")?.to_bytes();
        Ok(Answer { status, body })
    }
}

/// A request, made before the clock starts.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Call {
    /// One without headers and body.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Bytes::new() }
    }

    /// Its path and query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// With a header.
    pub(crate) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// With a JSON body.
    pub(crate) fn json(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, "application/json")
    }

    /// With a form as its body.
    pub(crate) fn form(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
    }
}

impl Answer {
    /// The body as it came: packed, if it was asked for so.
    pub(crate) fn bytes(&self) -> Bytes {
        self.body.clone()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}
