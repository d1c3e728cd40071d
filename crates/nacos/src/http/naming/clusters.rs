//! Clusters: how their instances are checked.

use super::{cluster_of, required};
use crate::http::{Http, call::Call, trouble::Trouble};
use muster_model::{ErrorCode, Kind, ServiceKey};
use muster_nacos_wire::{
    ParamError,
    http::{Dialect, HealthChecker, Refusal, ResultCode, flag, parse_metadata},
};
use muster_node::registry::{Checker, ClusterSpec};

impl Http {
    /// Replaces the attributes of a cluster of a service, which must exist; the cluster need not.
    pub(crate) async fn update_cluster_described(
        &self,
        call: &Call,
        dialect: Dialect,
    ) -> Result<(), Trouble> {
        let service = self.checked_service(call)?;
        let parameters = &call.parameters;
        required(parameters, "clusterName", "String")?;
        let cluster = cluster_of(parameters, &["clusterName"])?;
        let check_port = required(parameters, "checkPort", "Integer")?;
        required(parameters, "useInstancePort4Check", "Boolean")?;
        let checker = HealthChecker::parse(required(parameters, "healthChecker", "String")?)?;
        let spec = ClusterSpec {
            checker: checker_of(&checker),
            check_port: port(check_port, dialect)?,
            use_instance_port: flag(parameters, dialect, &["useInstancePort4Check"], true)?,
            metadata: parse_metadata(parameters.get("metadata").unwrap_or_default())
                .map_err(Refusal::from)?,
        };
        let details =
            self.node.service_details(&service).ok_or_else(|| no_such_service(&service, dialect))?;
        Ok(self.node.update_cluster(service, cluster, spec, details.spec.kind).await?)
    }

    /// Whether the instances of a cluster are checked by something, so that health is not set by hand: ephemeral ones
    /// are by their beats.
    pub(super) fn is_checked(&self, service: &ServiceKey, cluster: &str) -> bool {
        let Some(details) = self.node.service_details(service) else { return true };
        let stored = details.clusters.iter().find(|(name, _)| name.as_str() == cluster);
        let is_by_hand = stored.is_some_and(|(_, spec)| spec.checker == Checker::None);
        !(is_by_hand && details.spec.kind == Kind::Persistent)
    }
}

fn port(text: &str, dialect: Dialect) -> Result<u16, Refusal> {
    // What is no number at all has other words than a number that is no port.
    let bad = |_| Refusal::BadValue { name: "checkPort", value: text.to_owned() };
    let number: i64 = text.parse().map_err(bad)?;
    u16::try_from(number).map_err(|_| match dialect {
        Dialect::V1Naming | Dialect::V1Config => Refusal::Instance(ParamError::Port),
        Dialect::V3 | Dialect::V3ClientConfig => {
            Refusal::failed(ErrorCode::InvalidParameter, ParamError::Port.to_string())
        }
    })
}

fn checker_of(checker: &HealthChecker<'_>) -> Checker {
    match checker {
        HealthChecker::Tcp => Checker::Tcp,
        HealthChecker::Http { path, headers, expected_status } => Checker::Http {
            path: path.as_str().into(),
            headers: headers.as_str().into(),
            expected_status: *expected_status,
        },
        HealthChecker::Mysql { user, password, command } => Checker::Mysql {
            user: user.as_str().into(),
            password: password.as_str().into(),
            command: command.as_str().into(),
        },
        HealthChecker::None => Checker::None,
    }
}

fn no_such_service(service: &ServiceKey, dialect: Dialect) -> Trouble {
    let detail = match dialect {
        Dialect::V1Naming | Dialect::V1Config => format!("service not found:{}", service.grouped_name()),
        Dialect::V3 | Dialect::V3ClientConfig => {
            format!("service not found groupName: {},serviceName: {}", service.group(), service.name())
        }
    };
    Trouble::Refused(Refusal::Failed {
        error: ErrorCode::InvalidParameter,
        code: ResultCode::ServerError,
        detail,
    })
}
