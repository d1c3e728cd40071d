//! What clients change: register, renew, cancel, status, metadata.

use crate::{
    edge::{Call, Edge},
    negotiate::{self, BodyType},
    peers::EurekaChange,
    reply::{self, Failure},
    wire::{Body as Registration, Format},
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use muster_model::{EurekaStatus, Metadata};
use muster_node::{EurekaOverriding, EurekaRegistration, EurekaRenewal, EurekaRenewing};
use std::sync::Arc;

impl Edge {
    /// `POST apps/{app}`: 204, exactly.
    pub(crate) async fn register(&self, call: &Call<'_>, app: &str, body: Body) -> Result<Response, Failure> {
        let unsupported = || Failure::status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let body_type = negotiate::body_type(&call.parts.headers).ok_or_else(unsupported)?;
        let text = decoded(body_type, self.read_unpacked(call, body).await?);
        let format = body_type.format;
        let registration = Registration::read(format, &text).map_err(|_| Failure::Unreadable(format))?;
        let now = i64::try_from(self.node.now().wall.0).expect("the clock is before the year 292 million");
        let declared = registration
            .declare(app, now)
            .map_err(|refusal| Failure::Refused(refusal.to_string(), text_format(&call.parts.headers)))?;
        let registration = EurekaRegistration {
            instance: Arc::new(declared.instance),
            overridden: declared.overridden.unwrap_or(EurekaStatus::Unknown),
            replicated: call.is_replicated(),
        };
        let (instance, replicated) = (registration.instance.clone(), registration.replicated);
        self.node.eureka_register(call.base, registration, call.actor())?;
        self.changed(call, replicated, &instance.app, instance.id(), EurekaChange::Registered);
        Ok(reply::status(StatusCode::NO_CONTENT))
    }

    /// `PUT apps/{app}/{id}`.
    pub(crate) fn renew(&self, call: &Call<'_>, app: &str, id: &str) -> Result<Response, Failure> {
        let replicated = call.is_replicated();
        let overridden = call.parameter("overriddenstatus").filter(|_| replicated);
        let renewing = EurekaRenewing {
            last_dirty: call.last_dirty(),
            overridden: overridden
                .and_then(|name| EurekaStatus::from_name(&name))
                .unwrap_or(EurekaStatus::Unknown),
            replicated,
        };
        let id = self.id(call, app, id);
        match self.node.eureka_renew(call.base, app, &id, renewing, call.actor())? {
            EurekaRenewal::Renewed => {
                self.changed(call, replicated, app, &id, EurekaChange::Renewed);
                Ok(reply::status(StatusCode::OK))
            }
            EurekaRenewal::Unknown => Err(Failure::unknown()),
            EurekaRenewal::Conflict(ours) => Err(Failure::Conflict(ours, Self::item_format(call))),
        }
    }

    /// `DELETE apps/{app}/{id}`.
    pub(crate) fn cancel(&self, call: &Call<'_>, app: &str, id: &str) -> Result<Response, Failure> {
        let id = self.id(call, app, id);
        let is_known = self.node.eureka_cancel(call.base, app, &id, call.actor())?;
        self.known(call, is_known, app, &id, EurekaChange::Cancelled)
    }

    /// `PUT apps/{app}/{id}/status?value=…`. A value that is no status is 400 (the original: 500).
    pub(crate) async fn set_status(&self, call: &Call<'_>, app: &str, id: &str) -> Result<Response, Failure> {
        let value = call.parameter("value").and_then(|name| EurekaStatus::from_name(&name));
        let status = value.ok_or(Failure::Status(StatusCode::BAD_REQUEST))?;
        let id = self.id(call, app, id);
        let overriding = EurekaOverriding { last_dirty: call.last_dirty(), replicated: call.is_replicated() };
        let is_known =
            self.node.eureka_set_status(call.base, app, &id, status, overriding, call.actor()).await?;
        self.known(call, is_known, app, &id, EurekaChange::Overridden)
    }

    /// `DELETE apps/{app}/{id}/status[?value=…]`.
    pub(crate) async fn clear_status(
        &self,
        call: &Call<'_>,
        app: &str,
        id: &str,
    ) -> Result<Response, Failure> {
        let fallback = call.parameter("value").and_then(|name| EurekaStatus::from_name(&name));
        let id = self.id(call, app, id);
        let overriding = EurekaOverriding { last_dirty: call.last_dirty(), replicated: call.is_replicated() };
        let is_known =
            self.node.eureka_clear_status(call.base, app, &id, fallback, overriding, call.actor()).await?;
        self.known(call, is_known, app, &id, EurekaChange::Restored)
    }

    /// `PUT apps/{app}/{id}/metadata?key=value&…`: of a key that is named twice the first value counts.
    pub(crate) fn set_metadata(&self, call: &Call<'_>, app: &str, id: &str) -> Result<Response, Failure> {
        let mut pairs: Vec<_> = crate::query::pairs(call.query()).collect();
        pairs.reverse();
        let id = self.id(call, app, id);
        let metadata = Metadata::new(pairs);
        let is_known = self.node.eureka_set_metadata(call.base, app, &id, metadata, call.actor())?;
        self.known(call, is_known, app, &id, EurekaChange::Relabelled)
    }

    /// 200 without a body, and peers are told; or 404 without one.
    fn known(
        &self,
        call: &Call<'_>,
        is_known: bool,
        app: &str,
        id: &str,
        change: EurekaChange,
    ) -> Result<Response, Failure> {
        if !is_known {
            return Err(Failure::unknown());
        }
        self.changed(call, call.is_replicated(), app, id, change);
        Ok(reply::status(StatusCode::OK))
    }
}

/// The text of a body.
fn decoded(body_type: BodyType, bytes: Bytes) -> Bytes {
    if body_type.is_latin {
        Bytes::from(bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
    } else {
        bytes
    }
}

/// What the text of a refusal is labelled as: what the client accepts, though it is neither.
fn text_format(headers: &HeaderMap) -> Format {
    negotiate::item_format(headers)
}
