//! A scripted Nacos server: answers by a function, pushes what the test sends, keeps what arrives.

use muster_nacos_wire::grpc::{
    BiRequestStreamServer, Failure, NacosGrpc, Payload, RequestServer, RequestType, answer,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::{Mutex, mpsc};
use tonic::{
    Request, Response, Status, Streaming,
    codegen::tokio_stream::{StreamExt as _, wrappers::ReceiverStream},
    transport::{Server, server::TcpIncoming},
};

type Pushes = futures_util::stream::BoxStream<'static, Result<Payload, Status>>;

/// What the test holds of the server.
pub(crate) struct Handle {
    pub(crate) address: SocketAddr,
    /// Sends a push on the stream.
    pub(crate) push: mpsc::Sender<Payload>,
    /// What came on the stream after the set-up.
    pub(crate) stream: mpsc::Receiver<Payload>,
    /// Unary requests, except server and health checks.
    pub(crate) requests: mpsc::Receiver<Payload>,
    /// Health checks to answer with 301.
    pub(crate) unregistered: Arc<Mutex<usize>>,
}

/// The type of a pseudo push that ends the stream.
pub(crate) const END: &str = "END";

/// How the server behaves.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    pub(crate) negotiates: bool,
    pub(crate) acks_setup: bool,
    /// Health checks answered with 301 before the connection counts as registered.
    pub(crate) unregistered: usize,
    pub(crate) answer: fn(RequestType) -> Payload,
}

impl Default for Script {
    fn default() -> Self {
        Self { negotiates: true, acks_setup: true, unregistered: 0, answer: answer::success }
    }
}

struct Scripted {
    script: Script,
    unregistered: Arc<Mutex<usize>>,
    pushes: Mutex<Option<mpsc::Receiver<Payload>>>,
    stream: mpsc::Sender<Payload>,
    requests: mpsc::Sender<Payload>,
}

impl Scripted {
    async fn health(&self) -> Payload {
        let mut left = self.unregistered.lock().await;
        if *left == 0 {
            return answer::success(RequestType::HealthCheck);
        }
        *left -= 1;
        Failure::unregistered().error()
    }
}

impl NacosGrpc for Scripted {
    type Pushes = Pushes;

    async fn request(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        let payload = request.into_inner();
        let Some(kind) = RequestType::parse(payload.kind()) else {
            return Ok(Response::new(Failure::no_handler().error()));
        };
        let reply = if kind == RequestType::ServerCheck && self.script.negotiates {
            answer::server_check("c1")
        } else if kind == RequestType::ServerCheck {
            let old = br#"{"resultCode":200,"errorCode":0,"success":true,"connectionId":"c1"}"#;
            Payload::new(kind.response(), &old[..])
        } else if kind == RequestType::HealthCheck {
            self.health().await
        } else {
            // A test that does not look at requests has dropped the receiver.
            self.requests.send(payload).await.ok();
            (self.script.answer)(kind)
        };
        Ok(Response::new(reply))
    }

    async fn request_bi_stream(
        &self,
        request: Request<Streaming<Payload>>,
    ) -> Result<Response<Pushes>, Status> {
        let pushes = self.pushes.lock().await.take().expect("one stream a test");
        let (acks, stream) = (self.script.acks_setup, self.stream.clone());
        // Messages are taken while the pushes are polled: one task for both, as the protocol ties them.
        let arrived = request.into_inner().filter_map(move |message| {
            let message = message.ok()?;
            if message.kind() == "ConnectionSetupRequest" {
                let ack = muster_nacos_wire::grpc::push::setup_ack([("lock", true)]);
                return acks.then_some(Ok(ack));
            }
            stream.try_send(message).expect("the test reads what arrives");
            None
        });
        let pushes = ReceiverStream::new(pushes).map(Ok);
        let lasting =
            |message: &Result<Payload, Status>| message.as_ref().is_ok_and(|push| push.kind() != END);
        Ok(Response::new(Box::pin(arrived.merge(pushes).take_while(lasting))))
    }
}

/// Runs a test against a scripted server.
pub(crate) async fn with_server<F: Future<Output = ()>>(script: Script, test: impl FnOnce(Handle) -> F) {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let (push, pushes) = mpsc::channel(16);
    let (stream_in, stream) = mpsc::channel(16);
    let (requests_in, requests) = mpsc::channel(16);
    let unregistered = Arc::new(Mutex::new(script.unregistered));
    let scripted = Arc::new(Scripted {
        script,
        unregistered: Arc::clone(&unregistered),
        pushes: Mutex::new(Some(pushes)),
        stream: stream_in,
        requests: requests_in,
    });
    let server = Server::builder()
        .add_service(RequestServer::new(Arc::clone(&scripted), 1 << 20))
        .add_service(BiRequestStreamServer::new(scripted, 1 << 20))
        .serve_with_incoming(incoming);
    tokio::select! {
        ended = server => panic!("the server ended: {ended:?}"),
        () = test(Handle { address, push, stream, requests, unregistered }) => {}
    }
}
