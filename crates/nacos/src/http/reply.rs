//! An answer with the headers of its own.

use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use muster_nacos_wire::http::{Answer, result, write_json};

/// `{"code":0,"message":"success","data":"ok"}`, as v2 and v3 say that something is done, or well.
pub(crate) fn done() -> Reply {
    result(|out| write_json(out, "ok")).into()
}

/// What a handler answers.
pub(crate) struct Reply {
    answer: Answer,
    headers: Vec<(&'static str, String)>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, headers: Vec::new() }
    }
}

impl Reply {
    /// Adds headers.
    pub(crate) fn with_headers<V: Into<String>>(
        mut self,
        headers: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        self.headers.extend(headers.into_iter().map(|(name, value)| (name, value.into())));
        self
    }

    /// The response. A value that can be no header (a cipher key with line ends) is left out.
    pub(crate) fn into_response(self) -> Response {
        let Answer { status, content_type, body } = self.answer;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).expect("statuses are constants of ours");
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("names are constants of ours");
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
