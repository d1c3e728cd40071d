//! Services: created, changed, removed, described.

use super::{Paging, namespace_of};
use crate::{
    http::{Http, call::Call, trouble::Trouble},
    service_info::plain,
};
use muster_model::{ErrorCode, Kind, ServiceKey};
use muster_nacos_wire::{
    HostView, Text,
    http::{
        ClusterBody, Dialect, HealthChecker, Refusal, ResultCode, ServiceBody, ServiceHosts, ServiceRow,
        parse_metadata, parse_selector,
    },
};
use muster_node::{
    ServiceDescription,
    registry::{Checker, ClusterSpec, Page, Search, ServiceSpec, Threshold},
};
use std::sync::LazyLock;

impl Http {
    /// Creates the service that the parameters describe; it is of a kind unless it says otherwise.
    pub(crate) async fn create_service_described(
        &self,
        call: &Call,
        service: ServiceKey,
        kind: Kind,
    ) -> Result<(), Trouble> {
        let spec = spec_of(call, kind)?;
        Ok(self.node.create_service(service, spec).await?)
    }

    /// Replaces the attributes of a service, but its kind.
    pub(crate) async fn update_service_described(
        &self,
        call: &Call,
        service: ServiceKey,
    ) -> Result<(), Trouble> {
        let kind = self.node.service_details(&service).map_or(Kind::Ephemeral, |details| details.spec.kind);
        let spec = spec_of(call, kind)?;
        Ok(self.node.update_service(service, spec).await?)
    }

    /// Removes a service without instances.
    pub(crate) async fn remove_service_described(&self, service: ServiceKey) -> Result<(), Trouble> {
        Ok(self.node.remove_service(service).await?)
    }

    /// A service with its instances, as v1, v2 and the administration of v3 read it.
    pub(crate) fn described(&self, service: &ServiceKey) -> Result<ServiceDescription, Trouble> {
        self.node.describe_service(service).ok_or_else(|| {
            Trouble::Refused(Refusal::Failed {
                error: ErrorCode::InvalidParameter,
                code: ResultCode::ServiceNotExist,
                detail: format!(
                    "service not found, namespace: {}, serviceName: {}",
                    service.namespace(),
                    service.grouped_name()
                ),
            })
        })
    }

    /// A service with its instances, as catalogues and the console read it.
    pub(crate) fn catalogued(&self, service: &ServiceKey) -> Result<ServiceDescription, Trouble> {
        self.node.describe_service(service).ok_or_else(|| {
            Trouble::Refused(Refusal::Failed {
                error: ErrorCode::NotFound,
                code: ResultCode::ServerError,
                detail: format!("service {} is not found!", service.grouped_name()),
            })
        })
    }

    /// The hosts of a service, or of one of its clusters, which must have some; disabled ones too.
    pub(crate) fn catalogued_hosts<'a>(
        &self,
        found: &'a ServiceDescription,
        cluster: Option<&str>,
    ) -> Result<Vec<HostView<'a>>, Trouble> {
        let hosts = &found.shown.hosts;
        let Some(cluster) = cluster else { return Ok(hosts.iter().map(plain).collect()) };
        let of_cluster: Vec<_> =
            hosts.iter().filter(|host| host.cluster.as_str() == cluster).map(plain).collect();
        if of_cluster.is_empty() {
            return Err(Trouble::Refused(Refusal::Failed {
                error: ErrorCode::NotFound,
                code: ResultCode::ServerError,
                detail: format!("cluster {cluster} is not found!"),
            }));
        }
        Ok(of_cluster)
    }

    /// The services whose names and groups contain what is asked for, a page of them.
    pub(crate) fn search_described(
        &self,
        call: &Call,
        with_instances: bool,
        paging: Paging,
    ) -> Result<Page<ServiceDescription>, Trouble> {
        let part = |name| call.parameters.first(&[name]).unwrap_or_default();
        let namespace = namespace_of(&call.parameters)?;
        let paging = paging.of_services();
        Ok(self.node.describe_services(Search {
            namespace: &namespace,
            group: None,
            group_contains: part("groupNameParam"),
            name_contains: part("serviceNameParam"),
            with_instances,
            offset: paging.offset(),
            limit: paging.size(),
        }))
    }
}

