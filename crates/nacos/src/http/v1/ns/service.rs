//! Services: created, changed, removed, read, listed; and who is told of them.

use crate::http::{
    Http,
    call::Call,
    naming::{Paging, body_of, cut, namespace_of, required},
    refuse,
    reply::Reply,
    route::Handled,
    trouble::Trouble,
};
use muster_model::{ErrorCode, GroupName, Kind};
use muster_nacos_wire::http::{
    Answer, Dialect, Refusal, SELECTOR_TYPES, Subscriber, rest_result, subscribers, v1_all_names, v1_service,
    v1_service_names, write_json,
};
use muster_node::registry::Search;

/// Names that `service/names` gives at most.
const NAMES_MAX: usize = 100_000;

impl Http {
    /// A service made so is persistent, as in the original.
    pub(super) async fn v1_create_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.bound_service(call)?;
        self.create_service_described(call, service, Kind::Persistent).await?;
        Ok(Answer::ok().into())
    }

    pub(super) async fn v1_update_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        required(&call.parameters, "protectThreshold", "Float")?;
        self.update_service_described(call, service).await?;
        Ok(Answer::ok().into())
    }

    pub(super) async fn v1_remove_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.bound_service(call)?;
        self.remove_service_described(service).await?;
        Ok(Answer::ok().into())
    }

    pub(super) fn v1_read_service(&self, call: &Call) -> Handled {
        let found = self.described(&self.bound_service(call)?)?;
        let mut out = Vec::with_capacity(512);
        v1_service(&mut out, &body_of(&found));
        Ok(Answer::json(out).into())
    }

    /// The names of a group's services, a page of them.
    pub(super) fn list_service_names(&self, call: &Call) -> Handled {
        let parameters = &call.parameters;
        self.filter(call)?;
        required(parameters, "pageNo", "Integer")?;
        required(parameters, "pageSize", "Integer")?;
        // What is no number is the default, what is too large for one is the largest.
        let number = |name, default: i32| {
            let given = parameters.number(name).unwrap_or(default.into());
            given.clamp(i32::MIN.into(), i32::MAX.into()) as i32
        };
        let paging = Paging { number: number("pageNo", 1), size: number("pageSize", 0) };
        if paging.size < 0 {
            let text = format!("pageSize must not be negative: {}", paging.size);
            return Err(refuse(ErrorCode::InvalidParameter, text));
        }
        let namespace = namespace_of(parameters)?;
        let group = GroupName::new(parameters.first(&["groupName"]).unwrap_or(GroupName::DEFAULT))
            .map_err(|error| Refusal::Filter(error.into()))?;
        let found = self.node.list_services(&namespace, &group, paging.offset(), paging.size());
        Ok(v1_service_names(found.count, found.items.iter().map(|key| key.name().as_str())).into())
    }

    /// The names of all services of a namespace that contain a text, with their groups. The original takes the text for
    /// a regular expression; here it is what is looked for.
    pub(super) fn all_service_names(&self, call: &Call) -> Handled {
        self.filter(call)?;
        let namespace = namespace_of(&call.parameters)?;
        let found = self.node.search_services(Search {
            namespace: &namespace,
            group: None,
            group_contains: "",
            name_contains: call.parameters.first(&["expr"]).unwrap_or_default(),
            with_instances: false,
            offset: 0,
            limit: NAMES_MAX,
        });
        let names: Vec<String> = found.items.iter().map(|one| one.key.grouped_name().to_string()).collect();
        let mut out = Vec::with_capacity(256);
        v1_all_names(&mut out, namespace.as_str(), &names);
        Ok(Answer::json(out).into())
    }

    /// Who is told of a service. Numbers that are none count as 0, and then nothing is on the page.
    pub(super) fn v1_subscribers(&self, call: &Call) -> Handled {
        let service = self.checked_service(call)?;
        let number =
            |name, default| call.parameters.first(&[name]).map_or(default, |text| text.parse().unwrap_or(0));
        let paging = Paging { number: number("pageNo", 1), size: number("pageSize", 1_000) };
        let found = self.subscribers_like(&service);
        let mut out = Vec::with_capacity(256);
        subscribers(&mut out, found.len(), &found[cut(found.len(), paging)], Subscriber::v1);
        Ok(Answer::json(out).into())
    }

    pub(super) fn v1_selector_types(&self, _: &Call) -> Handled {
        Ok(rest_result(200, None, |out| write_json(out, &SELECTOR_TYPES)).into())
    }

    pub(super) async fn v1_update_cluster(&self, call: &Call) -> Result<Reply, Trouble> {
        self.update_cluster_described(call, Dialect::V1Naming).await?;
        Ok(Answer::ok().into())
    }
}
