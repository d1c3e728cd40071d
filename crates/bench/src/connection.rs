//! One HTTP/2 connection with calls whose bodies are already encoded.

use crate::wire;
use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, Uri, Version, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{net::TcpStream, sync::mpsc, task::JoinSet};

/// What a request sends: one frame, or frames as they come.
pub(crate) enum Outgoing {
    /// A unary call.
    Once(Option<Bytes>),
    /// A stream; it ends when the sender is dropped.
    Stream(mpsc::Receiver<Bytes>),
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Once(frame) => Poll::Ready(frame.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(frames) => {
                frames.poll_recv(context).map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Once(None))
    }
}

/// A handle to the connection; clones share it. It closes when the [`Connection`] is dropped.
#[derive(Clone)]
pub(crate) struct Channel {
    sender: SendRequest<Outgoing>,
    unary: Uri,
    stream: Uri,
}

/// Owns the connection: dropping it closes the socket at once.
pub(crate) struct Connection {
    /// Makes calls.
    pub(crate) channel: Channel,
    /// The tasks of this connection, stopped with it.
    pub(crate) tasks: JoinSet<()>,
}

impl Connection {
    /// Connects for Nacos's calls.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Self::open_for(address, "/Request/request").await
    }

    /// Connects with HTTP/2 prior knowledge; unary calls go to this path.
    pub(crate) async fn open_for(address: SocketAddr, unary: &str) -> Result<Self> {
        let socket = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        socket.set_nodelay(true).context("set TCP_NODELAY")?;
        let (sender, driver) = Builder::new(TokioExecutor::new())
            .handshake(TokioIo::new(socket))
            .await
            .context("begin HTTP/2")?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // How it ends is seen by the calls on it.
            driver.await.ok();
        });
        let uri =
            |path| Uri::builder().scheme("http").authority(address.to_string()).path_and_query(path).build();
        let (unary, stream) = (uri(unary)?, uri("/BiRequestStream/requestBiStream")?);
        Ok(Self { channel: Channel { sender, unary, stream }, tasks })
    }
}

impl Channel {
    /// A unary call; gives the answer still framed.
    pub(crate) async fn call(&mut self, frame: Bytes) -> Result<Bytes> {
        let request = request(self.unary.clone(), Outgoing::Once(Some(frame)));
        let response = self.sender.send_request(request).await.context("call")?;
        collect(response).await
    }

    /// A unary call that must succeed.
    pub(crate) async fn call_ok(&mut self, frame: Bytes) -> Result<Bytes> {
        let answer = self.call(frame).await?;
        ensure!(wire::succeeded(&answer), "the server refused: {}", String::from_utf8_lossy(&answer));
        Ok(answer)
    }

    /// Opens the stream of pushes; gives what the server sends.
    pub(crate) async fn open_stream(&mut self, frames: mpsc::Receiver<Bytes>) -> Result<Incoming> {
        let request = request(self.stream.clone(), Outgoing::Stream(frames));
        let response = self.sender.send_request(request).await.context("open the stream")?;
        ensure!(response.status().is_success(), "the stream was refused: {}", response.status());
        Ok(response.into_body())
    }
}

fn request(uri: Uri, body: Outgoing) -> Request<Outgoing> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    let headers = request.headers_mut();
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    request
}

/// The whole answer and its gRPC status: mostly one piece, which is then not copied.
async fn collect(response: Response<Incoming>) -> Result<Bytes> {
    check_status(response.headers())?;
    let mut body = response.into_body();
    let mut first = Bytes::new();
    let mut all: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        match frame.context("read the answer")?.into_data() {
            Ok(data) if first.is_empty() => first = data,
            Ok(data) => all.get_or_insert_with(|| BytesMut::from(&first[..])).extend_from_slice(&data),
            Err(frame) => check_status(&frame.into_trailers().unwrap_or_default())?,
        }
    }
    let answer = all.map_or(first, BytesMut::freeze);
    if answer.len() < wire::PREFIX {
        bail!("the answer is empty");
    }
    Ok(answer)
}

fn check_status(headers: &http::HeaderMap) -> Result<()> {
    match headers.get("grpc-status") {
        Some(status) if status != "0" => {
            let message = headers.get("grpc-message").map(HeaderValue::to_str);
            bail!("gRPC status {status:?}: {message:?}")
        }
        _ => Ok(()),
    }
}
