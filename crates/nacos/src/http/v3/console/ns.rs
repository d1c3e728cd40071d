//! `/v3/console/ns`: naming as the console asks for it.

use crate::http::{
    Http,
    call::Call,
    naming::{Paging, body_of, cut},
    reply::Reply,
    route::{
        Handled,
        Handler::{Later, Now},
        Route,
    },
    trouble::Trouble,
    v3::done,
};
use muster_model::{ErrorCode, Kind};
use muster_nacos_wire::{
    Shape,
    http::{Dialect, Refusal, ResultCode, flag, naming_page, result, service_detail},
    write_host,
};

const DIALECT: Dialect = Dialect::V3;
/// Instances of one page, unless it says how many.
const PAGE: i32 = 100;

pub(crate) const ROUTES: &[Route] = &[
    Route::put("/instance", Later(|http, call| Box::pin(http.console_update_instance(call)))),
    Route::any("/instance/list", Now(Http::console_list_instances)),
    Route::post("/service", Later(|http, call| Box::pin(http.v3_create_service(call)))),
    Route::put("/service", Later(|http, call| Box::pin(http.console_update_service(call)))),
    Route::delete("/service", Later(|http, call| Box::pin(http.v3_remove_service(call)))),
    Route::get("/service", Now(Http::console_read_service)),
    Route::get("/service/list", Now(Http::v3_list_services)),
    Route::get("/service/subscribers", Now(Http::v3_subscribers)),
    Route::get("/service/selector/types", Now(Http::v3_selector_types)),
    Route::put("/service/cluster", Later(|http, call| Box::pin(http.v3_update_cluster(call)))),
];

impl Http {
    async fn console_update_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.update_described(call, DIALECT, Kind::Persistent).await?;
        Ok(done())
    }

    /// The instances of a service or of one cluster, disabled ones too, a page of them; page 0 is the first.
    fn console_list_instances(&self, call: &Call) -> Handled {
        let service = self.checked_service(call)?;
        let paging = Paging::bound(call, PAGE)?;
        let healthy_only = flag(&call.parameters, DIALECT, &["healthyOnly"], false)?;
        let found = self.catalogued(&service)?;
        let mut hosts = self.catalogued_hosts(&found, call.parameters.first(&["clusterName"]))?;
        hosts.retain(|host| host.healthy || !healthy_only);
        let page = &hosts[cut(hosts.len(), paging)];
        let place = (paging.number, paging.size());
        let write = |out: &mut Vec<u8>| {
            naming_page(out, hosts.len(), place, page, |out, host| {
                write_host(out, Shape::V3, &service, *host);
            });
        };
        Ok(result(write).into())
    }

    fn console_read_service(&self, call: &Call) -> Handled {
        let found = self.catalogued(&self.checked_service(call)?)?;
        Ok(result(|out| service_detail(out, Shape::V3, &body_of(&found))).into())
    }

    /// As the administration's, but what is unknown is not found.
    async fn console_update_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        if self.node.service_details(&service).is_none() {
            let (namespace, group, name) = (service.namespace(), service.group(), service.name());
            return Err(Trouble::Refused(Refusal::Failed {
                error: ErrorCode::NotFound,
                code: ResultCode::ServiceNotExist,
                detail: format!(
                    "service Service{{namespace='{namespace}', group='{group}', name='{name}', ephemeral=true, revision=0}} is not exist."
                ),
            }));
        }
        self.update_service_described(call, service).await?;
        Ok(done())
    }
}
