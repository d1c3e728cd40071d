//! HTTP on a connection that is kept.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

/// A connection that is kept.
pub(crate) struct Lane {
    sender: SendRequest<Full<Bytes>>,
    _connection: JoinSet<()>,
}

impl Lane {
    /// Connects.
    pub(crate) async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let mut tasks = JoinSet::new();
        // The node is killed under it.
        tasks.spawn(async move { drop(connection.await) });
        Self { sender, _connection: tasks }
    }

    /// Sends a request with a JSON body, which may be empty; gives status and body.
    pub(crate) async fn send(&mut self, method: &str, path: &str, json: String) -> (u16, String) {
        self.sender.ready().await.unwrap();
        let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1");
        let request = request.header("accept", "application/json").header("content-type", "application/json");
        let answer = self.sender.send_request(request.body(Full::from(json)).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// As [`Lane::send`] without a body, for what must succeed.
    pub(crate) async fn ok(&mut self, method: &str, path: &str) -> String {
        let (status, body) = self.send(method, path, String::new()).await;
        assert_eq!(status, 200, "{method} {path}: {body}");
        body
    }
}