/// The attributes that the parameters describe.
fn spec_of(call: &Call, kind: Kind) -> Result<ServiceSpec, Trouble> {
    let parameters = &call.parameters;
    Ok(ServiceSpec {
        kind,
        protection: threshold(parameters.first(&["protectThreshold"]))?,
        metadata: parse_metadata(parameters.get("metadata").unwrap_or_default()).map_err(Refusal::from)?,
        selector: parse_selector(parameters.get("selector").unwrap_or_default())?,
    })
}

/// A threshold; beyond 0 and 1 it counts as they do.
fn threshold(text: Option<&str>) -> Result<Threshold, Refusal> {
    let Some(text) = text else { return Ok(Threshold::default()) };
    let bad =
        || Refusal::Unconvertible { name: "protectThreshold", value: text.to_owned(), of_type: "float" };
    let number: f32 = text.parse().map_err(|_| bad())?;
    Threshold::new(number.clamp(0.0, 1.0)).ok_or_else(bad)
}

/// The kind that a `POST service` of v2 and v3 asks for: persistent unless it says otherwise.
pub(crate) fn kind_of_service(call: &Call, dialect: Dialect) -> Result<Kind, Refusal> {
    muster_nacos_wire::http::kind_of(&call.parameters, dialect, Kind::Persistent)
}

/// A description as the answers of one service show it.
pub(crate) fn body_of(found: &ServiceDescription) -> ServiceBody<'_> {
    let spec = &found.details.spec;
    ServiceBody {
        service: &found.details.key,
        protection: spec.protection.get(),
        metadata: &spec.metadata,
        selector: &spec.selector,
        ephemeral: spec.kind == Kind::Ephemeral,
        clusters: clusters_of(found).into_iter().map(|name| cluster_body(found, name)).collect(),
    }
}

fn cluster_body<'a>(found: &'a ServiceDescription, name: &'a str) -> ClusterBody<'a> {
    let stored = found.details.clusters.iter().find(|(cluster, _)| cluster.as_str() == name);
    let spec = match stored {
        Some((_, spec)) => spec,
        None => &*DEFAULT_CLUSTER,
    };
    ClusterBody {
        name,
        checker: match &spec.checker {
            Checker::Tcp => HealthChecker::Tcp,
            Checker::Http { path, headers, expected_status } => HealthChecker::Http {
                path: Text::from(&**path),
                headers: Text::from(&**headers),
                expected_status: *expected_status,
            },
            Checker::Mysql { user, password, command } => HealthChecker::Mysql {
                user: Text::from(&**user),
                password: Text::from(&**password),
                command: Text::from(&**command),
            },
            Checker::None => HealthChecker::None,
        },
        check_port: spec.check_port,
        use_instance_port: spec.use_instance_port,
        metadata: &spec.metadata,
    }
}

static DEFAULT_CLUSTER: LazyLock<ClusterSpec> = LazyLock::new(ClusterSpec::default);

/// The clusters that have instances, each once; hosts are sorted by cluster.
fn clusters_of(found: &ServiceDescription) -> Vec<&str> {
    let mut names: Vec<&str> = found.shown.hosts.iter().map(|host| host.cluster.as_str()).collect();
    names.dedup();
    names
}

/// A description as a row of a list.
pub(crate) fn row_of(found: &ServiceDescription) -> ServiceRow<'_> {
    let hosts = &found.shown.hosts;
    let healthy = hosts.iter().filter(|host| host.healthy).count();
    let threshold = found.details.spec.protection.get();
    ServiceRow {
        service: &found.details.key,
        clusters: clusters_of(found).len(),
        instances: hosts.len(),
        healthy,
        protected: !hosts.is_empty() && healthy as f32 / hosts.len() as f32 <= threshold,
    }
}

/// A description with its hosts, by cluster.
pub(crate) fn with_hosts(found: &ServiceDescription) -> ServiceHosts<'_> {
    let of_cluster = |name| {
        let hosts = found.shown.hosts.iter().filter(|host| host.cluster.as_str() == name);
        (name, hosts.map(plain).collect())
    };
    ServiceHosts {
        service: &found.details.key,
        metadata: &found.details.spec.metadata,
        clusters: clusters_of(found).into_iter().map(of_cluster).collect(),
    }
}
