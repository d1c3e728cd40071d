//! Health by hand, switches, numbers, clients.

use super::{DIALECT, done};
use crate::http::{
    Http,
    call::Call,
    naming::{address_pattern, bound, client_ids, required},
    reply::Reply,
    route::Handled,
    trouble::Trouble,
};
use muster_nacos_wire::{
    Shape,
    http::{flag, result, switches, write_json, write_list},
};

impl Http {
    pub(super) fn v2_set_health(&self, call: &Call) -> Handled {
        self.set_health_described(call, DIALECT)?;
        Ok(done())
    }

    pub(super) fn v2_naming_metrics(&self, call: &Call) -> Handled {
        let mut metrics = Vec::with_capacity(64);
        self.write_metrics(&mut metrics, call, DIALECT)?;
        Ok(result(|out| out.extend_from_slice(&metrics)).into())
    }

    pub(super) fn v2_switches(&self, _: &Call) -> Handled {
        Ok(result(|out| switches(out, &self.node.switches())).into())
    }

    pub(super) async fn v2_set_switch(&self, call: &Call) -> Result<Reply, Trouble> {
        let entry = required(&call.parameters, "entry", "String")?;
        // Blank unsets some.
        let value = call.parameters.get("value").map(str::trim);
        let missing = muster_nacos_wire::http::Refusal::Missing { name: "value", of_type: "String" };
        self.set_switch(call, (entry, value.ok_or(missing)?), DIALECT).await?;
        Ok(done())
    }

    pub(crate) fn v2_clients(&self, _: &Call) -> Handled {
        let ids = client_ids(self);
        Ok(result(|out| write_json(out, &ids)).into())
    }

    pub(crate) fn v2_client(&self, call: &Call) -> Handled {
        self.client_detail(call)
    }

    pub(crate) fn v2_published_by(&self, call: &Call) -> Handled {
        self.published_by(call, Shape::V2)
    }

    pub(crate) fn v2_subscribed_by(&self, call: &Call) -> Handled {
        self.subscriptions_by(call, Shape::V2)
    }

    pub(crate) fn v2_publishers(&self, call: &Call) -> Handled {
        bound(&call.parameters, "serviceName", "String")?;
        self.publishers(call, Shape::V2)
    }

    pub(crate) fn v2_subscribers(&self, call: &Call) -> Handled {
        bound(&call.parameters, "serviceName", "String")?;
        self.subscriber_clients(call, Shape::V2)
    }
}

impl Http {
    /// One client, in v2 and v3.
    pub(crate) fn client_detail(&self, call: &Call) -> Handled {
        let mut client = Vec::with_capacity(256);
        self.write_client(&mut client, call)?;
        Ok(result(|out| out.extend_from_slice(&client)).into())
    }

    /// What one client publishes.
    pub(crate) fn published_by(&self, call: &Call, shape: Shape) -> Handled {
        let mut published = Vec::with_capacity(256);
        self.write_published_by(&mut published, call, shape)?;
        Ok(result(|out| out.extend_from_slice(&published)).into())
    }

    /// What one client is told of.
    pub(crate) fn subscriptions_by(&self, call: &Call, shape: Shape) -> Handled {
        let found = self.subscribed_by(call)?;
        Ok(result(|out| write_list(out, &found, |out, one| one.of_client(out, shape))).into())
    }

    /// Who publishes to a service, if it is of the kind that is asked for.
    pub(crate) fn publishers(&self, call: &Call, shape: Shape) -> Handled {
        let service = self.checked_service(call)?;
        let is_wanted = address_pattern(&call.parameters)?;
        let mut publications = self.node.publishers(&service);
        let is_ephemeral = flag(&call.parameters, DIALECT, &["ephemeral"], true)?;
        publications.retain(|publication| publication.client.is_ephemeral() == is_ephemeral);
        let mut found = Vec::with_capacity(256);
        self.write_published(&mut found, &publications, is_wanted, |one, out| one.of_service(out, shape));
        Ok(result(|out| out.extend_from_slice(&found)).into())
    }

    /// Who is told of a service.
    pub(crate) fn subscriber_clients(&self, call: &Call, shape: Shape) -> Handled {
        let service = self.checked_service(call)?;
        let is_wanted = address_pattern(&call.parameters)?;
        let mut found = self.subscribers_of(&service);
        found.retain(|subscriber| is_wanted(&subscriber.ip, subscriber.port));
        Ok(result(|out| write_list(out, &found, |out, one| one.of_service(out, shape))).into())
    }
}
