//! Requests on a connection.

use crate::{ClientError, Options};
use muster_nacos_wire::grpc::{EmptyRequest, NacosGrpcClient, Payload, RequestType, parse, reply::Outcome};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};
use tonic::transport::Channel;

/// One Nacos connection to ask with; a clone is another handle to it. What it registers lives as long as the
/// connection, which ends when every clone and the driver are dropped.
#[derive(Clone, Debug)]
pub struct Client {
    stub: NacosGrpcClient<Channel>,
    pub(crate) options: Arc<Options>,
    connection: Arc<str>,
}

impl Client {
    pub(crate) fn new(stub: NacosGrpcClient<Channel>, options: Arc<Options>, connection: &str) -> Self {
        Self { stub, options, connection: Arc::from(connection) }
    }

    /// The id the server gave this connection.
    pub fn connection_id(&self) -> &str {
        &self.connection
    }

    /// Sends one request and reads its answer as `T`, one of [`reply`](crate::reply).
    pub async fn request<T: DeserializeOwned>(
        &self,
        kind: RequestType,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let payload = self.options.payload(kind.as_str(), body);
        let answer = call(&self.stub, payload, kind, self.options.timeout).await?;
        read(kind, &answer)
    }

    /// Asks the server whether this connection is registered and well.
    pub async fn health_check(&self) -> Result<(), ClientError> {
        self.request::<Outcome>(RequestType::HealthCheck, &EmptyRequest {}).await.map(drop)
    }
}

impl Options {
    /// A request payload with this connection's headers.
    pub(crate) fn payload(&self, kind: &str, body: &impl Serialize) -> Payload {
        let body = serde_json::to_vec(body).expect("request bodies are texts, numbers and maps of texts");
        let mut payload = Payload::new(kind, body);
        if let Some(metadata) = &mut payload.metadata {
            metadata.client_ip.clone_from(&self.client_ip);
            let token = self.access_token.iter().map(|token| ("accessToken".to_owned(), token.clone()));
            metadata.headers.extend(token);
        }
        payload
    }
}

/// One unary call.
pub(crate) async fn call(
    stub: &NacosGrpcClient<Channel>,
    payload: Payload,
    kind: RequestType,
    timeout: Duration,
) -> Result<Payload, ClientError> {
    let mut stub = stub.clone();
    let answer = tokio::time::timeout(timeout, stub.request(payload)).await;
    Ok(answer.map_err(|_| ClientError::Timeout(kind.as_str()))??.into_inner())
}

/// Reads an answer: a refusal, typed or not, is an error.
pub(crate) fn read<T: DeserializeOwned>(kind: RequestType, answer: &Payload) -> Result<T, ClientError> {
    let unexpected = || ClientError::Unexpected { request: kind.as_str(), kind: answer.kind().to_owned() };
    let outcome: Outcome = parse(answer.json()).map_err(|_| unexpected())?;
    if outcome.result_code != 200 {
        return Err(ClientError::Refused { code: outcome.error_code, message: outcome.message });
    }
    if answer.kind() != kind.response() {
        return Err(unexpected());
    }
    serde_json::from_slice(answer.json()).map_err(|_| unexpected())
}
