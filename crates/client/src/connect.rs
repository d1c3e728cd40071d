//! Opening a connection: ServerCheck, set-up, SetupAck (nacos-grpc.md 2.1).

use crate::{
    Client, ClientError, Driver, Options, Push,
    client::{call, read},
};
use muster_nacos_wire::{
    Pairs, Text,
    grpc::{
        ConnectionSetupRequest, EmptyRequest, NacosGrpcClient, Payload, PushType, RequestType,
        reply::ServerCheckReply,
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tonic::{
    Streaming,
    codegen::tokio_stream::wrappers::ReceiverStream,
    transport::{Channel, Endpoint},
};

/// Messages to the server that may wait: acknowledgements are small and few.
const OUTGOING_QUEUE: usize = 64;
/// The connection's receive window: larger than a stream's, so that unread pushes never hold up answers.
const CONNECTION_WINDOW: u32 = 16 << 20;
const STREAM_WINDOW: u32 = 1 << 20;

/// Connects to the server at `host:port` (its main port, see [`Options::port_offset`]) and registers the connection.
/// The driver must be run for pushes to come and be acknowledged, and for an idle connection to stay; short-lived
/// callers may drop it with the client. Pushes that nobody receives are acknowledged once the receiver is dropped.
pub async fn connect(
    address: &str,
    options: Options,
) -> Result<(Client, Driver, mpsc::Receiver<Push>), ClientError> {
    let options = Arc::new(options);
    let channel = open(address, &options).await?;
    let stub = NacosGrpcClient::new(channel, options.message_bytes_max);
    let check = options.payload(RequestType::ServerCheck.as_str(), &EmptyRequest {});
    let answer = call(&stub, check, RequestType::ServerCheck, options.timeout).await?;
    let server: ServerCheckReply = read(RequestType::ServerCheck, &answer)?;

    let (outgoing, messages) = mpsc::channel(OUTGOING_QUEUE);
    let setup = options.payload(RequestType::ConnectionSetup.as_str(), &setup(&options));
    outgoing.try_send(setup).expect("the queue is new and its receiver is here");
    let mut opening = stub.clone();
    let stream = opening.request_bi_stream(ReceiverStream::new(messages));
    let stream = tokio::time::timeout(options.timeout, stream).await;
    let mut incoming =
        stream.map_err(|_| ClientError::Timeout(RequestType::ConnectionSetup.as_str()))??.into_inner();
    let client = Client::new(stub, Arc::clone(&options), &server.connection_id);
    let early = if server.support_ability_negotiation {
        await_setup_ack(&mut incoming, options.setup_timeout).await?
    } else {
        Vec::new()
    };
    await_registration(&client, &options).await?;
    let (driver, pushes) = Driver::new(client.clone(), incoming, outgoing, early);
    Ok((client, driver, pushes))
}

async fn open(address: &str, options: &Options) -> Result<Channel, ClientError> {
    let bad = || ClientError::Address(address.to_owned());
    let (host, port) = address.rsplit_once(':').ok_or_else(bad)?;
    let port: u16 = port.parse().map_err(|_| bad())?;
    let port = port.checked_add(options.port_offset).ok_or_else(bad)?;
    let endpoint = Endpoint::from_shared(format!("http://{host}:{port}")).map_err(|_| bad())?;
    let endpoint = endpoint
        .connect_timeout(options.timeout)
        .tcp_nodelay(true)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(STREAM_WINDOW);
    endpoint
        .connect()
        .await
        .map_err(|source| ClientError::Connect { address: format!("{host}:{port}"), source })
}

fn setup(options: &Options) -> ConnectionSetupRequest<'_> {
    let fixed = [("source", "sdk"), ("module", options.module.as_str())];
    let labels = options.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    ConnectionSetupRequest {
        client_version: Text::from(options.client_version.as_str()),
        tenant: Text::from(options.namespace.as_str()),
        labels: fixed.into_iter().chain(labels).collect::<Pairs<'_>>(),
        ability_table: Some(BTreeMap::new()),
    }
}

/// Waits for the SetupAck; pushes that overtake it are kept for the driver.
async fn await_setup_ack(
    incoming: &mut Streaming<Payload>,
    timeout: Duration,
) -> Result<Vec<Payload>, ClientError> {
    let wait = async {
        let mut early = Vec::new();
        while let Some(message) = incoming.message().await? {
            if message.kind() == PushType::SetupAck.as_str() {
                return Ok(early);
            }
            early.push(message);
        }
        Err(ClientError::Closed)
    };
    tokio::time::timeout(timeout, wait)
        .await
        .map_err(|_| ClientError::Timeout(PushType::SetupAck.as_str()))?
}

/// A server that sent no SetupAck may need a moment to register the connection: ask until it says so.
async fn await_registration(client: &Client, options: &Options) -> Result<(), ClientError> {
    const NOT_REGISTERED: i64 = 301;
    let ask = async {
        loop {
            match client.health_check().await {
                Err(error) if error.code() == Some(NOT_REGISTERED) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                other => return other,
            }
        }
    };
    tokio::time::timeout(options.timeout, ask)
        .await
        .map_err(|_| ClientError::Timeout(RequestType::ConnectionSetup.as_str()))?
}
