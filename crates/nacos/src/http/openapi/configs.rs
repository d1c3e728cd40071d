//! What is said of the config routes.

use super::{
    Operation, operation,
    parameters::{
        CONFIG, CONTENT, EXPORT, FILE, LOG, NAMESPACE, PAGE, POLICY, Parameter, SEARCH, body, optional, or,
        required,
    },
    schema::Shape::{Flag, List, Map, Maybe, Named, Page, Text, Whole},
};

const NO_CONFIG: &[(u16, &str)] = &[(404, "no such config (20004)")];
const NOT_BETA: &[(u16, &str)] = &[(404, "the config has no beta release (20004)")];
const CHANGED: &[(u16, &str)] =
    &[(500, "`casMd5` is not the MD5 any more (20005), or the server failed (30000)")];
const TAG: &[Parameter] = &[optional("tag", Text, "the release with this tag")];
const IDS: &[Parameter] = &[required("ids", Text, "ids of configs, with commas")];
const WHOSE: &[Parameter] = &[
    required("ip", Text, "the address of the client"),
    or("all", Flag, "false", "of all namespaces"),
    or("namespaceId", Text, "public", "else of this one"),
];
const AGGREGATION: &[Parameter] = &[or("aggregation", Flag, "true", "of all nodes")];
const ENTRY: &[Parameter] = &[required("nid", Whole, "the entry of the history")];
const CONFIG_ID: &[Parameter] = &[required("id", Whole, "the id of the config")];
const OF: &[Parameter] =
    &[optional("groupName", Text, "of this group"), optional("namespaceId", Text, "or of this namespace")];
const QUOTA: &[Parameter] = &[
    optional("quota", Whole, "most configs"),
    optional("maxSize", Whole, "bytes of one content"),
    optional("maxAggrCount", Whole, "without meaning"),
    optional("maxAggrSize", Whole, "without meaning"),
];
const CLIENT: &[Parameter] = &[
    required("ip", Text, "the address of the client"),
    optional("dataId", Text, "only of this config"),
    optional("groupName", Text, "and its group"),
    or("namespaceId", Text, "public", "and its namespace"),
];
const SQL: &[Parameter] = &[required("sql", Text, "a query of the original's embedded store")];
const DUMP: &[Parameter] = &[optional("file", Text, "a dump of the original's embedded store")];
const CLONED: &[Parameter] = &[body(List(&Named("CloneItem")), "which configs, and their new names")];
const ADMIN_TARGET: &[Parameter] = &[or("namespaceId", Text, "public", "the namespace to write to")];
const CONSOLE_TARGET: &[Parameter] = &[required("targetNamespaceId", Text, "the namespace to write to")];
const DESCRIPTION: &[Parameter] = &[
    optional("desc", Text, "the new description"),
    optional("configTags", Text, "the new tags, with commas"),
];
const MOVE_ERRORS: &[(u16, &str)] = &[(
    400,
    "a parameter is wrong; that the namespace or the data is none is told with HTTP 200 by the code (22001, 100002 to 100006)",
)];

