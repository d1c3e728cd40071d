//! What clients read.

use crate::{
    edge::{Call, Edge},
    lists::Kind,
    negotiate,
    reply::{self, Failure},
    shown::shown,
    wire::{Amount, Form, Frame, Listed, write_application, write_fragment, write_instance},
};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use muster_model::{EurekaInstance, EurekaStatus};
use muster_node::registry::{EurekaApp, EurekaShown};
use std::{fmt::Write as _, sync::Arc};

impl Edge {
    /// `GET apps` and `GET apps/delta`. Regions that are asked for are not looked at, as by a server that has none.
    pub(crate) async fn list(&self, call: &Call<'_>, kind: Kind) -> Result<Response, Failure> {
        let headers = &call.parts.headers;
        let (form, packed) = (negotiate::list_form(headers), negotiate::takes_gzip(headers));
        if self.is_joining(call)? {
            return Err(Failure::status(StatusCode::SERVICE_UNAVAILABLE));
        }
        let body = self.lists.body(call.base, kind, form, packed).await?;
        // Clients fetch the whole list when there is no delta.
        let body = body.ok_or_else(Failure::unknown)?;
        let mut response = reply::body(StatusCode::OK, form.format, body);
        if packed {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(response)
    }

    /// Whether a list would be empty only because peers' registries are not fetched yet: a client keeps the list it has
    /// when it is told of a failure, and drops it for an empty one.
    fn is_joining(&self, call: &Call<'_>) -> Result<bool, Failure> {
        let may_be = self.peers.is_joining() && self.peers.base() == call.base;
        Ok(may_be && self.node.eureka_snapshot(call.base)?.is_empty())
    }

    /// `GET apps/{app}`.
    pub(crate) fn app(&self, call: &Call<'_>, app: &str) -> Result<Response, Failure> {
        let form = negotiate::list_form(&call.parts.headers);
        let snapshot = self.node.eureka_snapshot(call.base)?;
        let app = snapshot.app(app).ok_or_else(Failure::unknown)?;
        let fragments: Vec<Vec<u8>> = app.instances.iter().map(|instance| fragment(form, instance)).collect();
        let body = write_application(form, &app.name, fragments.iter().map(|fragment| &**fragment));
        Ok(reply::body(StatusCode::OK, form.format, body.into()))
    }

    /// `GET apps/{app}/{id}`.
    pub(crate) fn item(&self, call: &Call<'_>, app: &str, id: &str) -> Result<Response, Failure> {
        let id = self.id(call, app, id);
        Self::one(call, self.node.eureka_instance(call.base, app, &id)?)
    }

    /// `GET instances/{id}`.
    pub(crate) fn instance(&self, call: &Call<'_>, id: &str) -> Result<Response, Failure> {
        Self::one(call, self.node.eureka_find_instance(call.base, id)?)
    }

    fn one(call: &Call<'_>, found: Option<Arc<EurekaShown>>) -> Result<Response, Failure> {
        let instance = found.ok_or_else(Failure::unknown)?;
        let format = Self::item_format(call);
        Ok(reply::body(StatusCode::OK, format, write_instance(format, &shown(&instance)).into()))
    }

    /// `GET vips/{vip}` and `GET svips/{vip}`: instances of any status that have the name among theirs, which are
    /// separated by commas and compared as they stand; 200 with an empty list if there is none.
    pub(crate) fn vip(
        &self,
        call: &Call<'_>,
        vip: &str,
        names: fn(&EurekaInstance) -> Option<&str>,
    ) -> Result<Response, Failure> {
        let form = negotiate::list_form(&call.parts.headers);
        let snapshot = self.node.eureka_snapshot(call.base)?;
        let is_named = |instance: &&Arc<EurekaShown>| {
            names(&instance.instance).is_some_and(|names| names.split(',').any(|name| name == vip))
        };
        let apps: Vec<(&EurekaApp, Vec<&Arc<EurekaShown>>)> = snapshot
            .apps
            .iter()
            .map(|app| (&**app, app.instances.iter().filter(is_named).collect::<Vec<_>>()))
            .filter(|(_, instances)| !instances.is_empty())
            .collect();
        let body = selection(form, &apps);
        Ok(reply::body(StatusCode::OK, form.format, body.into()))
    }
}

fn fragment(form: Form, instance: &EurekaShown) -> Vec<u8> {
    let mut out = Vec::with_capacity(if form.amount == Amount::Full { 1_200 } else { 500 });
    write_fragment(&mut out, form, &shown(instance));
    out
}

/// A list of some instances; its number is -1.
fn selection(form: Form, apps: &[(&EurekaApp, Vec<&Arc<EurekaShown>>)]) -> Vec<u8> {
    let count = |status| {
        apps.iter().flat_map(|(_, instances)| instances).filter(|instance| instance.status == status).count()
    };
    let mut hash = String::new();
    for status in EurekaStatus::ALL {
        let count = count(status);
        if count > 0 {
            write!(hash, "{}_{count}_", status.as_str()).expect("writing to a String does not fail");
        }
    }
    let frame = Frame(form);
    let list = Listed { version: "-1", hash: &hash, empty: apps.is_empty() };
    let mut out = Vec::new();
    frame.head(&mut out, &list);
    for (at, (app, instances)) in apps.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(frame.separator());
        }
        frame.app_head(&mut out, &app.name);
        for (at, instance) in instances.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(frame.separator());
            }
            write_fragment(&mut out, form, &shown(instance));
        }
        frame.app_tail(&mut out);
    }
    frame.tail(&mut out, &list);
    out
}
