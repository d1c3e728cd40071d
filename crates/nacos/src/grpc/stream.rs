//! The stream of a connection: set-up and acknowledgements in, pushes out.

use super::{
    push::{self, RequestOfOurs},
    session::{Session, Setup},
    sessions::Sessions,
};
use futures_util::{Stream, StreamExt, stream};
use muster_nacos_wire::grpc::{Ack, ConnectionSetupRequest, Payload, RequestType, parse, push::setup_ack};
use muster_node::Node;
use std::{pin::Pin, sync::Arc};
use tonic::{Code, Status, Streaming};

/// What this server can do; an ability is here only when it works.
const ABILITIES: [(&str, bool); 3] =
    [("supportPersistentInstanceByGrpc", true), ("fuzzyWatch", true), ("lock", true)];

/// The messages to one client.
pub(crate) type Pushes = Pin<Box<dyn Stream<Item = Result<Payload, Status>> + Send>>;

/// What a session has to say, made when the transport can take it: a slow client gets the newest state late, and
/// nothing is queued for it.
pub(super) fn pushes(node: Arc<Node>, session: Arc<Session>) -> Pushes {
    Box::pin(stream::unfold((node, session), |(node, session)| async move {
        loop {
            if session.is_ended() {
                return session.take_failure().map(|failure| (Err(failure), (node, session)));
            }
            if let Some(payload) = session.take_control() {
                return Some((Ok(payload), (node, session)));
            }
            if let Some(push) = session.watcher.try_next() {
                let payload = push::payload(&node, &session, &push);
                return Some((Ok(payload), (node, session)));
            }
            session.watcher.woken().await;
        }
    }))
}

/// Reads what a client sends on the stream, until it ends or the server drains; the connection ends with it.
pub(super) async fn receive(
    sessions: Arc<Sessions>,
    session: Arc<Session>,
    mut incoming: Streaming<Payload>,
) {
    let draining = sessions.draining();
    let failure = loop {
        let message = tokio::select! {
            () = draining.cancelled() => break None,
            message = incoming.next() => message,
        };
        match message {
            Some(Ok(payload)) => {
                sessions.touch(&session);
                take(&session, &payload);
            }
            Some(Err(status)) => {
                tracing::debug!(connection = session.name, %status, "stream broke");
                break Some(told(status));
            }
            None => break None,
        }
    };
    sessions.leave(&session, failure);
}

/// What the client is told when its half of the stream breaks. grpc-java answers a message over the limit with
/// `RESOURCE_EXHAUSTED`, tonic with `OUT_OF_RANGE`, which nothing else here gives.
fn told(status: Status) -> Status {
    if status.code() == Code::OutOfRange { Status::resource_exhausted(status.message()) } else { status }
}

fn take(session: &Session, payload: &Payload) {
    if payload.kind() == RequestType::ConnectionSetup.as_str() {
        return set_up(session, payload);
    }
    let Ok(ack) = Ack::parse(payload.json()) else {
        tracing::debug!(
            connection = session.name,
            kind = payload.kind(),
            "message on the stream is malformed"
        );
        return;
    };
    match ack.push_id().and_then(push::parse_id) {
        Some(RequestOfOurs::Push(push)) if ack.is_success() => session.watcher.acknowledge(push),
        Some(RequestOfOurs::Push(push)) => session.watcher.reject(push),
        Some(RequestOfOurs::Control(id)) => {
            let body = payload.body.as_ref().map(|body| body.value.clone()).unwrap_or_default();
            session.answered(id, body);
        }
        None => tracing::debug!(
            connection = session.name,
            kind = payload.kind(),
            "nothing was asked under that id"
        ),
    }
}

fn set_up(session: &Session, payload: &Payload) {
    let request: ConnectionSetupRequest<'_> = match parse(payload.json()) {
        Ok(request) => request,
        Err(error) => {
            tracing::debug!(connection = session.name, %error, "set-up is malformed");
            return;
        }
    };
    let wants_ack = request.ability_table.is_some();
    // A second set-up changes nothing (recording connect-twice).
    if session.set_up(Setup::of(&request, payload.client_ip())) {
        tracing::debug!(connection = session.name, client = %request.client_version, "client connected");
        if wants_ack {
            session.send(setup_ack(ABILITIES));
        }
    }
}
