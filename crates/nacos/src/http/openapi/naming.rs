//! What is said of the naming routes.

use super::{
    Operation, operation,
    parameters::{
        ADDRESS, CLIENT, CLUSTER, INSTANCE, KIND, LOG, NAMESPACE, PAGE, Parameter, SERVICE, SERVICE_SPEC,
        optional, or, required,
    },
    schema::Shape::{Flag, List, Map, Named, Ok, Page, Text, Whole},
};

const NO_INSTANCE: &[(u16, &str)] = &[(404, "no such instance, cluster or service (code 20004 or 30000)")];
const NO_SERVICE: &[(u16, &str)] = &[(400, "no such service (21008), or it has instances (21009)")];
const HEART_BEAT: &[Parameter] =
    &[or("heartBeat", Flag, "false", "renew only: code 21003 says that the instance must register anew")];
const HEALTHY_ONLY: &[Parameter] =
    &[or("healthyOnly", Flag, "false", "without the unhealthy; not applied to clients' lists")];
const BATCH: &[Parameter] = &[
    required("metadata", Text, "a JSON object; of a removal only its keys count"),
    optional("instances", Text, r#"a JSON list of `{"ip","port","ephemeral","clusterName"}`; blank is all"#),
    optional("consistencyType", Text, "ephemeral or persist; without meaning"),
];
const SEARCH: &[Parameter] = &[
    optional("serviceNameParam", Text, "part of the service's name"),
    optional("groupNameParam", Text, "part of the group"),
    or("ignoreEmptyService", Flag, "false", "without services that have no instance"),
    or("withInstances", Flag, "false", "services in full, with their instances"),
];
const AGGREGATION: &[Parameter] = &[or("aggregation", Flag, "true", "of all nodes")];
const CHECK: &[Parameter] = &[
    required("clusterName", Text, "the cluster"),
    required("checkPort", Whole, "the port to check"),
    required("useInstancePort4Check", Flag, "check each instance's own port instead"),
    required("healthChecker", Text, "a HealthChecker, as JSON"),
    optional("metadata", Text, "of the cluster"),
];
const HEALTHY: &[Parameter] = &[required("healthy", Flag, "whether it is")];
const SWITCH: &[Parameter] = &[
    required("entry", Text, "the switch"),
    required("value", Text, "its new value"),
    or("debug", Flag, "false", "for this node only"),
];
const ONLY_STATUS: &[Parameter] = &[or("onlyStatus", Flag, "true", "without the counts")];
const ANY_ADDRESS: &[Parameter] =
    &[optional("ip", Text, "only of this address"), optional("port", Whole, "and port")];
const KIND_OF_CLIENTS: &[Parameter] =
    &[or("ephemeral", Flag, "true", "of ephemeral or of persistent instances")];

pub(super) const OPERATIONS: &[Operation] = &[
    operation(
        "POST",
        "/v3/client/ns/instance",
        "Registers an instance, or renews its lease",
        &[SERVICE, ADDRESS, CLUSTER, INSTANCE, KIND, HEART_BEAT],
        Ok,
    ),
    operation(
        "DELETE",
        "/v3/client/ns/instance",
        "Deregisters an instance",
        &[SERVICE, ADDRESS, CLUSTER, KIND],
        Ok,
    ),
    operation(
        "GET",
        "/v3/client/ns/instance/list",
        "The enabled instances of a service",
        &[SERVICE, CLUSTER, HEALTHY_ONLY],
        List(&Named("Instance")),
    ),
    operation(
        "POST",
        "/v3/admin/ns/instance",
        "Registers an instance",
        &[SERVICE, ADDRESS, CLUSTER, INSTANCE, KIND],
        Ok,
    ),
    operation(
        "DELETE",
        "/v3/admin/ns/instance",
        "Deregisters an instance",
        &[SERVICE, ADDRESS, CLUSTER, KIND],
        Ok,
    ),
    operation(
        "PUT",
        "/v3/admin/ns/instance",
        "Replaces what an operator laid over an instance",
        &[SERVICE, ADDRESS, CLUSTER, INSTANCE, KIND],
        Ok,
    ),
    operation(
        "PUT",
        "/v3/admin/ns/instance/partial",
        "Lays weight and enabled (1 and true unless they are given) and metadata that is given over an instance",
        &[SERVICE, ADDRESS, CLUSTER, INSTANCE],
        Ok,
    )
    .errors(NO_INSTANCE),
    operation(
        "GET",
        "/v3/admin/ns/instance",
        "One instance",
        &[SERVICE, ADDRESS, CLUSTER],
        Named("Instance"),
    )
    .errors(NO_INSTANCE),
    operation(
        "GET",
        "/v3/admin/ns/instance/list",
        "The instances of a service, disabled ones too",
        &[SERVICE, CLUSTER, HEALTHY_ONLY],
        List(&Named("Instance")),
    )
    .errors(NO_INSTANCE),
    operation(
        "PUT",
        "/v3/admin/ns/instance/metadata/batch",
        "Adds metadata to many instances of a service",
        &[SERVICE, BATCH],
        Named("Updated"),
    ),
    operation(
        "DELETE",
        "/v3/admin/ns/instance/metadata/batch",
        "Removes added metadata from many instances of a service",
        &[SERVICE, BATCH],
        Named("Updated"),
    ),
    operation(
        "POST",
        "/v3/admin/ns/service",
        "Creates a service that stays",
        &[SERVICE, KIND_OF_SERVICE, SERVICE_SPEC],
        Ok,
    )
    .errors(&[(400, "the service exists (21007), or the selector is none (21006)")]),
    operation("PUT", "/v3/admin/ns/service", "Changes a service", &[SERVICE, SERVICE_SPEC], Ok)
        .errors(NO_SERVICE),
    operation("DELETE", "/v3/admin/ns/service", "Removes a service without instances", &[SERVICE], Ok)
        .errors(NO_SERVICE),
    operation("GET", "/v3/admin/ns/service", "One service", &[SERVICE], Named("ServiceDetail"))
        .errors(NO_SERVICE),
    operation(
        "GET",
        "/v3/admin/ns/service/list",
        "Services, with their counts",
        &[NAMESPACE, SEARCH, PAGE],
        Page(&Named("ServiceView")),
    ),
    operation(
        "GET",
        "/v3/admin/ns/service/subscribers",
        "Who subscribes to a service",
        &[SERVICE, AGGREGATION, PAGE],
        Page(&Named("Subscriber")),
    ),
    operation("GET", "/v3/admin/ns/service/selector/types", "The types of selectors", &[], List(&Text)),
    operation(
        "PUT",
        "/v3/admin/ns/cluster",
        "Says how the persistent instances of a cluster are checked",
        &[SERVICE, CHECK],
        Ok,
    ),
    operation(
        "PUT",
        "/v3/admin/ns/health/instance",
        "Says whether a persistent instance is healthy whose cluster is not checked",
        &[SERVICE, ADDRESS, CLUSTER, HEALTHY],
        Ok,
    )
    .errors(&[(400, "the cluster is checked (30000), or `healthy` is missing (10000)"), (404, "no such instance (20004)")]),
    operation(
        "GET",
        "/v3/admin/ns/health/checkers",
        "The kinds of health checkers",
        &[],
        Map(&Named("Anything")),
    ),
    operation(
        "GET",
        "/v3/admin/ns/ops/metrics",
        "Whether naming is up, and what it holds",
        &[ONLY_STATUS],
        Named("NamingMetrics"),
    ),
    operation("GET", "/v3/admin/ns/ops/switches", "The switches of naming", &[], Named("Anything")),
    operation("PUT", "/v3/admin/ns/ops/switches", "Sets a switch of naming", &[SWITCH], Ok),
    operation("PUT", "/v3/admin/ns/ops/log", "Sets a log level", &[LOG], Ok),
    operation("GET", "/v3/admin/ns/client/list", "The clients that register or subscribe", &[], List(&Text)),
    operation("GET", "/v3/admin/ns/client", "One client", &[CLIENT], Named("Client"))
        .errors(&[(404, "no such client (20004)")]),
    operation(
        "GET",
        "/v3/admin/ns/client/publish/list",
        "What a client registered",
        &[CLIENT],
        List(&Named("ClientService")),
    )
    .errors(&[(404, "no such client (20004)")]),
    operation(
        "GET",
        "/v3/admin/ns/client/subscribe/list",
        "What a client subscribes to",
        &[CLIENT],
        List(&Named("ClientService")),
    )
    .errors(&[(404, "no such client (20004)")]),
    operation(
        "GET",
        "/v3/admin/ns/client/service/publisher/list",
        "Which clients registered instances of a service",
        &[SERVICE, KIND_OF_CLIENTS, ANY_ADDRESS],
        List(&Named("Publisher")),
    ),
    operation(
        "GET",
        "/v3/admin/ns/client/service/subscriber/list",
        "Which clients subscribe to a service",
        &[SERVICE, KIND_OF_CLIENTS, ANY_ADDRESS],
        List(&Named("ServiceSubscriber")),
    ),
    operation(
        "GET",
        "/v3/admin/ns/client/distro",
        "Which node is responsible for a client",
        &[ADDRESS],
        Map(&Text),
    ),
    operation(
        "PUT",
        "/v3/console/ns/instance",
        "Replaces what an operator laid over an instance",
        &[SERVICE, ADDRESS, CLUSTER, INSTANCE, KIND],
        Ok,
    ),
    operation(
        "GET",
        "/v3/console/ns/instance/list",
        "The instances of a service, disabled ones too",
        &[SERVICE, CLUSTER, HEALTHY_ONLY, PAGE],
        Page(&Named("Instance")),
    )
    .errors(NO_INSTANCE),
    operation(
        "POST",
        "/v3/console/ns/service",
        "Creates a service that stays",
        &[SERVICE, KIND_OF_SERVICE, SERVICE_SPEC],
        Ok,
    )
    .errors(&[(400, "the service exists (21007), or the selector is none (21006)")]),
    operation("PUT", "/v3/console/ns/service", "Changes a service", &[SERVICE, SERVICE_SPEC], Ok)
        .errors(NO_SERVICE),
    operation("DELETE", "/v3/console/ns/service", "Removes a service without instances", &[SERVICE], Ok)
        .errors(NO_SERVICE),
    operation("GET", "/v3/console/ns/service", "One service", &[SERVICE], Named("ServiceDetail"))
        .errors(NO_SERVICE),
    operation(
        "GET",
        "/v3/console/ns/service/list",
        "Services, with their counts",
        &[NAMESPACE, SEARCH, PAGE],
        Page(&Named("ServiceView")),
    ),
    operation(
        "GET",
        "/v3/console/ns/service/subscribers",
        "Who subscribes to a service",
        &[SERVICE, AGGREGATION, PAGE],
        Page(&Named("Subscriber")),
    ),
    operation("GET", "/v3/console/ns/service/selector/types", "The types of selectors", &[], List(&Text)),
    operation(
        "PUT",
        "/v3/console/ns/service/cluster",
        "Says how the persistent instances of a cluster are checked",
        &[SERVICE, CHECK],
        Ok,
    ),
];

/// A service is of persistent instances unless it says otherwise.
const KIND_OF_SERVICE: &[Parameter] = &[or("ephemeral", Flag, "false", "the kind of its instances")];
