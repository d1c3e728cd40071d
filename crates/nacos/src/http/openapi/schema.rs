//! What values look like.

use serde_json::{Map, Value, json};

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// Always null.
    Nothing,
    /// The text `ok`.
    Ok,
    /// An object, or null, that has a name of its own.
    Named(&'static str),
    /// The same, where null says that there is none.
    Maybe(&'static str),
    /// A list.
    List(&'static Self),
    /// A page of a list.
    Page(&'static Self),
    /// A map from texts.
    Map(&'static Self),
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

impl Shape {
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Whole => json!({ "type": "integer" }),
            Self::Number => json!({ "type": "number" }),
            Self::Nothing => json!({ "type": "null" }),
            Self::Ok => json!({ "type": "string", "const": "ok" }),
            Self::Named(name) => reference(name),
            Self::Maybe(name) => json!({ "oneOf": [reference(name), { "type": "null" }] }),
            Self::List(item) => json!({ "type": "array", "items": item.schema() }),
            Self::Page(item) => json!({
                "allOf": [
                    reference("Page"),
                    { "properties": { "pageItems": { "type": "array", "items": item.schema() } } },
                ],
            }),
            Self::Map(item) => json!({ "type": "object", "additionalProperties": item.schema() }),
        }
    }
}

use Shape::{Flag, List, Map as MapOf, Named, Number, Text, Whole};

/// The fields of an object.
type Fields = &'static [(&'static str, Shape, &'static str)];

const CONFIG_FIELDS: Fields = &[
    ("id", Text, "a number, as a text"),
    ("namespaceId", Text, "the namespace"),
    ("groupName", Text, "the group"),
    ("dataId", Text, "the data id"),
    ("md5", Text, "MD5 of the content, hexadecimal"),
    ("type", Text, "the type of the content"),
    ("appName", Text, "the application"),
    ("createTime", Whole, "milliseconds since 1970, 0 in lists"),
    ("modifyTime", Whole, "milliseconds since 1970, 0 in lists"),
];

const HISTORY_FIELDS: Fields = &[
    ("srcIp", Text, "where the change came from"),
    ("srcUser", Text, "who made it"),
    ("opType", Text, "I, U or D, padded to ten characters"),
    ("publishType", Text, "formal or gray"),
];

/// All named objects with their fields; a few are made of others.
const OBJECTS: &[(&str, &[Fields])] = &[
    ("ConfigBasicInfo", &[CONFIG_FIELDS]),
    (
        "ConfigDetailInfo",
        &[
            CONFIG_FIELDS,
            &[
                ("content", Text, "the content"),
                ("desc", Text, "the description"),
                ("encryptedDataKey", Text, "the key of a content that its client has encrypted"),
                ("createUser", Text, "who created it"),
                ("createIp", Text, "from where"),
                ("configTags", Text, "tags with commas"),
            ],
        ],
    ),
    (
        "ConfigGrayInfo",
        &[
            CONFIG_FIELDS,
            &[
                ("content", Text, "the content"),
                ("desc", Text, "the description"),
                ("encryptedDataKey", Text, "the key of a content that its client has encrypted"),
                ("createUser", Text, "who created it"),
                ("createIp", Text, "from where"),
                ("configTags", Text, "tags with commas"),
                ("grayName", Text, "`beta`"),
                ("grayRule", Text, "the rule, as JSON"),
            ],
        ],
    ),
    ("ConfigHistoryBasicInfo", &[CONFIG_FIELDS, HISTORY_FIELDS]),
    (
        "ConfigHistoryDetailInfo",
        &[
            CONFIG_FIELDS,
            HISTORY_FIELDS,
            &[
                ("content", Text, "the new content of I, the old one of U and D"),
                ("encryptedDataKey", Text, "its key"),
                ("grayName", Text, "which gray release it was"),
                ("extInfo", Text, "more, as JSON"),
            ],
        ],
    ),
    (
        "ClientConfig",
        &[&[
            ("resultCode", Whole, "200"),
            ("errorCode", Whole, "0"),
            ("message", Shape::Nothing, "null"),
            ("requestId", Shape::Nothing, "null"),
            ("content", Text, "the content"),
            ("contentType", Text, "its type"),
            ("md5", Text, "its MD5"),
            ("encryptedDataKey", Text, "its key"),
            ("lastModified", Whole, "milliseconds since 1970"),
            ("tag", Text, "the tag it was chosen by"),
            ("beta", Flag, "whether it is the beta release"),
            ("success", Flag, "true"),
        ]],
    ),
    (
        "ListenerInfo",
        &[&[
            ("queryType", Text, "config or ip"),
            ("listenersStatus", MapOf(&Text), "MD5s that clients hold, by address or by config"),
        ]],
    ),
    (
        "Moved",
        &[&[
            ("succCount", Whole, "configs written"),
            ("skipCount", Whole, "configs left alone"),
            ("unrecognizedCount", Whole, "files that are none"),
        ]],
    ),
    (
        "Capacity",
        &[&[
            ("id", Text, "a number, as a text"),
            ("quota", Whole, "most configs, 0 for the default"),
            ("usage", Whole, "configs there are"),
            ("maxSize", Whole, "bytes of one content"),
            ("maxAggrCount", Whole, "without meaning"),
            ("maxAggrSize", Whole, "without meaning"),
            ("groupName", Text, "of this group"),
            ("namespaceId", Text, "or of this namespace"),
        ]],
    ),
    (
        "Instance",
        &[&[
            ("ip", Text, "the address"),
            ("port", Whole, "the port"),
            ("weight", Number, "the share of calls"),
            ("healthy", Flag, "whether it is healthy"),
            ("enabled", Flag, "whether it takes calls"),
            ("ephemeral", Flag, "whether a lease keeps it"),
            ("clusterName", Text, "the cluster"),
            ("serviceName", Text, "`group@@service`"),
            ("metadata", MapOf(&Text), "what it says of itself"),
            ("instanceHeartBeatInterval", Whole, "milliseconds between beats"),
            ("instanceHeartBeatTimeOut", Whole, "milliseconds until it is unhealthy"),
            ("ipDeleteTimeout", Whole, "milliseconds until it is removed"),
            ("instanceIdGenerator", Text, "`simple`"),
        ]],
    ),
    ("Updated", &[&[("updated", List(&Text), "`ip:port:unknown:cluster:kind` each")]]),
    (
        "ServiceDetail",
        &[&[
            ("namespaceId", Text, "the namespace"),
            ("serviceName", Text, "the service"),
            ("groupName", Text, "its group"),
            ("clusterMap", MapOf(&Named("ClusterDetail")), "its clusters"),
            ("metadata", MapOf(&Text), "its metadata"),
            ("protectThreshold", Number, "its protection threshold"),
            ("selector", Named("Anything"), "its selector, null in lists"),
            ("ephemeral", Flag, "the kind of its instances"),
        ]],
    ),
    (
        "ClusterDetail",
        &[&[
            ("clusterName", Text, "the cluster"),
            ("healthChecker", Named("HealthChecker"), "how persistent instances are checked"),
            ("healthyCheckPort", Whole, "the port that is checked"),
            ("useInstancePortForCheck", Flag, "whether each instance's own is"),
            ("metadata", MapOf(&Text), "its metadata"),
            ("hosts", List(&Named("Instance")), "its instances in lists that have them, else null"),
        ]],
    ),
    (
        "HealthChecker",
        &[&[
            ("type", Text, "TCP, HTTP, MYSQL or NONE"),
            ("path", Text, "of HTTP"),
            ("headers", Text, "of HTTP: `K:V|K2:V2`"),
            ("expectedResponseCode", Whole, "of HTTP"),
            ("user", Text, "of MYSQL"),
            ("pwd", Text, "of MYSQL"),
            ("cmd", Text, "of MYSQL"),
        ]],
    ),
    (
        "ServiceView",
        &[&[
            ("name", Text, "the service"),
            ("groupName", Text, "its group"),
            ("clusterCount", Whole, "clusters"),
            ("ipCount", Whole, "instances"),
            ("healthyInstanceCount", Whole, "healthy ones"),
            ("triggerFlag", Text, "`true` where the protection threshold is reached, else `false`"),
        ]],
    ),
    (
        "Subscriber",
        &[&[
            ("namespaceId", Text, "the namespace"),
            ("groupName", Text, "the group"),
            ("serviceName", Text, "the service"),
            ("ip", Text, "where the client is"),
            ("port", Whole, "its port"),
            ("agent", Text, "name and version of the client"),
            ("appName", Text, "the application"),
        ]],
    ),
    (
        "Client",
        &[&[
            ("clientId", Text, "a connection, or `ip:port#true`"),
            ("ephemeral", Flag, "the kind of its instances"),
            ("lastUpdatedTime", Whole, "milliseconds since 1970"),
            ("clientType", Text, "connection or ipPort"),
            ("connectType", Text, "GRPC"),
            ("appName", Text, "the application"),
            ("version", Text, "name and version"),
            ("clientIp", Text, "where it is"),
            ("clientPort", Text, "its port"),
        ]],
    ),
    (
        "ClientService",
        &[&[
            ("namespaceId", Text, "the namespace"),
            ("groupName", Text, "the group"),
            ("serviceName", Text, "the service"),
            ("publisherInfo", Named("Publisher"), "what it registered"),
            ("subscriberInfo", Named("ServiceSubscriber"), "how it subscribes"),
        ]],
    ),
    (
        "Publisher",
        &[&[
            ("clientId", Text, "the client"),
            ("ip", Text, "the address of its instance"),
            ("port", Whole, "the port"),
            ("clusterName", Text, "the cluster"),
        ]],
    ),
    (
        "ServiceSubscriber",
        &[&[
            ("clientId", Text, "the client"),
            ("appName", Text, "the application"),
            ("agent", Text, "name and version"),
            ("address", Text, "where it is"),
        ]],
    ),
    (
        "NamingMetrics",
        &[&[
            ("status", Text, "UP or STARTING, or what the switch overriddenServerStatus says"),
            ("serviceCount", Whole, "services"),
            ("instanceCount", Whole, "instances"),
            ("subscribeCount", Whole, "subscriptions, each service of a client counted"),
            ("clientCount", Whole, "clients"),
            ("connectionBasedClientCount", Whole, "gRPC connections of naming"),
            ("ephemeralIpPortClientCount", Whole, "ephemeral clients known by their address"),
            ("persistentIpPortClientCount", Whole, "persistent ones"),
            ("responsibleClientCount", Whole, "clients of this node"),
            ("cpu", Number, "share of the processors in use, 0 to 1"),
            ("load", Number, "load average of the last minute"),
            ("mem", Number, "share of memory in use, 0 to 1"),
        ]],
    ),
    (
        "Namespace",
        &[&[
            ("namespace", Text, "its id"),
            ("namespaceShowName", Text, "its name"),
            ("namespaceDesc", Text, "its description, or null"),
            ("quota", Whole, "200, without meaning"),
            ("configCount", Whole, "configs in it"),
            ("type", Whole, "0 is `public`, 1 any other"),
        ]],
    ),
    (
        "Member",
        &[&[
            ("ip", Text, "the address at which it was reached"),
            ("port", Whole, "its main port"),
            ("state", Text, "UP or STARTING"),
            ("address", Text, "`ip:port`"),
            ("failAccessCnt", Whole, "0"),
            ("grpcReportEnabled", Flag, "true"),
            ("abilities", Named("Anything"), "what the original's nodes can do"),
            ("extendInfo", Named("Anything"), "version, Raft group and its term"),
        ]],
    ),
    (
        "Connection",
        &[&[
            ("metaInfo", Named("Anything"), "id, addresses, version, application, labels and times"),
            ("connected", Flag, "true"),
            ("traced", Flag, "false"),
            ("labels", MapOf(&Text), "what the client is for"),
            ("appLabels", MapOf(&Text), "further labels"),
        ]],
    ),
    (
        "ServerLoad",
        &[&[
            ("detail", List(&Named("Anything")), "a node each: address, sdkConCount, conCount, load, cpu"),
            ("memberCount", Whole, "1"),
            ("metricsCount", Whole, "1"),
            ("completed", Flag, "true"),
            ("max", Whole, "clients of the node with most"),
            ("min", Whole, "of the one with least"),
            ("avg", Whole, "on average"),
            ("total", Whole, "together"),
            ("threshold", Text, "the average and a tenth"),
        ]],
    ),
    (
        "IdInfo",
        &[&[
            ("resource", Text, "what the ids are for"),
            ("info", Named("Anything"), "currentId and workerId"),
        ]],
    ),
    (
        "RaftCommand",
        &[&[
            ("command", Text, "doSnapshot"),
            ("value", Text, "without meaning"),
            ("groupId", Text, "without meaning"),
        ]],
    ),
    ("LogChange", &[&[("logName", Text, "the logger"), ("logLevel", Text, "the level")]]),
    (
        "Token",
        &[&[
            ("accessToken", Text, "AUTH_DISABLED"),
            ("tokenTtl", Whole, "seconds"),
            ("globalAdmin", Flag, "true"),
            ("username", Text, "as it was given"),
        ]],
    ),
    (
        "CloneItem",
        &[&[
            ("configId", Text, "of administration: which config"),
            ("targetGroupName", Text, "its new group, blank keeps it"),
            ("targetDataId", Text, "its new data id, blank keeps it"),
            ("cfgId", Text, "of the console: which config"),
            ("group", Text, "its new group, blank keeps it"),
            ("dataId", Text, "its new data id, blank keeps it"),
        ]],
    ),
];

/// All schemas that have names.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    schemas.insert(
        "Result".to_owned(),
        json!({
            "type": "object",
            "required": ["code", "message", "data"],
            "properties": {
                "code": { "type": "integer", "description": "0 is success; else what went wrong" },
                "message": { "type": ["string", "null"], "description": "`success`, or the code in words" },
                "data": { "description": "the answer; of an error what happened, or null" },
            },
        }),
    );
    schemas.insert(
        "Page".to_owned(),
        json!({
            "type": "object",
            "properties": {
                "totalCount": { "type": "integer" },
                "pageNumber": { "type": "integer" },
                "pagesAvailable": { "type": "integer" },
                "pageItems": { "type": "array" },
            },
        }),
    );
    schemas.insert("Anything".to_owned(), json!({ "type": "object", "additionalProperties": true }));
    for (name, fields) in OBJECTS {
        let properties: Map<String, Value> = fields
            .iter()
            .copied()
            .flatten()
            .map(|(name, shape, about)| {
                let mut schema = shape.schema();
                schema["description"] = (*about).into();
                ((*name).to_owned(), schema)
            })
            .collect();
        schemas.insert((*name).to_owned(), json!({ "type": "object", "properties": properties }));
    }
    schemas
}
