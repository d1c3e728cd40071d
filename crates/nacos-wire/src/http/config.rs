//! Reading a config over HTTP: the headers of v1 and the object of v3.

use super::{Answer, date::http_date, result};
use crate::json::Object;
use muster_model::Timestamp;

/// The 404 body of v1 reads.
pub const CONFIG_NOT_FOUND: &str = "config data not exist\n";

/// What a v1 read says in headers.
#[derive(Clone, Copy, Debug)]
pub struct ConfigHeaders<'a> {
    /// The type's name.
    pub config_type: &'a str,
    /// Md5 of the body, lower-case hex.
    pub md5: &'a str,
    /// The encrypted data key, "" if there is none.
    pub encrypted_data_key: &'a str,
    /// When it was changed.
    pub last_modified: Timestamp,
    /// Whether the beta version was chosen.
    pub beta: bool,
    /// The tag whose version was chosen.
    pub tag: Option<&'a str>,
}

/// The headers of a v1 read; the body is the content itself, `text/plain`.
pub fn config_headers(config: &ConfigHeaders<'_>) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("Config-Type", config.config_type.to_owned()),
        ("Content-MD5", config.md5.to_owned()),
        ("Encrypted-Data-Key", config.encrypted_data_key.to_owned()),
        ("Last-Modified", http_date(config.last_modified)),
    ];
    headers.extend(no_cache_headers().map(|(name, value)| (name, value.to_owned())));
    if config.beta {
        headers.push(("isBeta", "true".to_owned()));
    }
    if let Some(tag) = config.tag {
        headers.push(("tag", tag.to_owned()));
    }
    headers
}

/// The headers that keep config reads and listener answers out of caches.
pub fn no_cache_headers() -> [(&'static str, &'static str); 3] {
    [
        ("Pragma", "no-cache"),
        ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Cache-Control", "no-cache,no-store"),
    ]
}

/// What a v3 client read answers.
#[derive(Clone, Copy, Debug)]
pub struct V3Config<'a> {
    /// Content.
    pub content: &'a str,
    /// The type's name.
    pub config_type: &'a str,
    /// Md5, lower-case hex.
    pub md5: &'a str,
    /// The encrypted data key; null on gray versions.
    pub encrypted_data_key: Option<&'a str>,
    /// When it was changed.
    pub last_modified: Timestamp,
    /// Whether it is the beta version.
    pub beta: bool,
    /// The tag whose version it is.
    pub tag: Option<&'a str>,
}

/// `GET /v3/client/cs/config`: a gRPC answer inside a `Result`, with its nulls as recorded.
pub fn v3_config(config: &V3Config<'_>) -> Answer {
    result(|out| {
        let mut object = Object::open(out);
        object
            .raw("resultCode", b"200")
            .raw("errorCode", b"0")
            .raw("message", b"null")
            .raw("requestId", b"null");
        object.string("content", config.content).value("encryptedDataKey", &config.encrypted_data_key);
        object.string("contentType", config.config_type).string("md5", config.md5);
        object.value("lastModified", &config.last_modified.0).value("tag", &config.tag);
        object.value("beta", &config.beta).raw("success", b"true");
        object.close();
    })
}
