//! Muster's own HTTP API, as commands ask it.

use crate::exit::{Exit, NOT_FOUND};
use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Method, Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use muster_runtime::Tasks;
use std::time::Duration;
use tokio::net::TcpStream;

/// How often a node is asked again that can't answer yet.
const PATIENCE: usize = 10;
/// The pause in between.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends a GET and gives the body of a 200; another status is an error with the text the node gave.
pub(crate) async fn get(server: &str, path: &str) -> anyhow::Result<Incoming> {
    send(server, Method::GET, path).await
}

/// As [`get`], by a POST without a body.
pub(crate) async fn post(server: &str, path: &str) -> anyhow::Result<Incoming> {
    send(server, Method::POST, path).await
}

/// Sends a request without a body; gives the body of a 200 as text. Another status is an error with the text that the node
/// gave, and nothing before it; 404 has the exit code of what does not exist.
pub(crate) async fn ask(server: &str, method: Method, path: &str) -> anyhow::Result<String> {
    let answer = patiently(server, &method, path).await?;
    let (status, text) = (answer.status(), text(answer.into_body()).await?);
    let said = text.trim();
    match status {
        StatusCode::OK => Ok(text),
        StatusCode::NOT_FOUND if said.is_empty() || said.starts_with('{') => {
            bail!(
                "{server} has no {path}: is it an older version, or a port that does not show muster-admin?"
            )
        }
        StatusCode::NOT_FOUND => Err(Exit::new(NOT_FOUND, said).into()),
        StatusCode::FORBIDDEN => bail!(
            "{server} answers this only to the machine it runs on: run the command there, with --server 127.0.0.1:PORT"
        ),
        _ if said.is_empty() => bail!("{server} answered {status}"),
        _ => bail!("{said}"),
    }
}

/// As [`answer`]; a node that can't yet, because it starts or the cluster elects a leader, is asked again for a while.
async fn patiently(server: &str, method: &Method, path: &str) -> anyhow::Result<Response<Incoming>> {
    for _ in 0..PATIENCE {
        let answer = answer(server, method.clone(), path).await?;
        if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
            return Ok(answer);
        }
        tokio::time::sleep(PAUSE).await;
    }
    answer(server, method.clone(), path).await
}

async fn send(server: &str, method: Method, path: &str) -> anyhow::Result<Incoming> {
    let answer = answer(server, method, path).await?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        status => bail!("{server} answered {status}: {}", text(answer.into_body()).await?.trim()),
    }
}

async fn answer(server: &str, method: Method, path: &str) -> anyhow::Result<Response<Incoming>> {
    let stream = TcpStream::connect(server).await.with_context(|| format!("no node answers at {server}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // What breaks the connection breaks the answer or its body, too, and is told there.
    Tasks::new().spawn("http connection", async move { drop(connection.await) });
    let request =
        Request::builder().method(method).uri(path).header("host", server).body(Empty::<Bytes>::new())?;
    sender.send_request(request).await.with_context(|| format!("ask {server}"))
}

/// A whole body as text.
pub(crate) async fn text(body: Incoming) -> anyhow::Result<String> {
    Ok(String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned())
}
