//! `/v3/console/core`: namespaces and nodes.

use crate::http::{
    Http,
    call::Call,
    namespaces::bound,
    route::{
        Handled,
        Handler::{Later, Now},
        Route,
    },
};
use muster_nacos_wire::http::{result, write_json, write_list};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/namespace/list", Now(Http::v3_namespaces)),
    Route::get("/namespace", Now(Http::v3_namespace)),
    Route::post(
        "/namespace",
        Later(|http, call| Box::pin(http.v3_create_namespace(call, "customNamespaceId"))),
    ),
    Route::put("/namespace", Later(|http, call| Box::pin(http.v3_update_namespace(call)))),
    Route::delete("/namespace", Later(|http, call| Box::pin(http.remove_namespace(call)))),
    Route::get("/namespace/exist", Now(Http::v3_has_namespace)),
    Route::get("/cluster/nodes", Now(Http::v3_console_nodes)).early(),
];

impl Http {
    fn v3_has_namespace(&self, call: &Call) -> Handled {
        let exists = self.has_namespace(bound(call, "customNamespaceId")?);
        Ok(result(|out| write_json(out, &exists)).into())
    }

    fn v3_console_nodes(&self, call: &Call) -> Handled {
        let members = self.members(call, "keyword");
        Ok(result(|out| write_list(out, &members, |out, member| member.write(out))).into())
    }
}
