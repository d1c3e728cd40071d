//! One request, read.

use super::{Http, reply::Reply};
use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http::{HeaderMap, Method, header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use muster_model::{Actor, ErrorCode};
use muster_nacos_wire::http::{Answer, Parameters, Refusal, client_address, file_part};
use muster_node::config::{Author, ClientLabels};
use muster_transport::{
    ConnectionInfo, Surface, Surfaces,
    consistency::{self, UnknownConsistency},
};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

/// A request with its parameters.
pub(crate) struct Call {
    /// The method; HEAD reads as GET where GET is meant (see [`Call::method`]).
    method: Method,
    /// The whole path, as error pages repeat it.
    pub(crate) full_path: String,
    /// The path after the context path, without a slash at its end.
    pub(crate) path: String,
    /// Whether the context path is missing: the console's own port has none.
    is_bare: bool,
    /// Query and form together.
    pub(crate) parameters: Parameters,
    /// The body, where it is JSON or a multipart form (whose texts are parameters as well); else empty.
    pub(crate) body: Bytes,
    /// Held while a request carries an archive: see [`Http::archives`].
    _archive: Option<OwnedSemaphorePermit>,
    /// Whether it asks for what holds every write acknowledged before it: reads may.
    pub(crate) is_linearizable: Result<bool, UnknownConsistency>,
    /// Empty where there are few.
    headers: HeaderMap,
    /// Those of a request that is held.
    few: Vec<(&'static str, Box<str>)>,
    /// The connection it came on.
    pub(crate) info: ConnectionInfo,
}

impl Call {
    /// Reads a request, its body up to three times the largest content (percent-encoding trebles it) and 1 MiB, an archive
    /// to import up to 100 MiB.
    pub(crate) async fn read(request: Request, http: &Http) -> Result<Self, Reply> {
        let (parts, body) = request.into_parts();
        let Some(info) = parts.extensions.get::<ConnectionInfo>().copied() else {
            tracing::error!("a request without its connection");
            return Err(Answer::text(500, "a request without its connection").into());
        };
        let is_read = matches!(parts.method, Method::GET | Method::HEAD);
        let is_linearizable = if is_read { consistency::is_linearizable(&parts.headers) } else { Ok(false) };
        let mut bytes_max = 3 * http.node.settings().limits.content_bytes_max + (1 << 20);
        let mut archive = None;
        if is_import(&parts) {
            bytes_max = bytes_max.max(IMPORT_BYTES_MAX);
            archive = http.archives.clone().acquire_owned().await.ok();
        }
        let body = if has_body(&parts) { read(body, bytes_max).await? } else { Bytes::new() };
        let content_type = header(&parts.headers, CONTENT_TYPE.as_str());
        let parameters = Parameters::read(parts.uri.query().unwrap_or_default(), content_type, &body);
        // A form is in the parameters now, and a held request must not keep the buffer it came in.
        let is_form = content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let body = if is_form { Bytes::new() } else { body };
        let full_path = parts.uri.path().to_owned();
        let inside = full_path.strip_prefix(&http.settings.context_path);
        let (is_bare, path) = (inside.is_none(), inside.unwrap_or(&full_path));
        let path = path.trim_end_matches('/').to_owned();
        let (few, headers) = match path.ends_with(HELD) {
            true => (few(&parts.headers), HeaderMap::new()),
            false => (Vec::new(), parts.headers),
        };
        Ok(Self {
            method: parts.method,
            full_path,
            path,
            is_bare,
            is_linearizable,
            parameters,
            body,
            _archive: archive,
            headers,
            few,
            info,
        })
    }

    /// The body as JSON.
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Refusal> {
        let unread = |error| format!("the body is not the JSON it should be: {error}");
        serde_json::from_slice(&self.body)
            .map_err(|error| Refusal::failed(ErrorCode::ParameterMissing, unread(error)))
    }

    /// The method as routes name it, HEAD as GET.
    pub(crate) fn method(&self) -> &str {
        if self.method == Method::HEAD { "GET" } else { self.method.as_str() }
    }

    /// The method as it came.
    pub(crate) fn exact_method(&self) -> &str {
        self.method.as_str()
    }

    /// Whether something on these surfaces is found: the listener must show one of them, and a path without the
    /// context path only leads to what the console asks.
    pub(crate) fn is_on(&self, surfaces: Surfaces) -> bool {
        self.info.surfaces.meets(surfaces)
            && (!self.is_bare || surfaces.meets(Surfaces::of(&[Surface::Console])))
    }

    /// A header that is text and not blank.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let few = || self.few.iter().find(|(few, _)| few.eq_ignore_ascii_case(name));
        let value = header(&self.headers, name).or_else(|| few().map(|(_, value)| &**value));
        value.filter(|value| !value.trim().is_empty())
    }

    /// The content of a file in a multipart form.
    pub(crate) fn file(&self, name: &str) -> Option<Bytes> {
        let content_type = header(&self.headers, CONTENT_TYPE.as_str())?;
        Some(self.body.slice(file_part(content_type, &self.body, name)?))
    }

    /// Who asks, for the flight recorder.
    pub(crate) fn actor(&self) -> Actor {
        Actor { connection: Some(self.info.id), address: Some(self.info.remote.ip()), user: None }
    }

    /// The address the client seems to have; for gray rules and display only.
    pub(crate) fn client_ip(&self) -> String {
        let socket = self.info.remote.ip().to_string();
        client_address(self.header("X-Forwarded-For"), self.header("X-Real-IP"), &socket).to_owned()
    }

    /// What gray rules select by.
    pub(crate) fn labels(&self) -> ClientLabels {
        let tag = self.header("Vipserver-Tag").map(str::to_owned);
        ClientLabels { ip: self.client_ip(), tag, others: Vec::new() }
    }

    /// Who changes a config; `user` is the parameter that names it.
    pub(crate) fn author(&self, user: &str) -> Author {
        Author { user: self.parameters.first(&[user]).map(str::to_owned), ip: self.client_ip() }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The end of the paths whose requests are held for long.
const HELD: &str = "/configs/listener";

/// The headers that a held request asks for. A map of them, and the buffer that it refers to, would be kept for as long
/// as it is held.
fn few(headers: &HeaderMap) -> Vec<(&'static str, Box<str>)> {
    const ASKED: [&str; 6] = [
        "long-pulling-timeout",
        "long-pulling-timeout-no-hangup",
        "client-version",
        "x-forwarded-for",
        "x-real-ip",
        "vipserver-tag",
    ];
    let mut few: Vec<_> =
        ASKED.into_iter().filter_map(|name| Some((name, header(headers, name)?.into()))).collect();
    few.shrink_to_fit();
    few
}

/// The largest archive that is imported, with what is around it.
const IMPORT_BYTES_MAX: usize = 100 << 20;

/// Whether the body is read: Spring reads forms and JSON of these methods. Any other body is left unread.
fn has_body(parts: &Parts) -> bool {
    let content_type = header(&parts.headers, CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
    matches!(parts.method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
        && (content_type.starts_with("application/x-www-form-urlencoded")
            || content_type.starts_with("multipart/form-data")
            || content_type.starts_with("application/json"))
}

/// Whether it may carry an archive of configs.
fn is_import(parts: &Parts) -> bool {
    let content_type = header(&parts.headers, CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
    let path = parts.uri.path().trim_end_matches('/');
    parts.method == Method::POST
        && content_type.starts_with("multipart/form-data")
        && (path.ends_with("/cs/configs") || path.ends_with("/cs/config/import"))
}

async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Reply> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Answer::text(413, format!("the body may have {bytes_max} bytes\n")).into())
        }
        Err(error) => {
            tracing::debug!(%error, "request body broke");
            Err(Answer::text(400, "the body could not be read\n").into())
        }
    }
}
