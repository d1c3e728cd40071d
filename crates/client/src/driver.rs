//! The other direction: pushes, their acknowledgements, and the health of an idle connection.

use crate::{Client, ClientError};
use bytes::Bytes;
use muster_nacos_wire::grpc::{
    Ack, Payload, PushType, parse,
    reply::{ConfigName, ServiceInfo, ServiceReply},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tonic::Streaming;

/// Health checks that may fail in a row before the connection counts as dead.
const HEALTH_TRIES: u32 = 3;

/// What a server tells without being asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Push {
    /// The hosts of a subscribed service: all of them.
    Service(ServiceInfo),
    /// A config that is listened to changed: query it, and listen again with the md5 found.
    Config(ConfigName),
    /// The server asks to go elsewhere: connect anew.
    Reset {
        /// Where, as `host:port`; without it (the server drains) to any other.
        to: Option<String>,
    },
    /// Anything else, with its type and JSON body: fuzzy watches, metrics.
    Other {
        /// The type name.
        kind: String,
        /// The body.
        body: Bytes,
    },
}

/// Reads the stream and acknowledges. Dropping it ends the stream, and with it the connection.
#[derive(Debug)]
pub struct Driver {
    client: Client,
    incoming: Streaming<Payload>,
    outgoing: mpsc::Sender<Payload>,
    queue: mpsc::Sender<Push>,
    early: Vec<Payload>,
}

/// The acknowledgement of a push.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AckBody<'a> {
    result_code: u16,
    error_code: u16,
    success: bool,
    request_id: &'a str,
}

/// Where to go; blank without a target.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResetBody {
    server_ip: Option<String>,
    server_port: Option<String>,
}

impl ResetBody {
    fn address(self) -> Option<String> {
        let (host, port) = (self.server_ip?, self.server_port?);
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        (!host.is_empty()).then(|| format!("{host}:{port}"))
    }
}

impl Driver {
    pub(crate) fn new(
        client: Client,
        incoming: Streaming<Payload>,
        outgoing: mpsc::Sender<Payload>,
        early: Vec<Payload>,
    ) -> (Self, mpsc::Receiver<Push>) {
        let (queue, pushes) = mpsc::channel(client.options.push_queue.max(1));
        (Self { client, incoming, outgoing, queue, early }, pushes)
    }

    /// Runs until the server closes the connection or stops answering; never returns `Ok`. Dropping the future is the
    /// way to end it: nothing is lost but pushes the server sends again.
    pub async fn run(mut self) -> Result<(), ClientError> {
        for message in std::mem::take(&mut self.early) {
            self.take(&message).await?;
        }
        let mut failed_checks = 0;
        loop {
            let idle = tokio::time::sleep(self.client.options.health_interval);
            tokio::select! {
                message = self.incoming.message() => match message? {
                    Some(message) => self.take(&message).await?,
                    None => return Err(ClientError::Closed),
                },
                () = idle => match self.client.health_check().await {
                    Ok(()) => failed_checks = 0,
                    Err(error) if failed_checks + 1 == HEALTH_TRIES => return Err(error),
                    Err(_) => failed_checks += 1,
                },
            }
        }
    }

    /// Queues one push and acknowledges it. A push that finds the queue full is dropped, and not acknowledged.
    async fn take(&self, message: &Payload) -> Result<(), ClientError> {
        let kind = PushType::parse(message.kind());
        let taken = match read(kind, message) {
            Some(push) => !matches!(self.queue.try_send(push), Err(mpsc::error::TrySendError::Full(_))),
            None => true,
        };
        match kind {
            Some(kind) if taken && kind != PushType::SetupAck => self.acknowledge(kind, message).await,
            // Nobody acknowledges what it does not know.
            _ => Ok(()),
        }
    }

    async fn acknowledge(&self, kind: PushType, message: &Payload) -> Result<(), ClientError> {
        let pushed = Ack::parse(message.json()).unwrap_or_default();
        let body = AckBody { result_code: 200, error_code: 0, success: true, request_id: &pushed.request_id };
        let ack = self.client.options.payload(kind.response(), &body);
        self.outgoing.send(ack).await.map_err(|_| ClientError::Closed)
    }
}

/// The push in a message; none in those that only want an answer, and in those that can't be read.
fn read(kind: Option<PushType>, message: &Payload) -> Option<Push> {
    match kind {
        Some(PushType::ClientDetection | PushType::SetupAck) => None,
        Some(PushType::ConnectReset) => {
            let reset: ResetBody = parse(message.json()).unwrap_or_default();
            Some(Push::Reset { to: reset.address() })
        }
        Some(PushType::NotifySubscriber) => {
            parse::<ServiceReply>(message.json()).ok().map(|reply| Push::Service(reply.service_info))
        }
        Some(PushType::ConfigChangeNotify) => parse(message.json()).ok().map(Push::Config),
        Some(
            PushType::NamingFuzzyWatchSync
            | PushType::NamingFuzzyWatchChangeNotify
            | PushType::ConfigFuzzyWatchSync
            | PushType::ConfigFuzzyWatchChangeNotify
            | PushType::ClientConfigMetric,
        )
        | None => {
            let body = message.body.as_ref().map(|body| body.value.clone()).unwrap_or_default();
            Some(Push::Other { kind: message.kind().to_owned(), body })
        }
    }
}
