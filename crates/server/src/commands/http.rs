//! Muster's own HTTP API, as commands ask it.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Method, Request, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use muster_runtime::Tasks;
use tokio::net::TcpStream;

/// Sends a GET and gives the body of a 200; another status is an error with the text the node gave.
pub(crate) async fn get(server: &str, path: &str) -> anyhow::Result<Incoming> {
    send(server, Method::GET, path).await
}

/// As [`get`], by a POST without a body.
pub(crate) async fn post(server: &str, path: &str) -> anyhow::Result<Incoming> {
    send(server, Method::POST, path).await
}

async fn send(server: &str, method: Method, path: &str) -> anyhow::Result<Incoming> {
    let stream = TcpStream::connect(server).await.with_context(|| format!("no node answers at {server}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // What breaks the connection breaks the answer or its body, too, and is told there.
    Tasks::new().spawn("http connection", async move { drop(connection.await) });
    let request =
        Request::builder().method(method).uri(path).header("host", server).body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await.with_context(|| format!("ask {server}"))?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        status => bail!("{server} answered {status}: {}", text(answer.into_body()).await?.trim()),
    }
}

/// A whole body as text.
pub(crate) async fn text(body: Incoming) -> anyhow::Result<String> {
    Ok(String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned())
}
