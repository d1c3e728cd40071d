//! One Nacos connection of a client that does only what a test says: it acknowledges nothing by itself.

use super::server::PATIENCE;
use muster_nacos_wire::grpc::{NacosGrpcClient, Payload};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::sync::mpsc;
use tonic::{
    Code, Status, Streaming,
    codegen::tokio_stream::wrappers::ReceiverStream,
    transport::{Channel, Endpoint},
};

pub(super) struct Peer {
    stub: NacosGrpcClient<Channel>,
    /// Our half of the stream; dropping it ends that half.
    pub(super) outgoing: Option<mpsc::Sender<Payload>>,
    incoming: Option<Streaming<Payload>>,
}

impl Peer {
    /// A TCP connection, nothing more.
    pub(super) async fn bare(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.initial_connection_window_size(32 << 20).connect().await.unwrap();
        Self { stub: NacosGrpcClient::new(channel, usize::MAX), outgoing: None, incoming: None }
    }

    /// Another user of the same TCP connection.
    pub(super) fn another(&self) -> Self {
        Self { stub: self.stub.clone(), outgoing: None, incoming: None }
    }

    /// Opens the stream, without a message.
    pub(super) async fn open_stream(&mut self) -> Result<(), Status> {
        let (outgoing, messages) = mpsc::channel(8);
        let stream = self.stub.request_bi_stream(ReceiverStream::new(messages));
        // The headers must come at once: nothing is sent yet.
        let stream = tokio::time::timeout(PATIENCE, stream).await.expect("stream without headers")?;
        self.outgoing = Some(outgoing);
        self.incoming = Some(stream.into_inner());
        Ok(())
    }

    /// A connection that is registered.
    pub(super) async fn set_up(address: SocketAddr, module: &str) -> Self {
        let mut peer = Self::bare(address).await;
        peer.open_stream().await.unwrap();
        peer.send_set_up(module).await;
        assert_eq!(peer.push("SetupAckRequest").await["abilityTable"]["fuzzyWatch"], true);
        peer
    }

    pub(super) async fn send_set_up(&self, module: &str) {
        let body = json!({"clientVersion": "Nacos-Java-Client:v3.0.3", "tenant": "", "abilityTable": {},
            "labels": {"source": "sdk", "module": module}});
        self.send("ConnectionSetupRequest", &body).await;
    }

    /// Sends a message on the stream.
    pub(super) async fn send(&self, kind: &str, body: &Value) {
        let payload = payload(kind, body);
        self.outgoing.as_ref().expect("the stream is open").send(payload).await.unwrap();
    }

    /// One unary call: the type of the answer, and its body.
    pub(super) async fn try_ask(&self, kind: &str, body: Value) -> Result<(String, Value), Status> {
        self.call(payload(kind, &body)).await
    }

    /// As [`Peer::try_ask`] with a body that may be no JSON.
    pub(super) async fn raw(&self, kind: &str, body: &'static [u8]) -> (String, Value) {
        self.call(Payload::new(kind, body)).await.unwrap()
    }

    async fn call(&self, payload: Payload) -> Result<(String, Value), Status> {
        let mut stub = self.stub.clone();
        let answer = tokio::time::timeout(PATIENCE, stub.request(payload)).await;
        let answer = answer.expect("a call without an answer")?.into_inner();
        Ok((answer.kind().to_owned(), serde_json::from_slice(answer.json()).unwrap()))
    }

    /// One unary call that succeeds.
    pub(super) async fn ask(&self, kind: &str, body: Value) -> Value {
        let (answered, answer) = self.try_ask(kind, body).await.unwrap();
        assert_eq!(answer["resultCode"], 200, "{kind}: {answered} {answer}");
        answer
    }

    /// One unary call that is refused: the type of the answer, and its code.
    pub(super) async fn refused(&self, kind: &str, body: Value) -> (String, i64) {
        let (answered, answer) = self.try_ask(kind, body).await.unwrap();
        (answered, answer["errorCode"].as_i64().unwrap())
    }

    /// The next message on the stream.
    pub(super) async fn next(&mut self) -> Result<Option<Payload>, Status> {
        let incoming = self.incoming.as_mut().expect("the stream is open");
        tokio::time::timeout(PATIENCE, incoming.message()).await.expect("nothing came on the stream")
    }

    /// The next message of a type; others before it are passed over.
    pub(super) async fn push(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await.unwrap().expect("the stream has ended");
            if message.kind() == kind {
                return serde_json::from_slice(message.json()).unwrap();
            }
        }
    }

    /// As [`Peer::push`], acknowledged.
    pub(super) async fn take(&mut self, kind: &str) -> Value {
        let push = self.push(kind).await;
        self.acknowledge(&push).await;
        push
    }

    pub(super) async fn acknowledge(&self, push: &Value) {
        let body =
            json!({"resultCode": 200, "errorCode": 0, "success": true, "requestId": push["requestId"]});
        self.send("NotifySubscriberResponse", &body).await;
    }

    /// Whether nothing comes for a while.
    pub(super) async fn is_quiet(&mut self, time: Duration) -> bool {
        let incoming = self.incoming.as_mut().expect("the stream is open");
        tokio::time::timeout(time, incoming.message()).await.is_err()
    }

    /// What the stream ends with; pushes before its end are passed over.
    pub(super) async fn end_of_stream(&mut self) -> Code {
        loop {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Code::Ok,
                Err(status) => return status.code(),
            }
        }
    }
}

pub(super) fn payload(kind: &str, body: &Value) -> Payload {
    Payload::new(kind, serde_json::to_vec(body).unwrap())
}
