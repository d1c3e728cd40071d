//! One request from its path to its answer.

use crate::{
    lists::{Kind, Lists},
    negotiate,
    peers::{EurekaChange, Peers},
    query, reply,
    reply::Failure,
    route::{self, Endpoint},
    settings::EurekaSettings,
};
use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{Method, StatusCode, header, request::Parts};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use muster_model::Actor;
use muster_node::{Node, registry::EurekaBase};
use muster_transport::{ConnectionInfo, Surface, Surfaces, consistency};
use std::{borrow::Cow, io::Read as _, sync::Arc};

/// Where Eureka is found.
const EUREKA: Surfaces = Surfaces::of(&[Surface::Eureka]);

/// The Eureka edge: nothing of its own but rendered lists.
pub(crate) struct Edge {
    pub(crate) node: Arc<Node>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) settings: EurekaSettings,
    pub(crate) lists: Arc<Lists>,
}

/// A request without its body, and the view it is about.
pub(crate) struct Call<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) info: ConnectionInfo,
    pub(crate) base: &'a EurekaBase,
}

impl<'a> Call<'a> {
    /// Who asks, for the flight recorder.
    pub(crate) fn actor(&self) -> Actor {
        Actor { connection: Some(self.info.id), address: Some(self.info.remote.ip()), user: None }
    }

    /// Whether a peer passes on what it was told (`x-netflix-discovery-replication: true`, exactly).
    pub(crate) fn is_replicated(&self) -> bool {
        self.parts.headers.get("x-netflix-discovery-replication").is_some_and(|value| value == "true")
    }

    pub(crate) fn query(&self) -> &'a str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The first value of a parameter.
    pub(crate) fn parameter(&self, key: &str) -> Option<Cow<'a, str>> {
        query::first(self.query(), key)
    }

    /// `lastDirtyTimestamp`; a text that is no number counts as none (the original answers 500).
    pub(crate) fn last_dirty(&self) -> Option<i64> {
        self.parameter("lastDirtyTimestamp")?.trim().parse().ok()
    }
}

/// Answers any request below a base path.
pub(crate) async fn serve(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let shown = parts.extensions.get::<ConnectionInfo>().copied().filter(|info| info.surfaces.meets(EUREKA));
    let Some(info) = shown else { return reply::status(StatusCode::NOT_FOUND) };
    let Some(route) = route::find(&edge.settings, parts.uri.path()) else {
        return reply::status(StatusCode::NOT_FOUND);
    };
    if !route.endpoint.takes(&parts.method) {
        return reply::other_methods(&route.endpoint);
    }
    let base = route.base.as_ref().unwrap_or(&edge.settings.base);
    let call = Call { parts: &parts, info, base };
    if let Err(failure) = edge.fresh(&call).await {
        return failure.into_response();
    }
    let answer = if parts.method == Method::POST {
        edge.post(&call, route.endpoint, body).await
    } else {
        edge.bodiless(&call, route.endpoint, body).await
    };
    let mut answer = answer.unwrap_or_else(Failure::into_response);
    consistency::tell_staleness(answer.headers_mut(), edge.node.stale_ms());
    answer
}

