//! Naming requests.

use super::{NacosGrpcService, session::Session};
use crate::{
    failure::{failure_of, kind_aware},
    service_info::{Query, write_service_info_of},
};
use muster_model::{ClientId, GroupName, Kind, Namespace, ServiceKey, Slot};
use muster_nacos_wire::{
    ParamError, Shape, Text,
    grpc::{
        BatchInstanceRequest, Failure, InstanceBody, InstanceRequest, NamingFuzzyWatchRequest, Payload,
        RequestType, ServiceListRequest, ServiceQueryRequest, SubscribeServiceRequest, WatchType, answer,
        parse, service_key,
    },
    write_nameless_service_info,
};
use muster_node::watch::{Pattern, SyncKind};
use muster_node::{Node, ServiceInterest, ServiceView};

/// The ServiceInfo of a view in gRPC's shape.
pub(crate) fn service_info(node: &Node, view: &ServiceView, query: Query<'_>) -> Vec<u8> {
    crate::service_info::service_info(node, Shape::Grpc, view, query)
}

/// The ServiceInfo of all clusters of a view, written into an answer or a push that is kept: everyone is shown the same.
pub(crate) fn write_unfiltered(out: &mut Vec<u8>, node: &Node, view: &ServiceView) {
    write_service_info_of(out, node, Shape::Grpc, view, Query::all(Some(""), ""));
}

