//! A connection that is set up like a Nacos client's: its stream is open and its pushes are answered.

use crate::{
    bodies,
    connection::{Channel, Connection},
    wire::{self, encode},
};
use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use muster_nacos_wire::grpc::Payload;
use std::{net::SocketAddr, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// How long to wait for an acknowledgement of the setup; Java waits 5 s, older servers send none.
const SETUP_WAIT: Duration = Duration::from_millis(500);
/// Answers to pushes waiting for the connection; a full queue makes the reader wait.
const ANSWERS: usize = 64;

/// Called with the type and the JSON body of each push.
pub(crate) type OnPush = Box<dyn FnMut(&str, &[u8]) + Send>;

/// A set-up connection; dropping it closes the socket.
pub(crate) struct Session {
    connection: Connection,
}

impl Session {
    /// Connects and sets up for a module (`naming` or `config`), ignoring pushes beyond answering them.
    pub(crate) async fn open(address: SocketAddr, module: &str) -> Result<Self> {
        Self::open_with(address, module, Box::new(|_, _| ())).await
    }

    /// Connects and sets up; every push is handed to `on_push`, then acknowledged.
    pub(crate) async fn open_with(address: SocketAddr, module: &str, on_push: OnPush) -> Result<Self> {
        let mut connection = Connection::open(address).await?;
        let check = wire::frame("ServerCheckRequest", r#"{"headers":{},"requestId":"","module":"internal"}"#);
        connection.channel.call_ok(check).await.context("check the server")?;
        let (answers, frames) = mpsc::channel(ANSWERS);
        answers.send(bodies::setup(module)).await.context("set up")?;
        let incoming = connection.channel.open_stream(frames).await?;
        let (set_up, acknowledged) = oneshot::channel();
        let mut reader = Reader { incoming, answers, on_push, set_up: Some(set_up) };
        connection.tasks.spawn(async move {
            // A closed stream is seen by the calls, or was wanted.
            reader.run().await.ok();
        });
        tokio::time::timeout(SETUP_WAIT, acknowledged).await.ok();
        Ok(Self { connection })
    }

    /// Makes calls on this connection.
    pub(crate) fn channel(&self) -> Channel {
        self.connection.channel.clone()
    }
}

/// Many sessions, opened one after another.
pub(crate) async fn open_many(address: SocketAddr, module: &str, count: usize) -> Result<Vec<Session>> {
    let mut sessions = Vec::with_capacity(count);
    for _ in 0..count {
        sessions.push(Session::open(address, module).await?);
    }
    Ok(sessions)
}

struct Reader {
    incoming: Incoming,
    answers: mpsc::Sender<Bytes>,
    on_push: OnPush,
    set_up: Option<oneshot::Sender<()>>,
}

impl Reader {
    async fn run(&mut self) -> Result<()> {
        let mut buffer = BytesMut::new();
        while let Some(frame) = self.incoming.frame().await {
            let Ok(data) = frame?.into_data() else { break };
            buffer.extend_from_slice(&data);
            while let Some(push) = wire::decode(&mut buffer)? {
                self.answer(&push).await?;
            }
        }
        Ok(())
    }

    async fn answer(&mut self, push: &Payload) -> Result<()> {
        if push.kind() == "SetupAckRequest" {
            if let Some(set_up) = self.set_up.take() {
                set_up.send(()).ok();
            }
            return Ok(());
        }
        let json = push.json();
        (self.on_push)(push.kind(), json);
        let answer = push.kind().replace("Request", "Response");
        let body = format!(
            r#"{{"resultCode":200,"errorCode":0,"message":"","requestId":"{}","success":true}}"#,
            request_id(json)
        );
        self.answers.send(encode(&Payload::new(&answer, body))).await.context("acknowledge")
    }
}

/// The request id of a push, found without parsing a body that may hold thousands of hosts.
fn request_id(json: &[u8]) -> String {
    const KEY: &[u8] = b"\"requestId\":\"";
    let found = json.windows(KEY.len()).position(|window| window == KEY);
    let rest = found.map_or(&[][..], |at| &json[at + KEY.len()..]);
    rest.iter().take_while(|&&byte| byte != b'"').map(|&byte| char::from(byte)).collect()
}
