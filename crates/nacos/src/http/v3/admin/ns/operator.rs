//! Health by hand, switches, numbers, clients.

use super::DIALECT;
use crate::http::{
    Http,
    call::Call,
    naming::{client_ids, required},
    reply::Reply,
    route::Handled,
    trouble::Trouble,
    v3::done,
};
use muster_nacos_wire::{
    Shape,
    http::{CHECKERS, Refusal, responsible_server, result, switches, write_json},
};

impl Http {
    pub(super) fn v3_set_health(&self, call: &Call) -> Handled {
        self.set_health_described(call, DIALECT)?;
        Ok(done())
    }

    pub(super) fn v3_checkers(&self, _: &Call) -> Handled {
        Ok(result(|out| out.extend_from_slice(CHECKERS.as_bytes())).into())
    }

    pub(super) fn v3_naming_metrics(&self, call: &Call) -> Handled {
        let mut metrics = Vec::with_capacity(64);
        self.write_metrics(&mut metrics, call, DIALECT)?;
        Ok(result(|out| out.extend_from_slice(&metrics)).into())
    }

    pub(super) fn v3_switches(&self, _: &Call) -> Handled {
        Ok(result(|out| switches(out, &self.node.switches())).into())
    }

    pub(super) async fn v3_set_switch(&self, call: &Call) -> Result<Reply, Trouble> {
        let entry = required(&call.parameters, "entry", "String")?;
        // Blank unsets some.
        let value = call.parameters.get("value").map(str::trim);
        let value = value.ok_or(Refusal::Missing { name: "value", of_type: "String" })?;
        self.set_switch(call, (entry, value), DIALECT).await?;
        Ok(done())
    }

    pub(super) fn v3_naming_log(&self, call: &Call) -> Handled {
        let name = required(&call.parameters, "logName", "String")?;
        let level = required(&call.parameters, "logLevel", "String")?;
        self.set_log_level(name, level)?;
        Ok(done())
    }

    pub(super) fn v3_clients(&self, _: &Call) -> Handled {
        let ids = client_ids(self);
        Ok(result(|out| write_json(out, &ids)).into())
    }

    pub(super) fn v3_client(&self, call: &Call) -> Handled {
        self.client_detail(call)
    }

    pub(super) fn v3_published_by(&self, call: &Call) -> Handled {
        self.published_by(call, Shape::V3)
    }

    pub(super) fn v3_subscribed_by(&self, call: &Call) -> Handled {
        self.subscriptions_by(call, Shape::V3)
    }

    pub(super) fn v3_publishers(&self, call: &Call) -> Handled {
        self.publishers(call, Shape::V3)
    }

    pub(super) fn v3_subscriber_clients(&self, call: &Call) -> Handled {
        self.subscriber_clients(call, Shape::V3)
    }

    pub(super) fn v3_responsible_server(&self, call: &Call) -> Handled {
        required(&call.parameters, "ip", "String")?;
        required(&call.parameters, "port", "String")?;
        let server = self.responsible_server(call);
        Ok(result(|out| responsible_server(out, &server)).into())
    }
}
