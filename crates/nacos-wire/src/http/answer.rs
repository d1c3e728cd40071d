//! HTTP answers: texts, JSON, and the wrappers of each API generation. Compact JSON, because scripts grep it.

use super::{ResultCode, date::iso_date};
use crate::json::{self, Object};
use bytes::Bytes;
use muster_model::Timestamp;
use serde::Serialize;

/// Content type of v1 texts.
const TEXT: &str = "text/plain;charset=UTF-8";
/// Content type of JSON.
const JSON: &str = "application/json";
/// Content type of v1 config answers that Spring takes for JSON.
const JSON_UTF8: &str = "application/json;charset=UTF-8";

/// A status, a content type and a body; the edge adds the headers that every answer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; the check filter's refusals have none.
    pub content_type: Option<&'static str>,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// 200 `ok`, the success of v1 naming writes.
    pub fn ok() -> Self {
        Self::text(200, "ok")
    }

    /// A plain text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status, content_type: Some(TEXT), body: text.into().into() }
    }

    /// JSON bytes, 200.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self { status: 200, content_type: Some(JSON), body: body.into() }
    }

    /// A v1 config text that goes by the type of JSON: `true`, the 404 text, listener answers.
    pub fn config(status: u16, text: impl Into<String>) -> Self {
        Self { status, content_type: Some(JSON_UTF8), body: text.into().into() }
    }

    /// A text without a content type.
    pub fn untyped(status: u16, text: impl Into<String>) -> Self {
        Self { status, content_type: None, body: text.into().into() }
    }
}

/// `{"code":0,"message":"success","data":…}` (v2, v3), `data` written by the closure, which must write one JSON value.
pub fn result(write: impl FnOnce(&mut Vec<u8>)) -> Answer {
    Answer::json(wrapped(u64::from(ResultCode::Success.number()), "success", write))
}

/// A v2/v3 failure: the code's fixed text as `message`, what happened as `data` (null if there is nothing to say).
pub fn result_error(status: u16, code: ResultCode, detail: Option<&str>) -> Answer {
    let body = wrapped(u64::from(code.number()), code.message(), |out| json::value(out, &detail));
    Answer { status, ..Answer::json(body) }
}

/// A v2/v3 failure that is told by its text alone, with HTTP 200 and no data.
pub fn result_text(code: ResultCode, message: &str) -> Answer {
    Answer::json(wrapped(u64::from(code.number()), message, |out| json::value(out, &None::<&str>)))
}

/// Writes a JSON array, one element a call of `each`, which must write one JSON value.
pub fn write_list<T>(out: &mut Vec<u8>, items: &[T], each: impl FnMut(&mut Vec<u8>, &T)) {
    json::array(out, items, each);
}

/// A v2/v3 failure with data of its own.
pub fn result_with(status: u16, code: ResultCode, write: impl FnOnce(&mut Vec<u8>)) -> Answer {
    Answer { status, ..Answer::json(wrapped(u64::from(code.number()), code.message(), write)) }
}

/// `{"code":200,"message":null,"data":…}` (v1 `RestResult`), always HTTP 200.
pub fn rest_result(code: u32, message: Option<&str>, write: impl FnOnce(&mut Vec<u8>)) -> Answer {
    let mut out = Vec::with_capacity(128);
    let mut object = Object::open(&mut out);
    object.value("code", &code).value("message", &message);
    write(object.key("data"));
    object.close();
    Answer::json(out)
}

fn wrapped(code: u64, message: &str, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let mut object = Object::open(&mut out);
    object.value("code", &code).string("message", message);
    write(object.key("data"));
    object.close();
    out
}

/// Writes `{"totalCount":N,"pageNumber":P,"pagesAvailable":K,"pageItems":[…]}`.
pub fn page<T: Serialize>(out: &mut Vec<u8>, total: usize, number: usize, size: usize, items: &[T]) {
    let mut object = Object::open(out);
    object.value("totalCount", &total).value("pageNumber", &number);
    object.value("pagesAvailable", &total.div_ceil(size.max(1))).value("pageItems", items);
    object.close();
}

/// Writes a page as naming of 3.0.3 does, whose `pagesAvailable` is one more than full pages there are, also where that
/// is one too many (recordings v3-admin-ns-service, v3-console-ns-instance). `place` is page number and size.
pub fn naming_page<T>(
    out: &mut Vec<u8>,
    total: usize,
    place: (i32, usize),
    items: &[T],
    mut each: impl FnMut(&mut Vec<u8>, &T),
) {
    let pages = if total == 0 { 0 } else { total / place.1.max(1) + 1 };
    let mut object = Object::open(out);
    object.value("totalCount", &total).value("pageNumber", &place.0).value("pagesAvailable", &pages);
    json::array(object.key("pageItems"), items, |out, item| each(out, item));
    object.close();
}

/// Spring Boot's error page, which clients print and operators search.
pub fn error_page(status: u16, message: &str, path: &str, at: Timestamp) -> Answer {
    let mut out = Vec::with_capacity(192 + message.len());
    let mut object = Object::open(&mut out);
    object.string("timestamp", &iso_date(at)).value("status", &status).string("error", reason(status));
    object.string("message", message).string("path", path);
    object.close();
    Answer { status, ..Answer::json(out) }
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        413 => "Payload Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
