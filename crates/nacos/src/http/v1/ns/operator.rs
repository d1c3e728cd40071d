//! Health by hand, switches, numbers.

use crate::http::{Http, call::Call, naming::bound, reply::Reply, route::Handled, trouble::Trouble};
use muster_nacos_wire::http::{Answer, CHECKERS, Dialect, responsible_server, server_message, switches};

const DIALECT: Dialect = Dialect::V1Naming;

impl Http {
    pub(super) fn v1_set_health(&self, call: &Call) -> Handled {
        self.set_health_described(call, DIALECT)?;
        Ok(Answer::ok().into())
    }

    pub(super) fn v1_checkers(&self, _: &Call) -> Handled {
        Ok(Answer::json(CHECKERS).into())
    }

    pub(super) fn server_health(&self, _: &Call) -> Handled {
        let health = if self.node.is_ready() { "healthy" } else { "starting" };
        let (services, port) = (self.node.registry_counts().services, self.settings.main_port);
        let text =
            format!("Hello! I am Nacos-Naming and {health}! total services: {services}, local port:{port}");
        let mut out = Vec::with_capacity(128);
        server_message(&mut out, &text);
        Ok(Answer::json(out).into())
    }

    pub(super) fn v1_naming_metrics(&self, call: &Call) -> Handled {
        let mut out = Vec::with_capacity(64);
        self.write_metrics(&mut out, call, DIALECT)?;
        Ok(Answer::json(out).into())
    }

    pub(super) fn v1_switches(&self, _: &Call) -> Handled {
        let mut out = Vec::with_capacity(1_536);
        switches(&mut out, &self.node.switches());
        Ok(Answer::json(out).into())
    }

    pub(super) async fn v1_set_switch(&self, call: &Call) -> Result<Reply, Trouble> {
        let entry = bound(&call.parameters, "entry", "String")?;
        let value = bound(&call.parameters, "value", "String")?;
        self.set_switch(call, (entry, value), DIALECT).await?;
        Ok(Answer::ok().into())
    }

    pub(super) fn v1_push_state(&self, call: &Call) -> Handled {
        let mut out = Vec::with_capacity(128);
        self.write_push_state(&mut out, call);
        Ok(Answer::json(out).into())
    }

    pub(super) fn v1_responsible_server(&self, call: &Call) -> Handled {
        bound(&call.parameters, "ip", "String")?;
        bound(&call.parameters, "port", "String")?;
        let mut out = Vec::with_capacity(64);
        responsible_server(&mut out, &self.responsible_server(call));
        Ok(Answer::json(out).into())
    }

    pub(super) fn v1_naming_log(&self, call: &Call) -> Handled {
        let name = bound(&call.parameters, "logName", "String")?;
        let level = bound(&call.parameters, "logLevel", "String")?;
        self.set_log_level(name, level)?;
        Ok(Answer::ok().into())
    }
}
