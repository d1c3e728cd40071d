//! What operators ask of naming: switches, numbers, how pushes go.

use crate::http::{Http, call::Call, trouble::Trouble};
use muster_model::{ClientId, Kind};
use muster_nacos_wire::http::{
    Dialect, NamingMetrics, PushState, flag, naming_metrics, push_state, switch_text,
};

impl Http {
    /// Sets a switch: for good and everywhere, or with `debug` on this node until it stops.
    pub(crate) async fn set_switch(
        &self,
        call: &Call,
        (entry, value): (&str, &str),
        dialect: Dialect,
    ) -> Result<(), Trouble> {
        let for_good = !flag(&call.parameters, dialect, &["debug"], false)?;
        let text = switch_text(entry, value)?;
        Ok(self.node.set_switch(entry, &text, for_good).await?)
    }

    /// Writes how naming does: with `onlyStatus=false` how much it holds, too.
    pub(crate) fn write_metrics(
        &self,
        out: &mut Vec<u8>,
        call: &Call,
        dialect: Dialect,
    ) -> Result<(), Trouble> {
        let status = self.status();
        let is_v1 = dialect == Dialect::V1Naming;
        if flag(&call.parameters, dialect, &["onlyStatus"], true)? {
            naming_metrics(out, status, None, is_v1);
        } else {
            naming_metrics(out, status, Some(&self.metrics()), is_v1);
        }
        Ok(())
    }

    /// What the server says it is: a switch's word, or whether it is ready.
    fn status(&self) -> &'static str {
        match self.node.switches().overridden_status {
            Some(status) => status.as_str(),
            None if self.node.is_ready() => "UP",
            None => "STARTING",
        }
    }

    fn metrics(&self) -> NamingMetrics {
        let counts = self.node.registry_counts();
        let machine = self.machine.load();
        let mut metrics = NamingMetrics {
            services: counts.services,
            instances: counts.instances,
            subscriptions: self.node.subscription_count(),
            connections: self.sessions.naming_clients().len(),
            cpu: machine.cpu,
            load: machine.load,
            mem: machine.memory,
            ..NamingMetrics::default()
        };
        for client in self.node.publishing_clients() {
            match client.client {
                // Counted among the sessions.
                ClientId::Connection(_) => {}
                ClientId::Address(_, _, Kind::Ephemeral) | ClientId::Eureka(_) => {
                    metrics.ephemeral_addresses += 1;
                }
                ClientId::Address(_, _, Kind::Persistent) => metrics.persistent_addresses += 1,
            }
        }
        metrics
    }

    /// Writes how pushes go; with `reset` they are counted anew from now on.
    pub(crate) fn write_push_state(&self, out: &mut Vec<u8>, call: &Call) {
        let counts = self.node.push_counts();
        let is_given = |name| call.parameters.flag(&[name], false);
        let state = PushState {
            succeeded: counts.acknowledged,
            total: counts.sent,
            cost_ms: counts
                .cost_ms
                .checked_div(counts.acknowledged)
                .map(|average| (average, counts.cost_max_ms)),
        };
        let is_reset = is_given("reset");
        push_state(out, state, is_given("detail"), is_reset);
        if is_reset {
            self.node.reset_push_counts();
        }
    }

    /// Writes which server an HTTP client belongs to: this one.
    pub(crate) fn responsible_server(&self, call: &Call) -> String {
        self.address(call)
    }
}
