//! Services; the console has the same, but for how it says that there is none.

use super::DIALECT;
use crate::http::{
    Http,
    call::Call,
    naming::{Paging, body_of, cut, kind_of_service, row_of, with_hosts},
    reply::Reply,
    route::Handled,
    trouble::Trouble,
    v3::done,
};
use muster_nacos_wire::{
    Shape,
    http::{
        SELECTOR_TYPES, Subscriber, flag, naming_page, result, service_detail, service_hosts, service_row,
        write_json,
    },
};

/// Services of one page, unless it says how many.
const PAGE: i32 = 100;

impl Http {
    pub(crate) async fn v3_create_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        self.create_service_described(call, service, kind_of_service(call, DIALECT)?).await?;
        Ok(done())
    }

    pub(super) async fn v3_update_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        self.update_service_described(call, service).await?;
        Ok(done())
    }

    pub(crate) async fn v3_remove_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        self.remove_service_described(service).await?;
        Ok(done())
    }

    pub(super) fn v3_read_service(&self, call: &Call) -> Handled {
        let found = self.described(&self.checked_service(call)?)?;
        Ok(result(|out| service_detail(out, Shape::V3, &body_of(&found))).into())
    }

    pub(crate) fn v3_list_services(&self, call: &Call) -> Handled {
        self.filter(call)?;
        let paging = Paging::positive(call, PAGE)?;
        let ignores_empty = flag(&call.parameters, DIALECT, &["ignoreEmptyService"], false)?;
        let with_instances = flag(&call.parameters, DIALECT, &["withInstances"], false)?;
        // With instances the original does not leave the empty ones out.
        let found = self.search_described(call, ignores_empty && !with_instances, paging)?;
        let size = paging.of_services().size();
        let reply = if with_instances {
            let rows: Vec<_> = found.items.iter().map(with_hosts).collect();
            result(|out| {
                naming_page(out, found.count, (paging.number, size), &rows, |out, row| {
                    service_hosts(out, Shape::V3, row);
                });
            })
        } else {
            let rows: Vec<_> = found.items.iter().map(row_of).collect();
            result(|out| naming_page(out, found.count, (paging.number, size), &rows, service_row))
        };
        Ok(reply.into())
    }

    pub(crate) fn v3_subscribers(&self, call: &Call) -> Handled {
        let service = self.checked_service(call)?;
        let paging = Paging::positive(call, PAGE)?;
        let found = self.subscribers_like(&service);
        let page = &found[cut(found.len(), paging)];
        let place = (paging.number, paging.size());
        Ok(result(|out| naming_page(out, found.len(), place, page, |out, one| Subscriber::v3(one, out)))
            .into())
    }

    pub(crate) fn v3_selector_types(&self, _: &Call) -> Handled {
        Ok(result(|out| write_json(out, &SELECTOR_TYPES)).into())
    }

    pub(crate) async fn v3_update_cluster(&self, call: &Call) -> Result<Reply, Trouble> {
        self.update_cluster_described(call, DIALECT).await?;
        Ok(done())
    }
}
