//! Calls over HTTP/1.1 that keep their connections, one caller at a time.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// Nothing was sent: nobody listens.
    Refused,
    /// It may have been carried out.
    Unknown(String),
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether it is a success.
    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) body: Vec<u8>,
}

impl<'a> Ask<'a> {
    /// A request without a body.
    pub(crate) fn plain(method: Method, path: &'a str) -> Self {
        Self { method, path, headers: &[], body: Vec::new() }
    }
}

/// A connection to one node, opened when it is needed.
#[derive(Debug)]
pub(crate) struct Caller {
    address: SocketAddr,
    patience: Duration,
    sender: Option<SendRequest<Full<Bytes>>>,
    driver: JoinSet<()>,
}

impl Caller {
    /// Calls this address and waits so long for each answer.
    pub(crate) fn new(address: SocketAddr, patience: Duration) -> Self {
        Self { address, patience, sender: None, driver: JoinSet::new() }
    }

    /// Sends a request. A connection that the node closed meanwhile is opened again.
    pub(crate) async fn call(&mut self, ask: &Ask<'_>) -> Result<Answer, NoAnswer> {
        let answer = timeout(self.patience, self.exchange(ask)).await;
        let answer = answer.unwrap_or_else(|_| Err(NoAnswer::Unknown("no answer in time".into())));
        if answer.is_err() {
            self.sender = None;
            self.driver.abort_all();
        }
        answer
    }

    /// A GET.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, NoAnswer> {
        self.call(&Ask::plain(Method::GET, path)).await
    }

    async fn exchange(&mut self, ask: &Ask<'_>) -> Result<Answer, NoAnswer> {
        if self.sender.as_mut().is_none_or(|sender| sender.is_closed()) {
            self.sender = Some(self.open().await.map_err(|_| NoAnswer::Refused)?);
        }
        let sender = self.sender.as_mut().unwrap();
        sender.ready().await.map_err(|_| NoAnswer::Refused)?;
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(ask.path)
            .header("host", self.address.to_string());
        for (name, value) in ask.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(ask.body.clone()))).unwrap();
        let unknown = |error: hyper::Error| NoAnswer::Unknown(error.to_string());
        let answer = sender.send_request(request).await.map_err(unknown)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(unknown)?.to_bytes();
        Ok(Answer { status, body })
    }

    async fn open(&mut self) -> io::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        self.driver.abort_all();
        while self.driver.try_join_next().is_some() {}
        // What breaks the connection breaks the answer, too.
        self.driver.spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}

/// A value as it stands in a query.
pub(crate) fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte);
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if is_plain(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}
