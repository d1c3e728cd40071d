//! The catalogue, from which the console of 2.x reads.

use crate::http::{
    Http,
    call::Call,
    naming::{Paging, body_of, bound, catalog_page, row_of, with_hosts},
    route::Handled,
};
use muster_nacos_wire::{
    Shape,
    http::{
        Answer, Refusal, catalog_instances, service_hosts, service_row, service_rows, v1_catalog_service,
        write_list,
    },
};

impl Http {
    /// Services by name and group, counted, or with their instances.
    pub(super) fn catalog_services(&self, call: &Call) -> Handled {
        self.filter(call)?;
        let paging = Paging { number: primitive(call, "pageNo")?, size: primitive(call, "pageSize")? };
        let has_instances = call.parameters.flag(&["hasIpCount"], false);
        let mut out = Vec::with_capacity(1_024);
        if call.parameters.flag(&["withInstances"], false) {
            let found = self.search_described(call, false, paging)?;
            let rows: Vec<_> = found.items.iter().map(with_hosts).collect();
            write_list(&mut out, &rows, |out, row| service_hosts(out, Shape::V1, row));
        } else {
            let found = self.search_described(call, has_instances, paging)?;
            let rows: Vec<_> = found.items.iter().map(row_of).collect();
            service_rows(&mut out, found.count, &rows, service_row);
        }
        Ok(Answer::json(out).into())
    }

    pub(super) fn catalog_service(&self, call: &Call) -> Handled {
        let found = self.catalogued(&self.bound_service(call)?)?;
        let mut out = Vec::with_capacity(512);
        v1_catalog_service(&mut out, &body_of(&found));
        Ok(Answer::json(out).into())
    }

    /// The instances of a cluster, disabled ones too, a page of them.
    pub(super) fn catalog_instances(&self, call: &Call) -> Handled {
        let service = self.bound_service(call)?;
        let cluster = bound(&call.parameters, "clusterName", "String")?;
        let paging = Paging { number: integer(call, "pageNo")?, size: integer(call, "pageSize")? };
        let found = self.catalogued(&service)?;
        let hosts = self.catalogued_hosts(&found, Some(cluster))?;
        let page = &hosts[catalog_page(hosts.len(), paging)];
        let mut out = Vec::with_capacity(1_024);
        catalog_instances(&mut out, Shape::V1, "list", hosts.len(), &service, page);
        Ok(Answer::json(out).into())
    }
}

/// A whole number that Spring binds.
fn integer(call: &Call, name: &'static str) -> Result<i32, Refusal> {
    let text = bound(&call.parameters, name, "int")?;
    text.parse().map_err(|_| Refusal::Unconvertible { name, value: text.to_owned(), of_type: "int" })
}

/// A whole number that the original forgot to give a default, so that its absence is an error of its own.
fn primitive(call: &Call, name: &'static str) -> Result<i32, Refusal> {
    if call.parameters.first(&[name]).is_none() {
        return Err(Refusal::NoPrimitive { name });
    }
    integer(call, name)
}
