//! `/v2/console`: what is asked about the server, and its namespaces.

use crate::http::{
    Http,
    call::Call,
    namespaces::{NamespaceStyle, bound, exists, filtered_id, filtered_name, form_missing, spec},
    route::{
        Handled,
        Handler::{Later, Now},
        Route,
    },
    server::alive,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{NamespaceInfo, result, write_json};
use muster_transport::Surfaces;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/health/liveness", Now(|_, _| Ok(alive()))).early().on(Surfaces::ALL),
    // An unready one is HTTP 200 in v2.
    Route::get("/health/readiness", Now(|http, _| Ok(http.readiness(200)))).early().on(Surfaces::ALL),
    Route::get("/namespace/list", Now(Http::v2_namespaces)),
    Route::get("/namespace", Now(Http::v2_namespace)),
    Route::post("/namespace", Later(|http, call| Box::pin(http.v2_create_namespace(call)))),
    Route::put("/namespace", Later(|http, call| Box::pin(http.v2_update_namespace(call)))),
    Route::delete("/namespace", Later(|http, call| Box::pin(http.remove_namespace(call)))),
];

/// The name that a form has.
fn form_name(call: &Call) -> Result<&str, Trouble> {
    let name = call.parameters.get("namespaceName").map(filtered_name).transpose()?;
    name.filter(|name| !name.trim().is_empty()).ok_or_else(|| form_missing("namespaceName"))
}

impl Http {
    fn v2_namespaces(&self, _: &Call) -> Handled {
        let answer = |namespaces: &[NamespaceInfo<'_>]| result(|out| write_json(out, namespaces));
        Ok(self.with_namespaces(NamespaceStyle::OLD, answer).into())
    }

    fn v2_namespace(&self, call: &Call) -> Handled {
        let answer = |namespace: &NamespaceInfo<'_>| result(|out| write_json(out, namespace));
        let text = bound(call, "namespaceId")?;
        Ok(self.with_namespace(text, NamespaceStyle::OLD, ErrorCode::NotFound, answer)?.into())
    }

    async fn v2_create_namespace(&self, call: &Call) -> Handled {
        let id = call.parameters.first(&["namespaceId"]).map(filtered_id).transpose()?;
        let spec = spec(call, form_name(call)?);
        self.node.create_namespace(id, spec).await.map_err(|error| exists(error, false))?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    /// Changes a namespace; one that is not there is answered like one that is, as in the original.
    async fn v2_update_namespace(&self, call: &Call) -> Handled {
        let id = call.parameters.get("namespaceId").ok_or_else(|| form_missing("namespaceId"))?;
        let (id, spec) = (filtered_id(id)?, spec(call, form_name(call)?));
        self.node.update_namespace(id, spec).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }
}