impl NacosGrpcService {
    pub(super) async fn instance(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        const KIND: RequestType = RequestType::Instance;
        let request: InstanceRequest<'_> = parse(body)?;
        let service = service_key(&request.namespace, &request.group_name, &request.service_name)?;
        let given = request.instance.as_ref().ok_or_else(no_instance)?;
        let instance = self.checked(given);
        self.require_naming(session)?;
        let client = ClientId::Connection(session.info.id);
        let done = match request.r#type.as_str() {
            "registerInstance" => {
                self.node.register(client, service, vec![instance?], session.actor.clone()).await
            }
            // What address it names does not matter: the publication is the connection's.
            "deregisterInstance" => self.node.deregister(client, service, session.actor.clone()).await,
            other => return Err(Failure::unsupported(other)),
        };
        done.map_err(|error| kind_aware(&error, false))?;
        Ok(answer::instance(KIND, &request.r#type))
    }

    pub(super) async fn batch_instance(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: BatchInstanceRequest<'_> = parse(body)?;
        let service = service_key(&request.namespace, &request.group_name, &request.service_name)?;
        let Some(given) = &request.instances else { return Err(no_instance()) };
        let max = self.node.settings().limits.batch_instances_max;
        if given.len() > max {
            return Err(ParamError::Batch(max).into());
        }
        let instances = given.iter().map(|instance| self.checked(instance)).collect::<Result<_, _>>()?;
        if &*request.r#type != "batchRegisterInstance" {
            return Err(Failure::unsupported(&request.r#type));
        }
        self.require_naming(session)?;
        let client = ClientId::Connection(session.info.id);
        self.node
            .register(client, service, instances, session.actor.clone())
            .await
            .map_err(|error| kind_aware(&error, true))?;
        Ok(answer::instance(RequestType::BatchInstance, &request.r#type))
    }

    pub(super) async fn persistent_instance(
        &self,
        session: &Session,
        body: &[u8],
    ) -> Result<Payload, Failure> {
        let request: InstanceRequest<'_> = parse(body)?;
        let service = service_key(&request.namespace, &request.group_name, &request.service_name)?;
        let instance = self.checked(request.instance.as_ref().ok_or_else(no_instance)?)?;
        let client = ClientId::Address(instance.host.clone(), instance.port, Kind::Persistent);
        let actor = session.actor.clone();
        let done = match request.r#type.as_str() {
            "registerInstance" => self.node.register(client, service, vec![instance], actor).await,
            "deregisterInstance" => self.node.deregister(client, service, actor).await,
            other => return Err(Failure::unsupported(other)),
        };
        done.map_err(|error| kind_aware(&error, false))?;
        Ok(answer::instance(RequestType::PersistentInstance, &request.r#type))
    }

    pub(super) fn service_query(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: ServiceQueryRequest<'_> = parse(body)?;
        if request.service_name.is_blank() {
            return self.nameless_query(&request);
        }
        let service = service_key(&request.namespace, &request.group_name, &request.service_name)?;
        check_clusters(&request.cluster)?;
        let view = self.node.view(&service);
        if request.cluster.is_empty() && !request.healthy_only && view.is_shared() {
            let body = view.rendered(Slot::NacosGrpcQuery, |view| {
                answer::query_service_body(|out| write_unfiltered(out, &self.node, view))
            });
            return Ok(Payload::new(RequestType::ServiceQuery.response(), body));
        }
        let query = Query {
            clusters: Some(&request.cluster),
            healthy_only: request.healthy_only,
            consumer: &session.consumer_of(&view),
        };
        Ok(answer::query_service(&service_info(&self.node, &view, query)))
    }

    /// A query that names no service is answered with an empty one, once what it does name is checked.
    fn nameless_query(&self, request: &ServiceQueryRequest<'_>) -> Result<Payload, Failure> {
        Namespace::canonical(&request.namespace).map_err(ParamError::from)?;
        let group = group_or_default(&request.group_name)?;
        check_clusters(&request.cluster)?;
        let (given, now) = (request.service_name.as_option(), self.node.now().wall.0);
        let mut info = Vec::with_capacity(192);
        write_nameless_service_info(&mut info, given, group.as_str(), &request.cluster, now);
        Ok(answer::query_service(&info))
    }

    pub(super) fn service_list(&self, body: &[u8]) -> Result<Payload, Failure> {
        let request: ServiceListRequest<'_> = parse(body)?;
        let namespace = Namespace::canonical(&request.namespace).map_err(ParamError::from)?;
        let group = group_or_default(&request.group_name)?;
        let size = usize::try_from(request.page_size).unwrap_or(0);
        let page = usize::try_from(request.page_no).unwrap_or(0).saturating_sub(1);
        let found = self.node.list_services(&namespace, &group, page.saturating_mul(size), size);
        Ok(answer::service_list(found.count, found.items.iter().map(|key| key.name().as_str())))
    }

    pub(super) fn subscribe_service(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: SubscribeServiceRequest<'_> = parse(body)?;
        let service = service_key(&request.namespace, &request.group_name, &request.service_name)?;
        check_clusters(&request.clusters)?;
        if request.group_name.is_blank() {
            return Err(ParamError::Blank("groupName").into());
        }
        self.require_naming(session)?;
        let view = if request.subscribe {
            let interest = ServiceInterest { clusters: request.clusters.as_option().map(Into::into) };
            session.watcher.watch_service(&service, interest).map_err(|error| failure_of(&error.into()))?
        } else {
            session.watcher.unwatch_service(&service)
        };
        let consumer = session.consumer_of(&view);
        let query = Query::all(request.clusters.as_option(), &consumer);
        Ok(answer::subscribe_service(&service_info(&self.node, &view, query)))
    }

    pub(super) fn naming_fuzzy_watch(&self, session: &Session, body: &[u8]) -> Result<Payload, Failure> {
        let request: NamingFuzzyWatchRequest<'_> = parse(body)?;
        let Some(kind) = WatchType::parse(&request.watch_type) else {
            return Err(Failure::unsupported(&request.watch_type));
        };
        match kind {
            WatchType::Cancel => {
                session.watcher.unwatch_service_names(&request.group_key_pattern);
            }
            WatchType::Watch => {
                let pattern =
                    Pattern::parse(&request.group_key_pattern).map_err(|error| failure_of(&error.into()))?;
                let received =
                    request.received_group_keys.iter().filter_map(|key| parse_service_key(key)).collect();
                let start = session
                    .watcher
                    .watch_service_names(&pattern, sync_kind(request.initializing), received)
                    .map_err(|error| failure_of(&error))?;
                if start.truncated {
                    return Err(Failure::too_many_matches());
                }
            }
        }
        Ok(answer::success(RequestType::NamingFuzzyWatch))
    }

    fn require_naming(&self, session: &Session) -> Result<(), Failure> {
        if session.setup().is_some_and(|setup| setup.is_naming) {
            Ok(())
        } else {
            Err(Failure::no_naming_client(&session.name))
        }
    }

    fn checked(&self, given: &InstanceBody<'_>) -> Result<muster_model::Instance, ParamError> {
        given.to_instance(self.node.settings().limits.metadata_chars_max)
    }
}

pub(super) fn sync_kind(initializing: bool) -> SyncKind {
    if initializing { SyncKind::Initial } else { SyncKind::Difference }
}

fn group_or_default(group: &Text<'_>) -> Result<GroupName, ParamError> {
    if group.is_blank() { Ok(GroupName::default()) } else { Ok(GroupName::new(group)?) }
}

fn no_instance() -> Failure {
    Failure::typed(400, "Instance can not be null.")
}

/// The check filter looks at each name of a cluster list.
fn check_clusters(list: &str) -> Result<(), ParamError> {
    let mut names = list.split(',').filter(|name| !name.trim().is_empty());
    names.try_for_each(|name| muster_model::ClusterName::new(name).map(drop))?;
    Ok(())
}

/// Reads `namespace@@group@@service`; a key that is none is nothing the client can have.
fn parse_service_key(text: &str) -> Option<ServiceKey> {
    let mut parts = text.splitn(3, "@@");
    service_key(parts.next()?, parts.next()?, parts.next()?).ok()
}
