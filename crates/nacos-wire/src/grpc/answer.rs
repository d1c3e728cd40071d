//! Answers to unary requests. Every body has `resultCode`, `errorCode` and `success`, and no null text: Rust, Go and
//! Python clients break on anything less (nacos-grpc.md 3.1, 3.9).

use super::{Payload, RequestType};
use crate::{
    Text,
    json::{self, Object},
};
use bytes::Bytes;

/// The success of a request whose answer says nothing more.
pub fn success(kind: RequestType) -> Payload {
    Payload::new(kind.response(), Bytes::from_static(br#"{"resultCode":200,"errorCode":0,"success":true}"#))
}

/// `ServerCheckResponse`; `connection` is the id of the transport, opaque to clients, without `#`.
pub fn server_check(connection: &str) -> Payload {
    with(RequestType::ServerCheck, 64 + connection.len(), |object| {
        object.string("connectionId", connection).raw("supportAbilityNegotiation", b"true");
    })
}

/// `InstanceResponse` or `BatchInstanceResponse`: repeats the request's `type`.
pub fn instance(kind: RequestType, action: &str) -> Payload {
    with(kind, 32 + action.len(), |object| {
        object.string("type", action);
    })
}

/// The body of a `QueryServiceResponse` around the ServiceInfo that is written: the bytes worth keeping a revision
/// long, so they take no more room than they need.
pub fn query_service_body(write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    body(512, |object| write(object.key("serviceInfo")))
}

/// `QueryServiceResponse`.
pub fn query_service(service_info: &[u8]) -> Payload {
    with(RequestType::ServiceQuery, service_info.len() + 32, |object| {
        object.raw("serviceInfo", service_info);
    })
}

/// `SubscribeServiceResponse`, to subscribe and unsubscribe.
pub fn subscribe_service(service_info: &[u8]) -> Payload {
    with(RequestType::SubscribeService, service_info.len() + 64, |object| {
        object.raw("message", b"\"success\"").raw("serviceInfo", service_info);
    })
}

/// `ServiceListResponse`: `count` is all matches, the names are one page.
pub fn service_list<'a>(count: usize, names: impl IntoIterator<Item = &'a str>) -> Payload {
    with(RequestType::ServiceList, 256, |object| {
        object.value("count", &count);
        json::array(object.key("serviceNames"), names, json::string);
    })
}

/// What a config query found.
#[derive(Clone, Copy, Debug)]
pub struct FoundConfig<'a> {
    /// The content.
    pub content: &'a str,
    /// The type's name (`yaml`), not a MIME type.
    pub content_type: &'a str,
    /// Md5 of the content's bytes, lower-case hex.
    pub md5: &'a str,
    /// The encrypted data key, "" if there is none.
    pub encrypted_data_key: &'a str,
    /// Milliseconds.
    pub last_modified: u64,
    /// Whether this is the beta version.
    pub beta: bool,
    /// The tag, if this is a tag's version; else no key at all, because Go and Python declare it boolean.
    pub tag: Option<&'a str>,
}

/// The body of a successful `ConfigQueryResponse`.
pub fn config_query_body(found: &FoundConfig<'_>) -> Bytes {
    body(found.content.len() + found.content.len() / 8 + 256, |object| {
        object.string("content", found.content).string("encryptedDataKey", found.encrypted_data_key);
        object.string("contentType", found.content_type).string("md5", found.md5);
        object.value("lastModified", &found.last_modified);
        if let Some(tag) = found.tag {
            object.string("tag", tag);
        }
        object.value("beta", &found.beta);
    })
}

/// `ConfigQueryResponse` of a config that was found.
pub fn config_query(found: &FoundConfig<'_>) -> Payload {
    Payload::new(RequestType::ConfigQuery.response(), config_query_body(found))
}

/// `ConfigQueryResponse` of a config that was not found; it repeats the tag that was asked for.
pub fn config_not_found(tag: Option<&str>) -> Payload {
    let message = "config data not exist";
    let mut out = Vec::with_capacity(160);
    let mut object = failed(&mut out, 500, 300, message);
    object.raw("lastModified", b"0");
    if let Some(tag) = tag {
        object.string("tag", tag);
    }
    object.raw("beta", b"false").raw("success", b"false");
    object.close();
    Payload::new(RequestType::ConfigQuery.response(), out)
}

/// One config of a change answer, in the client's own spelling.
#[derive(Clone, Copy, Debug)]
pub struct ChangedConfig<'a> {
    /// Group.
    pub group: &'a str,
    /// Data id.
    pub data_id: &'a str,
    /// The namespace as this client spells it; a null one becomes "".
    pub tenant: &'a Text<'a>,
}

/// `ConfigChangeBatchListenResponse`: the configs whose md5 differs from the client's.
pub fn changed_configs<'a>(changed: impl IntoIterator<Item = ChangedConfig<'a>>) -> Payload {
    with(RequestType::ConfigBatchListen, 128, |object| {
        json::array(object.key("changedConfigs"), changed, |out, config| {
            let mut object = Object::open(out);
            object
                .string("group", config.group)
                .string("dataId", config.data_id)
                .string("tenant", config.tenant);
            object.close();
        });
    })
}

/// `LockOperationResponse`.
pub fn lock(result: bool) -> Payload {
    with(RequestType::LockOperation, 32, |object| {
        object.value("result", &result);
    })
}

/// A failure in the type of the expected answer, with the keys that strict parsers want even then.
pub fn failure(kind: RequestType, code: i32, message: &str) -> Payload {
    let mut out = Vec::with_capacity(128 + message.len());
    let mut object = failed(&mut out, 500, code, message);
    if kind == RequestType::ConfigQuery {
        object.raw("lastModified", b"0").raw("beta", b"false");
    } else if kind == RequestType::ServiceList {
        object.raw("count", b"0");
    } else if kind == RequestType::ConfigBatchListen {
        object.raw("changedConfigs", b"[]");
    } else if kind == RequestType::LockOperation {
        object.raw("result", b"false");
    }
    object.raw("success", b"false");
    object.close();
    Payload::new(kind.response(), out)
}

/// `ErrorResponse`. Its `resultCode` is 500 as recorded for everything before a handler runs, and the code itself for a
/// lost connection (-401), which a handler finds.
pub fn error(code: i32, message: &str) -> Payload {
    let result = if code < 0 { code } else { 500 };
    let mut out = Vec::with_capacity(96 + message.len());
    let mut object = failed(&mut out, result, code, message);
    object.raw("success", b"false");
    object.close();
    Payload::new("ErrorResponse", out)
}

fn failed<'a>(out: &'a mut Vec<u8>, result: i32, code: i32, message: &str) -> Object<'a> {
    debug_assert_ne!(code, 0, "a failure with code 0 reads as success in Python");
    let mut object = Object::open(out);
    object.value("resultCode", &result).value("errorCode", &code).string("message", message);
    object
}

fn with(kind: RequestType, size: usize, write: impl FnOnce(&mut Object<'_>)) -> Payload {
    Payload::new(kind.response(), body(size, write))
}

fn body(size: usize, write: impl FnOnce(&mut Object<'_>)) -> Bytes {
    let mut out = Vec::with_capacity(size + 64);
    let mut object = Object::open(&mut out);
    object.raw("resultCode", b"200").raw("errorCode", b"0");
    write(&mut object);
    object.raw("success", b"true");
    object.close();
    json::fitting(out)
}
