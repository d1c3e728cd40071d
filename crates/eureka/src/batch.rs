//! `POST peerreplication/batch`: what a peer was told, passed on.

use crate::{
    edge::{Call, Edge},
    peers::EurekaChange,
    reply::{self, Failure},
    shown::shown,
    wire::{BatchAction, BatchError, BatchItem, Format, read_batch, write_batch_replies},
};
use axum::{body::Body, response::Response};
use http::StatusCode;
use muster_model::EurekaStatus;
use muster_node::{
    EurekaOverriding, EurekaRegistration, EurekaRenewal, EurekaRenewing, registry::EurekaShown,
};
use std::sync::Arc;

/// Items after which others get a turn; a batch has 250.
const ITEMS_AT_ONCE: usize = 64;

impl Edge {
    /// Does what the items say, in their order; the answer has as many, in the same order. Nothing in it waits for the log:
    /// a peer gives up after 200 ms.
    pub(crate) async fn batch(&self, call: &Call<'_>, body: Body) -> Result<Response, Failure> {
        let bytes = self.read_unpacked(call, body).await?;
        let items = read_batch(&bytes).map_err(|error| match error {
            BatchError::Unreadable => Failure::status(StatusCode::BAD_REQUEST),
            BatchError::TooMany => Failure::status(StatusCode::PAYLOAD_TOO_LARGE),
            BatchError::NoList => Failure::status(StatusCode::INTERNAL_SERVER_ERROR),
        })?;
        let mut replies = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            replies.push(self.replicate(call, item).await?);
            if at % ITEMS_AT_ONCE == ITEMS_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
        }
        let body =
            write_batch_replies(replies.iter().map(|(status, ours)| (*status, ours.as_deref().map(shown))));
        Ok(reply::body(StatusCode::OK, Format::Json, body.into()))
    }

    /// The status of one item, and our copy if it is newer. Of the node's errors only that it is starting refuses the batch,
    /// so that the peer sends it again.
    async fn replicate(
        &self,
        call: &Call<'_>,
        item: BatchItem,
    ) -> Result<(u16, Option<Arc<EurekaShown>>), Failure> {
        if !self.node.is_ready() {
            return Err(Failure::status(StatusCode::SERVICE_UNAVAILABLE));
        }
        let (overriding, actor) =
            (EurekaOverriding { last_dirty: item.last_dirty, replicated: true }, call.actor());
        let (base, app, id) = (call.base, item.app.clone(), item.id.clone());
        let change = match item.action {
            Some(BatchAction::Cancel) => EurekaChange::Cancelled,
            Some(BatchAction::DeleteStatusOverride) => EurekaChange::Restored,
            Some(BatchAction::StatusUpdate | BatchAction::Register | BatchAction::Heartbeat) | None => {
                EurekaChange::Overridden
            }
        };
        let done = match (item.action, item.status) {
            (Some(BatchAction::Register), _) => return Ok((self.replicate_registration(call, item), None)),
            (Some(BatchAction::Heartbeat), _) => return Ok(self.replicate_renewal(call, &item)),
            (Some(BatchAction::Cancel), _) => self.node.eureka_cancel(base, &app, &id, actor),
            (Some(BatchAction::StatusUpdate), Some(status)) => {
                self.node.eureka_set_status(base, &app, &id, status, overriding, actor).await
            }
            (Some(BatchAction::DeleteStatusOverride), fallback) => {
                self.node.eureka_clear_status(base, &app, &id, fallback, overriding, actor).await
            }
            (Some(BatchAction::StatusUpdate), None) | (None, _) => return Ok((500, None)),
        };
        Ok(match done {
            Ok(true) => {
                self.changed(call, true, &app, &id, change);
                (200, None)
            }
            Ok(false) => (404, None),
            Err(error) => (reply::code_of(&error).as_u16(), None),
        })
    }

    /// 200 also for what is refused: the peer could do nothing about it (`PeerReplicationResource`).
    fn replicate_registration(&self, call: &Call<'_>, mut item: BatchItem) -> u16 {
        let now = i64::try_from(self.node.now().wall.0).expect("the clock is before the year 292 million");
        let declared = match item.take_instance(now) {
            Some(Ok(declared)) => declared,
            Some(Err(refusal)) => {
                tracing::debug!(%refusal, app = item.app, id = item.id, "a replicated registration is refused");
                return 200;
            }
            None => return 500,
        };
        let registration = EurekaRegistration {
            instance: Arc::new(declared.instance),
            overridden: declared.overridden.unwrap_or(EurekaStatus::Unknown),
            replicated: true,
        };
        match self.node.eureka_register(call.base, registration, call.actor()) {
            Ok(()) => {
                self.changed(call, true, &item.app, &item.id, EurekaChange::Registered);
                200
            }
            Err(error) => {
                tracing::debug!(%error, app = item.app, id = item.id, "a replicated registration is refused");
                200
            }
        }
    }

    fn replicate_renewal(&self, call: &Call<'_>, item: &BatchItem) -> (u16, Option<Arc<EurekaShown>>) {
        let renewing = EurekaRenewing {
            last_dirty: item.last_dirty,
            overridden: item.overridden.unwrap_or(EurekaStatus::Unknown),
            replicated: true,
        };
        match self.node.eureka_renew(call.base, &item.app, &item.id, renewing, call.actor()) {
            Ok(EurekaRenewal::Renewed) => {
                self.changed(call, true, &item.app, &item.id, EurekaChange::Renewed);
                (200, None)
            }
            Ok(EurekaRenewal::Unknown) => (404, None),
            Ok(EurekaRenewal::Conflict(ours)) => (409, Some(ours)),
            Err(error) => (reply::code_of(&error).as_u16(), None),
        }
    }
}
