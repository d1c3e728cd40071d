//! What is said of the routes about the server itself, its namespaces, its clients and logins.

use super::{
    Operation, operation,
    parameters::{PAGE, Parameter, REDIRECT, body, optional, or, required},
    schema::Shape::{Flag, List, Map, Named, Nothing, Number, Ok, Page, Text, Whole},
};

const NAMED_NAMESPACE: &[Parameter] =
    &[required("namespaceId", Text, "the namespace; blank and `public` are one")];
const NO_NAMESPACE: &[(u16, &str)] = &[(404, "no such namespace (22001)")];
const TAKEN: &[(u16, &str)] =
    &[(400, "the id is taken (22002), id or name is none (22000), or a parameter is missing (10000)")];
const NEW_ID: &[Parameter] = &[optional("namespaceId", Text, "its id; blank is a random one")];
const CONSOLE_NEW_ID: &[Parameter] = &[optional("customNamespaceId", Text, "its id; blank is a random one")];
const DESCRIPTION: &[Parameter] =
    &[required("namespaceName", Text, "its name"), optional("namespaceDesc", Text, "its description")];
const WANTED_ID: &[Parameter] = &[required("customNamespaceId", Text, "the id; blank is free")];
const NODES: &[Parameter] = &[
    optional("address", Text, "the address begins so"),
    optional("state", Text, "UP, STARTING, SUSPICIOUS, DOWN or ISOLATION"),
];
const KEYWORD: &[Parameter] = &[optional("keyword", Text, "the address begins so")];
const COMMAND: &[Parameter] = &[body(Named("RaftCommand"), "what to do")];
const LOG: &[Parameter] = &[body(Named("LogChange"), "which level of what")];
const COUNT: &[Parameter] = &[required("count", Whole, "clients that may stay")];
const FACTOR: &[Parameter] = &[or("loaderFactor", Number, "0.1", "how far from the average a node may be")];
const CONNECTION: &[Parameter] = &[required("connectionId", Text, "`<ms>_<ip>_<port>`")];
const LANGUAGE: &[Parameter] = &[or("language", Text, "zh-CN", "zh-CN or en-US")];
const CREDENTIALS: &[Parameter] = &[required("username", Text, "any"), required("password", Text, "any")];
const MEMBERS: &[Parameter] = &[body(List(&Named("Member")), "nodes")];
const LOOKUP: &[Parameter] = &[required("type", Text, "file or address-server")];
const ONE_NODE: &[(u16, &str)] =
    &[(501, "a server is one node: there is no list of nodes to change (40001)")];
const NOT_READY: &[(u16, &str)] = &[(500, "not ready (30000)")];