pub(super) const OPERATIONS: &[Operation] = &[
    operation(
        "GET",
        "/v3/client/cs/config",
        "What a client gets of a config; code 20004 with HTTP 200 if there is none",
        &[CONFIG, TAG],
        Maybe("ClientConfig"),
    ),
    operation("GET", "/v3/admin/cs/config", "One config", &[CONFIG], Named("ConfigDetailInfo"))
        .errors(NO_CONFIG),
    operation("POST", "/v3/admin/cs/config", "Publishes a config", &[CONFIG, CONTENT], Flag).errors(CHANGED),
    operation(
        "DELETE",
        "/v3/admin/cs/config",
        "Removes a config, or one of its releases",
        &[CONFIG, TAG],
        Flag,
    ),
    operation(
        "PUT",
        "/v3/admin/cs/config/metadata",
        "Changes what is said of a config",
        &[CONFIG, DESCRIPTION],
        Flag,
    )
    .errors(NO_CONFIG),
    operation("DELETE", "/v3/admin/cs/config/batch", "Removes configs by their ids", &[IDS], Flag),
    operation(
        "GET",
        "/v3/admin/cs/config/list",
        "Looks for configs; contents are not among what is found",
        &[SEARCH, PAGE],
        Page(&Named("ConfigBasicInfo")),
    ),
    operation(
        "GET",
        "/v3/admin/cs/config/listener",
        "Who listens to a config, and what each holds",
        &[CONFIG, AGGREGATION],
        Named("ListenerInfo"),
    ),
    operation(
        "GET",
        "/v3/admin/cs/listener",
        "What a client listens to, and what it holds",
        &[WHOSE, AGGREGATION],
        Named("ListenerInfo"),
    ),
    operation(
        "GET",
        "/v3/admin/cs/config/beta",
        "The beta release of a config",
        &[CONFIG],
        Named("ConfigGrayInfo"),
    )
    .errors(NOT_BETA),
    operation("DELETE", "/v3/admin/cs/config/beta", "Ends the beta release of a config", &[CONFIG], Flag),
    operation(
        "POST",
        "/v3/admin/cs/config/import",
        "Writes the configs of a zip archive",
        &[ADMIN_TARGET, POLICY, FILE],
        Named("Moved"),
    )
    .errors(MOVE_ERRORS),
    operation("GET", "/v3/admin/cs/config/export", "Configs as a zip archive", &[EXPORT], Text).zip(),
    operation(
        "POST",
        "/v3/admin/cs/config/clone",
        "Copies configs into a namespace",
        &[ADMIN_TARGET, POLICY, CLONED],
        Named("Moved"),
    )
    .errors(MOVE_ERRORS),
    operation(
        "GET",
        "/v3/admin/cs/history/list",
        "The changes of a config, newest first",
        &[CONFIG, PAGE],
        Page(&Named("ConfigHistoryBasicInfo")),
    ),
    operation(
        "GET",
        "/v3/admin/cs/history",
        "One change of a config",
        &[CONFIG, ENTRY],
        Named("ConfigHistoryDetailInfo"),
    )
    .errors(&[(403, "the entry is of another config (10001)")]),
    operation(
        "GET",
        "/v3/admin/cs/history/previous",
        "The last change of a config",
        &[CONFIG, CONFIG_ID],
        Maybe("ConfigHistoryDetailInfo"),
    ),
    operation(
        "GET",
        "/v3/admin/cs/history/configs",
        "The configs of a namespace",
        &[NAMESPACE],
        List(&Named("ConfigBasicInfo")),
    ),
    operation(
        "GET",
        "/v3/admin/cs/capacity",
        "How much a group or a namespace may hold",
        &[OF],
        Named("Capacity"),
    ),
    operation(
        "POST",
        "/v3/admin/cs/capacity",
        "Sets how much a group or a namespace may hold",
        &[OF, QUOTA],
        Flag,
    ),
    operation("POST", "/v3/admin/cs/ops/localCache", "Drops the contents held in memory", &[], Text),
    operation("PUT", "/v3/admin/cs/ops/log", "Sets a log level", &[LOG], Text),
    operation(
        "GET",
        "/v3/admin/cs/ops/derby",
        "Refused with code 30000: there is no embedded SQL store to ask",
        &[SQL],
        List(&Named("Anything")),
    ),
    operation(
        "POST",
        "/v3/admin/cs/ops/derby/import",
        "Refused: there is no embedded SQL store to import into",
        &[DUMP],
        Text,
    ),
    operation(
        "GET",
        "/v3/admin/cs/metrics/cluster",
        "What the config clients of an address hold, asked of all nodes",
        &[CLIENT],
        Map(&Text),
    ),
    operation(
        "GET",
        "/v3/admin/cs/metrics/ip",
        "What the config clients of an address hold, asked of this node",
        &[CLIENT],
        Map(&Text),
    ),
    operation(
        "GET",
        "/v3/console/cs/config",
        "One config, null if there is none",
        &[CONFIG],
        Maybe("ConfigDetailInfo"),
    ),
    operation("POST", "/v3/console/cs/config", "Publishes a config", &[CONFIG, CONTENT], Flag)
        .errors(CHANGED),
    operation(
        "DELETE",
        "/v3/console/cs/config",
        "Removes a config, or one of its releases",
        &[CONFIG, TAG],
        Flag,
    ),
    operation("DELETE", "/v3/console/cs/config/batchDelete", "Removes configs by their ids", &[IDS], Flag),
    operation(
        "GET",
        "/v3/console/cs/config/list",
        "Looks for configs; contents are not among what is found",
        &[SEARCH, PAGE],
        Page(&Named("ConfigBasicInfo")),
    ),
    operation(
        "GET",
        "/v3/console/cs/config/searchDetail",
        "Looks for configs by their contents, too",
        &[SEARCH, PAGE],
        Page(&Named("ConfigBasicInfo")),
    ),
    operation(
        "GET",
        "/v3/console/cs/config/listener",
        "Who listens to a config, and what each holds",
        &[CONFIG, AGGREGATION],
        Named("ListenerInfo"),
    ),
    operation(
        "GET",
        "/v3/console/cs/config/listener/ip",
        "What a client listens to, and what it holds",
        &[WHOSE, AGGREGATION],
        Named("ListenerInfo"),
    ),
    operation(
        "GET",
        "/v3/console/cs/config/beta",
        "The beta release of a config",
        &[CONFIG],
        Maybe("ConfigGrayInfo"),
    ),
    operation("DELETE", "/v3/console/cs/config/beta", "Ends the beta release of a config", &[CONFIG], Flag),
    operation(
        "POST",
        "/v3/console/cs/config/import",
        "Writes the configs of a zip archive",
        &[ADMIN_TARGET, POLICY, FILE],
        Named("Moved"),
    )
    .errors(MOVE_ERRORS),
    operation("GET", "/v3/console/cs/config/export2", "Configs as a zip archive", &[EXPORT], Text).zip(),
    operation(
        "POST",
        "/v3/console/cs/config/clone",
        "Copies configs into a namespace",
        &[CONSOLE_TARGET, POLICY, CLONED],
        Named("Moved"),
    )
    .errors(MOVE_ERRORS),
    operation(
        "GET",
        "/v3/console/cs/history/list",
        "The changes of a config, newest first",
        &[CONFIG, PAGE],
        Page(&Named("ConfigHistoryBasicInfo")),
    ),
    operation(
        "GET",
        "/v3/console/cs/history",
        "One change of a config",
        &[CONFIG, ENTRY],
        Named("ConfigHistoryDetailInfo"),
    )
    .errors(&[(403, "the entry is of another config (10001)")]),
    operation(
        "GET",
        "/v3/console/cs/history/previous",
        "The last change of a config",
        &[CONFIG, CONFIG_ID],
        Maybe("ConfigHistoryDetailInfo"),
    ),
    operation(
        "GET",
        "/v3/console/cs/history/configs",
        "The configs of a namespace",
        &[NAMESPACE],
        List(&Named("ConfigBasicInfo")),
    ),
];
