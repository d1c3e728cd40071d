//! A server that speaks Nacos over HTTP: one connection, requests one after the other.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use muster_nacos_wire::http::encode;
use muster_runtime::Tasks;
use serde_json::Value;
use tokio::net::TcpStream;

/// The most bytes of an answer: a page of contents.
const ANSWER_BYTES_MAX: usize = 512 << 20;

/// Parameters, as a query or as a form.
pub(super) type Pairs<'a> = &'a [(&'a str, &'a str)];

pub(super) struct Remote {
    /// `host:port`.
    server: String,
    /// What stands before every path: `/nacos`.
    context: String,
    token: Option<String>,
    sender: Option<SendRequest<Full<Bytes>>>,
    tasks: Tasks,
}

/// An answer, read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().to_owned()
    }

    pub(super) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("read an answer: {}", short(&self.text())))
    }
}

/// The beginning of a text, for messages.
pub(super) fn short(text: &str) -> String {
    let short: String = text.chars().take(200).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

impl Remote {
    /// A server by `host:port` or `http://host:port/context`.
    pub(super) fn new(address: &str) -> anyhow::Result<Self> {
        if address.starts_with("https://") {
            bail!("{address}: TLS is not spoken here; forward a local port to the server");
        }
        let rest = address.strip_prefix("http://").unwrap_or(address);
        let (server, context) = match rest.split_once('/') {
            Some((server, context)) => (server, context.trim_matches('/')),
            None => (rest, "nacos"),
        };
        let has_port = server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let server = if has_port { server.to_owned() } else { format!("{server}:8848") };
        let context = if context.is_empty() { String::new() } else { format!("/{context}") };
        Ok(Self { server, context, token: None, sender: None, tasks: Tasks::new() })
    }

    /// Logs in; later requests carry the token.
    pub(super) async fn login(&mut self, username: &str, password: &str) -> anyhow::Result<()> {
        let form = [("username", username), ("password", password)];
        let mut said = String::new();
        for path in ["/v3/auth/user/login", "/v1/auth/login"] {
            let answer = self.send(Method::POST, path, &[], Some(&form)).await?;
            if answer.status == StatusCode::OK
                && let Some(token) =
                    answer.json().ok().and_then(|it| it["accessToken"].as_str().map(str::to_owned))
            {
                self.token = Some(token);
                return Ok(());
            }
            said = format!("{} {}", answer.status, short(&answer.text()));
        }
        bail!("{} does not let {username} in: {said}", self.server)
    }

    /// A GET whose answer may have any status.
    pub(super) async fn ask(&mut self, path: &str, query: Pairs<'_>) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, query, None).await
    }

    /// A GET that must succeed, with JSON.
    pub(super) async fn get(&mut self, path: &str, query: Pairs<'_>) -> anyhow::Result<Value> {
        let answer = self.ask(path, query).await?;
        if answer.status != StatusCode::OK {
            bail!("{} answered {path} with {}: {}", self.server, answer.status, short(&answer.text()));
        }
        answer.json()
    }

    /// A form that is sent; the answer may have any status.
    pub(super) async fn write(
        &mut self,
        method: Method,
        path: &str,
        form: Pairs<'_>,
    ) -> anyhow::Result<Answer> {
        self.send(method, path, &[], Some(form)).await
    }

    /// JSON that is posted to a path of Muster's own, which has no context.
    pub(super) async fn post_json(&mut self, path: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        let request = self.request(Method::POST, path.to_owned(), "application/json", body.into())?;
        let answer = self.exchange(request).await?;
        if answer.status != StatusCode::OK {
            bail!("{} answered {path} with {}: {}", self.server, answer.status, short(&answer.text()));
        }
        answer.json()
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        query: Pairs<'_>,
        form: Option<Pairs<'_>>,
    ) -> anyhow::Result<Answer> {
        let mut uri = format!("{}{path}", self.context);
        if !query.is_empty() {
            uri = format!("{uri}?{}", encoded(query));
        }
        let body = form.map(encoded).unwrap_or_default();
        let request = self.request(method, uri, "application/x-www-form-urlencoded", body.into())?;
        self.exchange(request).await
    }

    fn request(
        &self,
        method: Method,
        uri: String,
        media: &str,
        body: Bytes,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(method).uri(uri).header(header::HOST, &self.server);
        request = request.header(header::USER_AGENT, "muster-import");
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, media);
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            request = request.header("accessToken", token);
        }
        Ok(request.body(Full::new(body))?)
    }

    /// Sends on the open connection, or on a new one if that was closed meanwhile: none of these requests does harm
    /// when it is done twice.
    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let asked = || format!("ask {}", self.server);
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
            && let Ok(answer) = sender.send_request(request.clone()).await
        {
            let answer = read(answer).await.with_context(asked)?;
            self.sender = Some(sender);
            return Ok(answer);
        }
        let stream = TcpStream::connect(&self.server)
            .await
            .with_context(|| format!("no server answers at {}", self.server))?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        // What breaks the connection breaks the answer or its body, too, and is told there.
        self.tasks.spawn("http connection", async move { drop(connection.await) });
        let answer = sender.send_request(request).await.with_context(asked)?;
        let answer = read(answer).await.with_context(asked)?;
        self.sender = Some(sender);
        Ok(answer)
    }
}

async fn read(answer: hyper::Response<hyper::body::Incoming>) -> anyhow::Result<Answer> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("read the answer: {error}"))?.to_bytes();
    Ok(Answer { status, body })
}

fn encoded(pairs: Pairs<'_>) -> String {
    let pairs = pairs.iter().map(|(key, value)| format!("{key}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_in_several_ways() {
        let parts = |text| {
            let remote = Remote::new(text).unwrap();
            (remote.server, remote.context)
        };
        assert_eq!(parts("10.0.0.1"), ("10.0.0.1:8848".into(), "/nacos".into()));
        assert_eq!(parts("http://n:80/"), ("n:80".into(), String::new()));
        assert_eq!(parts("http://n:80/a/b/"), ("n:80".into(), "/a/b".into()));
        assert!(Remote::new("https://n").is_err());
    }
}