pub(super) const OPERATIONS: &[Operation] = &[
    operation("GET", "/v3/admin/core/state", "The server's settings, as texts", &[], Map(&Text)),
    operation("GET", "/v3/admin/core/state/liveness", "Whether the process works", &[], Ok),
    operation("GET", "/v3/admin/core/state/readiness", "Whether it serves everything", &[], Ok)
        .errors(NOT_READY),
    operation("GET", "/v3/admin/core/namespace/list", "All namespaces", &[], List(&Named("Namespace"))),
    operation("GET", "/v3/admin/core/namespace", "One namespace", &[NAMED_NAMESPACE], Named("Namespace"))
        .errors(NO_NAMESPACE),
    operation("POST", "/v3/admin/core/namespace", "Creates a namespace", &[NEW_ID, DESCRIPTION], Flag)
        .errors(TAKEN),
    operation(
        "PUT",
        "/v3/admin/core/namespace",
        "Changes a namespace",
        &[NAMED_NAMESPACE, DESCRIPTION],
        Flag,
    ),
    operation(
        "DELETE",
        "/v3/admin/core/namespace",
        "Takes a namespace off the list; what is in it stays",
        &[NAMED_NAMESPACE],
        Flag,
    ),
    operation(
        "GET",
        "/v3/admin/core/namespace/check",
        "1 if there is such a namespace, else 0",
        &[NAMED_NAMESPACE],
        Whole,
    ),
    operation("GET", "/v3/admin/core/cluster/node/self", "This node", &[], Named("Member")),
    operation("GET", "/v3/admin/core/cluster/node/list", "The nodes", &[NODES], List(&Named("Member"))),
    operation("PUT", "/v3/admin/core/cluster/node/list", "Refused with the reason", &[MEMBERS], Flag)
        .errors(ONE_NODE),
    operation("PUT", "/v3/admin/core/cluster/lookup", "Refused with the reason", &[LOOKUP], Flag)
        .errors(ONE_NODE),
    operation("POST", "/v3/admin/core/ops/raft", "Makes a snapshot", &[COMMAND], Nothing)
        .errors(&[(400, "the command needs other nodes, or is none (20002)")]),
    operation(
        "GET",
        "/v3/admin/core/ops/ids",
        "The last ids that were given out",
        &[],
        List(&Named("IdInfo")),
    ),
    operation("PUT", "/v3/admin/core/ops/log", "Sets a log level", &[LOG], Nothing),
    operation(
        "GET",
        "/v3/admin/core/loader/current",
        "The connections of clients",
        &[],
        Map(&Named("Connection")),
    ),
    operation("GET", "/v3/admin/core/loader/cluster", "How busy the nodes are", &[], Named("ServerLoad")),
    operation(
        "POST",
        "/v3/admin/core/loader/reloadCurrent",
        "Keeps so many clients and asks the others to move",
        &[COUNT, REDIRECT],
        Nothing,
    ),
    operation(
        "POST",
        "/v3/admin/core/loader/smartReloadCluster",
        "Evens out the clients of the nodes; one node is even",
        &[FACTOR],
        Nothing,
    ),
    operation(
        "POST",
        "/v3/admin/core/loader/reloadClient",
        "Asks a client to move",
        &[CONNECTION, REDIRECT],
        Nothing,
    ),
    operation("GET", "/v3/console/core/namespace/list", "All namespaces", &[], List(&Named("Namespace"))),
    operation("GET", "/v3/console/core/namespace", "One namespace", &[NAMED_NAMESPACE], Named("Namespace"))
        .errors(NO_NAMESPACE),
    operation(
        "POST",
        "/v3/console/core/namespace",
        "Creates a namespace",
        &[CONSOLE_NEW_ID, DESCRIPTION],
        Flag,
    )
    .errors(TAKEN),
    operation(
        "PUT",
        "/v3/console/core/namespace",
        "Changes a namespace",
        &[NAMED_NAMESPACE, DESCRIPTION],
        Flag,
    ),
    operation(
        "DELETE",
        "/v3/console/core/namespace",
        "Takes a namespace off the list; what is in it stays",
        &[NAMED_NAMESPACE],
        Flag,
    ),
    operation("GET", "/v3/console/core/namespace/exist", "Whether an id is taken", &[WANTED_ID], Flag),
    operation("GET", "/v3/console/core/cluster/nodes", "The nodes", &[KEYWORD], List(&Named("Member"))),
    operation("GET", "/v3/console/health/liveness", "Whether the process works", &[], Ok),
    operation("GET", "/v3/console/health/readiness", "Whether it serves everything", &[], Ok)
        .errors(NOT_READY),
    operation("GET", "/v3/console/server/state", "The server's settings, as texts", &[], Nothing)
        .raw(Map(&Text)),
    operation("GET", "/v3/console/server/announcement", "What is shown above the login", &[LANGUAGE], Text),
    operation("GET", "/v3/console/server/guide", "What is shown instead of a page; blank", &[], Text),
    operation(
        "POST",
        "/v3/auth/user/login",
        "Welcomes everyone, as there is no access control",
        &[CREDENTIALS],
        Nothing,
    )
    .raw(Named("Token")),
    operation("GET", "/v3/auth/user/list", "No users", &[PAGE], Page(&Named("Anything"))),
    operation("GET", "/v3/auth/user/search", "No users", &[], List(&Text)),
    operation("GET", "/v3/auth/role/list", "No roles", &[PAGE], Page(&Named("Anything"))),
    operation("GET", "/v3/auth/role/search", "No roles", &[], List(&Text)),
    operation("GET", "/v3/auth/permission/list", "No permissions", &[PAGE], Page(&Named("Anything"))),
];