impl Edge {
    /// Waits until a read that asks for it sees every write acknowledged before it.
    async fn fresh(&self, call: &Call<'_>) -> Result<(), Failure> {
        match consistency::is_linearizable(&call.parts.headers) {
            Ok(true) if call.parts.method == Method::GET => Ok(Box::pin(self.node.read_barrier()).await?),
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::Status(StatusCode::BAD_REQUEST)),
        }
    }

    async fn post(&self, call: &Call<'_>, endpoint: Endpoint<'_>, body: Body) -> Result<Response, Failure> {
        match endpoint {
            Endpoint::App(app) => self.register(call, &app, body).await,
            Endpoint::Batch => self.batch(call, body).await,
            Endpoint::Apps
            | Endpoint::Delta
            | Endpoint::Item(..)
            | Endpoint::ItemStatus(..)
            | Endpoint::ItemMetadata(..)
            | Endpoint::Instance(_)
            | Endpoint::Vip(_)
            | Endpoint::SecureVip(_)
            | Endpoint::ScalingGroup
            | Endpoint::Status => Ok(reply::status(StatusCode::METHOD_NOT_ALLOWED)),
        }
    }

    /// Requests whose body says nothing: one that comes along (`{}` from Jersey 3) is read, so that the connection stays
    /// usable, and not looked at.
    async fn bodiless(
        &self,
        call: &Call<'_>,
        endpoint: Endpoint<'_>,
        body: Body,
    ) -> Result<Response, Failure> {
        if !body.is_end_stream() {
            self.read(body).await?;
        }
        match (endpoint, &call.parts.method) {
            (Endpoint::Apps, _) => self.list(call, Kind::Whole).await,
            (Endpoint::Delta, _) => self.list(call, Kind::Delta).await,
            (Endpoint::App(app), _) => self.app(call, &app),
            (Endpoint::Item(app, id), &Method::PUT) => self.renew(call, &app, &id),
            (Endpoint::Item(app, id), &Method::DELETE) => self.cancel(call, &app, &id),
            (Endpoint::Item(app, id), _) => self.item(call, &app, &id),
            (Endpoint::ItemStatus(app, id), &Method::PUT) => self.set_status(call, &app, &id).await,
            (Endpoint::ItemStatus(app, id), _) => self.clear_status(call, &app, &id).await,
            (Endpoint::ItemMetadata(app, id), _) => self.set_metadata(call, &app, &id),
            (Endpoint::Instance(id), _) => self.instance(call, &id),
            (Endpoint::Vip(vip), _) => self.vip(call, &vip, |instance| instance.vip_address.as_deref()),
            (Endpoint::SecureVip(vip), _) => {
                self.vip(call, &vip, |instance| instance.secure_vip_address.as_deref())
            }
            // As every server outside of Amazon answers.
            (Endpoint::ScalingGroup, _) => Err(Failure::status(StatusCode::BAD_REQUEST)),
            (Endpoint::Status, _) => self.status(call),
            (Endpoint::Batch, _) => Err(Failure::status(StatusCode::METHOD_NOT_ALLOWED)),
        }
    }

    async fn read(&self, body: Body) -> Result<Bytes, Failure> {
        match Limited::new(body, self.settings.body_bytes_max).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(Failure::status(StatusCode::PAYLOAD_TOO_LARGE))
            }
            Err(error) => {
                tracing::debug!(%error, "request body broke");
                Err(Failure::status(StatusCode::BAD_REQUEST))
            }
        }
    }

    /// The body of a POST, unpacked: peers may pack what they replicate, and clients send it in chunks of no known length.
    pub(crate) async fn read_unpacked(&self, call: &Call<'_>, body: Body) -> Result<Bytes, Failure> {
        let bytes = self.read(body).await?;
        let coding = call.parts.headers.get(header::CONTENT_ENCODING).map(|coding| coding.as_bytes());
        match coding {
            None | Some(b"identity") => Ok(bytes),
            Some(b"gzip" | b"x-gzip") => self.unpack(&bytes),
            Some(_) => Err(Failure::status(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
        }
    }

    fn unpack(&self, packed: &[u8]) -> Result<Bytes, Failure> {
        let bytes_max = self.settings.body_bytes_max;
        let mut text = Vec::new();
        let limit = bytes_max as u64 + 1;
        match flate2::read::MultiGzDecoder::new(packed).take(limit).read_to_end(&mut text) {
            Ok(_) if text.len() <= bytes_max => Ok(Bytes::from(text)),
            Ok(_) => Err(Failure::status(StatusCode::PAYLOAD_TOO_LARGE)),
            Err(_) => Err(Failure::status(StatusCode::BAD_REQUEST)),
        }
    }

    /// Tells the peers what a client changed, and notes what a peer did; they share one view.
    pub(crate) fn changed(
        &self,
        call: &Call<'_>,
        replicated: bool,
        app: &str,
        id: &str,
        change: EurekaChange,
    ) {
        match (self.peers.base() == call.base, replicated) {
            (true, false) => self.peers.tell(app, id, change),
            (true, true) => self.peers.heard(app, id, change),
            (false, _) => {}
        }
    }

    /// An id of a path. Steeltoe writes a space as `+`, everybody else means a plus by it: who does not exist with a plus
    /// is looked for with a space.
    pub(crate) fn id<'a>(&self, call: &Call<'_>, app: &str, id: &'a str) -> Cow<'a, str> {
        let is_known = || matches!(self.node.eureka_instance(call.base, app, id), Ok(Some(_)));
        if id.contains('+') && !is_known() { Cow::Owned(id.replace('+', " ")) } else { Cow::Borrowed(id) }
    }

    /// Which body is sent to whoever accepts what this request accepts.
    pub(crate) fn item_format(call: &Call<'_>) -> crate::wire::Format {
        negotiate::item_format(&call.parts.headers)
    }
}
