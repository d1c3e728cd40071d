//! Nacos over gRPC: unary requests and the stream of pushes.

mod config;
mod lock;
mod moving;
mod naming;
mod push;
mod session;
mod sessions;
mod stream;

pub use sessions::{SessionSettings, SessionSummary, Sessions};

use muster_nacos_wire::grpc::{
    BiRequestStreamServer, EmptyRequest, Failure, NacosGrpc, Payload, RequestServer, RequestType, answer,
    parse,
};
use muster_node::Node;
use muster_runtime::Tasks;
use muster_transport::{ConnectionInfo, Surface, Surfaces, limit_body_stall};
pub(crate) use session::Session;
use session::Setup;
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming, service::Routes};

/// The two gRPC services of Nacos over the use cases of a node.
pub(crate) struct NacosGrpcService {
    pub(crate) node: Arc<Node>,
    sessions: Arc<Sessions>,
    tasks: Tasks,
}

/// The gRPC routes.
pub(crate) fn routes(node: Arc<Node>, sessions: Arc<Sessions>, tasks: Tasks) -> axum::Router {
    let message_bytes_max = node.settings().limits.frame_bytes_max();
    let body_stall = sessions.settings().body_stall;
    let service = Arc::new(NacosGrpcService { node, sessions, tasks });
    let unary = Routes::new(RequestServer::new(service.clone(), message_bytes_max)).into_axum_router();
    let stream = Routes::new(BiRequestStreamServer::new(service, message_bytes_max)).into_axum_router();
    limit_body_stall(unary.reset_fallback(), body_stall).merge(stream.reset_fallback())
}

/// The connection of a request. On a listener that does not show the surface of clients there is no such method.
fn connection<T>(request: &Request<T>) -> Result<ConnectionInfo, Status> {
    let info = request.extensions().get::<ConnectionInfo>().copied();
    let info = info.ok_or_else(|| Status::internal("a request without its connection"))?;
    if !info.surfaces.meets(Surfaces::of(&[Surface::NacosClient])) {
        return Err(Status::unimplemented("no such method"));
    }
    Ok(info)
}

impl NacosGrpc for NacosGrpcService {
    type Pushes = stream::Pushes;

    async fn request(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        let info = connection(&request)?;
        let payload = request.into_inner();
        Ok(Response::new(match RequestType::parse(payload.kind()) {
            Some(kind) if !kind.is_stream_only() => match self.dispatch(kind, info, &payload).await {
                Ok(answer) => answer,
                Err(failure) => failure.answer(kind),
            },
            Some(_) | None => Failure::no_handler().error(),
        }))
    }

    async fn request_bi_stream(
        &self,
        request: Request<Streaming<Payload>>,
    ) -> Result<Response<Self::Pushes>, Status> {
        let session = self.sessions.get_or_open(connection(&request)?);
        if !session.open_stream() {
            return Err(Status::already_exists("the connection has its stream already"));
        }
        let incoming = request.into_inner();
        self.tasks.spawn("nacos stream", stream::receive(self.sessions.clone(), session.clone(), incoming));
        Ok(Response::new(stream::pushes(self.node.clone(), session)))
    }
}

impl NacosGrpcService {
    /// The checks in the order of the original (core `GrpcRequestAcceptor`), then the handler.
    async fn dispatch(
        &self,
        kind: RequestType,
        info: ConnectionInfo,
        payload: &Payload,
    ) -> Result<Payload, Failure> {
        if kind.is_cluster_only() {
            return Err(Failure::forbidden_source(kind));
        }
        if !self.node.is_ready() {
            return Err(Failure::starting());
        }
        let session = self.sessions.get_or_open(info);
        if kind == RequestType::ServerCheck {
            return Ok(answer::server_check(&session.name));
        }
        if session.await_setup().await.is_none() {
            return Err(Failure::unregistered());
        }
        self.handle(kind, &session, payload.json()).await
    }

    async fn handle(&self, kind: RequestType, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        match kind {
            RequestType::HealthCheck => {
                parse::<EmptyRequest>(body)?;
                Ok(answer::success(kind))
            }
            RequestType::Instance => self.instance(session, body).await,
            RequestType::BatchInstance => self.batch_instance(session, body).await,
            RequestType::PersistentInstance => self.persistent_instance(session, body).await,
            RequestType::ServiceQuery => self.service_query(session, body),
            RequestType::ServiceList => self.service_list(body),
            RequestType::SubscribeService => self.subscribe_service(session, body),
            RequestType::NamingFuzzyWatch => self.naming_fuzzy_watch(session, body),
            RequestType::ConfigQuery => self.config_query(session, body),
            RequestType::ConfigPublish => self.config_publish(session, body).await,
            RequestType::ConfigRemove => self.config_remove(session, body).await,
            RequestType::ConfigBatchListen => self.config_batch_listen(session, body),
            RequestType::ConfigFuzzyWatch => self.config_fuzzy_watch(session, body),
            RequestType::LockOperation => self.lock_operation(body).await,
            RequestType::ServerCheck
            | RequestType::ConnectionSetup
            | RequestType::ServerLoaderInfo
            | RequestType::ServerReload
            | RequestType::MemberReport
            | RequestType::DistroData
            | RequestType::ConfigChangeClusterSync => Err(Failure::no_handler()),
        }
    }

    fn setup<'a>(&self, session: &'a Session) -> Result<&'a Setup, Failure> {
        session.setup().ok_or_else(Failure::unregistered)
    }
}
